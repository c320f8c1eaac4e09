/* SPDX-License-Identifier: MIT */
/* Sites, (stack, domain, size) with a live count, and tallies, the sums per stack and domain.
 *
 * Under the tracer's lock, or with one thread; in every event, so the lookups are here in the header. Both arrays are
 * sections of the dump. Site 0 is no site. A site whose live count is 0 may be recycled when the section is
 * full, so a site's id is good only as long as one of its blocks lives.
 *
 * The peak costs no copy. `rising` is 1 while the total is at its maximum. The first decrease after that ends the
 * peak: its number goes up, and a tally that is touched for the first time since then first
 * notes what it held, which is what it held at the peak:
 *
 *   total   a _/\_ b      tally touched at c, its number older than the peak's:
 *             ^    \c       peak_bytes = bytes (unchanged since ^), peak_number = number
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/hash.h"
#include "dump/dump_file.h"
#include "base/id_table.h"

struct site_table {
    struct tracemalloc_dump_header *header;
    struct tracemalloc_dump_site *sites;
    struct tracemalloc_dump_tally *tallies;
    struct id_table index; /* of sites */
    uint32_t *
        by_stack; /* the site that was found last, 0 for none: stacks that follow one another in time
                              lie side by side, where the index scatters them */
    uint32_t stacks; /* that by_stack has room for */
    uint32_t
        epoch; /* raised when ids of sites may have changed their meaning; never 0 */
};

/* What site_table_find said lately, for one thread: (stack, domain, size) to site. */
enum { SITE_CACHE = 128 };
struct site_cache {
    uint32_t epoch;
    struct site_step {
        uint64_t size;
        uint32_t stack;
        uint32_t domain;
        uint32_t site;
        uint32_t reserved;
    } steps[SITE_CACHE];
};

extern struct site_table site_table;

/* Begins the tables of a new dump. 0, or -errno. */
must_check int site_table_open(struct dump_file *file);
void site_table_close(void);

/* A new site; 0 when there is no room, which the header's `lost` counts. */
uint32_t site_table_add(uint32_t stack, uint32_t domain, uint64_t size);

/* The index in the dump of a domain by its public number; the first three are fixed. -errno without room. */
must_check int64_t site_table_domain(uint32_t number, const char *name);

/* Freezes the live counts: the runtime is finalizing. */
void site_table_freeze(void);

/* Where the key of a site is made: all that tells blocks of one size apart. */
static always_inline uint64_t site_hash(uint32_t stack, uint32_t domain,
                                        uint64_t size) {
    return hash_mix(hash_mix((uint64_t)stack << 8 | (domain & 0xff)) + size);
}

static always_inline bool site_table_is(uint32_t id, uint32_t stack, uint32_t domain,
                                        uint64_t size) {
    const struct tracemalloc_dump_site *site = site_table.sites + id;
    const struct tracemalloc_dump_tally *tally = site_table.tallies + site->tally;
    return site->size == size && tally->stack == stack && tally->domain == domain;
}

static always_inline uint32_t site_table_find(uint32_t stack, uint32_t domain,
                                              uint64_t size) {
    struct id_probe probe;
    uint32_t id = stack < site_table.stacks ? site_table.by_stack[stack] : 0;
    if (likely(id != 0 && site_table_is(id, stack, domain, size)))
        return id;
    id_probe_start(&probe, &site_table.index, site_hash(stack, domain, size));
    while ((id = id_probe_next(&probe)) != 0)
        if (likely(site_table_is(id, stack, domain, size))) {
            if (stack < site_table.stacks)
                site_table.by_stack[stack] = id;
            return id;
        }
    return site_table_add(stack, domain, size);
}

/* What is not in the cache. */
uint32_t site_cache_miss(struct site_cache *cache, uint32_t stack, uint32_t domain,
                         uint64_t size);

/* As site_table_find. */
static always_inline struct site_step *site_cache_step(struct site_cache *cache,
                                                       uint32_t stack, uint64_t size) {
    return &cache->steps[(stack ^ size >> 4 ^ size >> 10) % SITE_CACHE];
}

static always_inline uint32_t site_cache_find(struct site_cache *cache, uint32_t stack,
                                              uint32_t domain, uint64_t size) {
    const struct site_step *step = site_cache_step(cache, stack, size);
    if (likely(step->size == size && step->stack == stack && step->domain == domain &&
               cache->epoch == site_table.epoch))
        return step->site;
    return site_cache_miss(cache, stack, domain, size);
}

/* Python's own domain and those of PyTraceMalloc_Track. */
static always_inline bool is_python(uint32_t domain) {
    return domain != TRACEMALLOC_DUMP_DOMAIN_LIBC &&
           domain != TRACEMALLOC_DUMP_DOMAIN_MMAP;
}

/* Notes the tally as it was at the last peak, before it changes for the first time since. */
static always_inline void tally_touch(struct tracemalloc_dump_tally *tally,
                                      uint32_t number) {
    if (unlikely(tally->peak_number != number)) {
        tally->peak_bytes = tally->bytes;
        tally->peak_blocks = tally->blocks;
        tally->peak_number = number;
    }
}

static always_inline void site_table_count(uint32_t id) {
    struct tracemalloc_dump_header *header = site_table.header;
    struct tracemalloc_dump_site *site = site_table.sites + id;
    struct tracemalloc_dump_tally *tally = site_table.tallies + site->tally;
    uint64_t size = site->size;
    tally_touch(tally, header->peak_number);
    tally->bytes += size;
    tally->blocks++;
    tally->total_bytes += size;
    tally->total_blocks++;
    site->live++;
    header->blocks++;
    header->bytes += size;
    if (is_python(tally->domain)) {
        header->python_bytes += size;
        if (header->python_bytes > header->python_peak_bytes)
            header->python_peak_bytes = header->python_bytes;
    }
    if (header->bytes > header->peak_bytes) {
        header->peak_bytes = header->bytes;
        header->peak_blocks = header->blocks;
        header->rising = 1;
    }
}

/* A block goes from one site to another of the same size and domain: the totals, and the peak, are as they were. */
static always_inline void site_table_transfer(uint32_t from, uint32_t to) {
    uint32_t number = site_table.header->peak_number;
    struct tracemalloc_dump_site *old = site_table.sites + from;
    struct tracemalloc_dump_site *site = site_table.sites + to;
    struct tracemalloc_dump_tally *before = site_table.tallies + old->tally;
    struct tracemalloc_dump_tally *tally = site_table.tallies + site->tally;
    uint64_t size = site->size;
    tally_touch(before, number);
    tally_touch(tally, number);
    old->live--;
    before->bytes -= size;
    before->blocks--;
    site->live++;
    tally->bytes += size;
    tally->blocks++;
    tally->total_bytes += size;
    tally->total_blocks++;
}

static always_inline void site_table_discount(uint32_t id) {
    struct tracemalloc_dump_header *header = site_table.header;
    struct tracemalloc_dump_site *site = site_table.sites + id;
    struct tracemalloc_dump_tally *tally = site_table.tallies + site->tally;
    uint64_t size = site->size;
    header->peak_number += header->rising;
    header->rising = 0;
    tally_touch(tally, header->peak_number);
    tally->bytes -= size;
    tally->blocks--;
    site->live--;
    header->blocks--;
    header->bytes -= size;
    if (is_python(tally->domain))
        header->python_bytes -= size;
}
