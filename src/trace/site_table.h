/* SPDX-License-Identifier: MIT */
/* Sites, (stack, domain, size) with a live count, and tallies, the sums per stack and
 * domain.
 *
 * Under the tracer's lock, or with one thread; in every event, so the lookups are here
 * in the header. Both arrays are sections of the dump. Site 0 is no site. A site whose
 * live count is 0 may be recycled when the section is full, so a site's id is good only
 * as long as one of its blocks lives.
 *
 * The peak costs no copy. The first decrease after the total was more than ever before
 * ends a peak: its number goes up, and a site that is touched for the first time since
 * then first notes what it held, which is what it held at the peak:
 *
 *   total   a _/\_ b      site touched at c, its number older than the peak's:
 *             ^    \c       peak_live = live (unchanged since ^), peak_number = number
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/epoch.h"
#include "base/hash.h"
#include "base/id_table.h"
#include "dump/dump_file.h"

struct site_table {
    struct tracemalloc_dump_header *header;
    struct tracemalloc_dump_site *sites;
    struct tracemalloc_dump_tally *tallies;
    struct id_table index; /* of sites */
    /* The site that was found last, 0 for none: stacks that follow one another in time
     * lie side by side, where the index scatters them. */
    uint32_t *by_stack;
    uint32_t stacks; /* that by_stack has room for */
    /* Why the last look-up that found no site failed: a TRACEMALLOC_DUMP_LOST_. */
    uint32_t failure;
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

extern internal struct site_table site_table;

/* Begins the tables of a new dump. 0, or -errno. */
must_check int site_table_open(struct dump_file *file);
void site_table_close(void);

/* A new site, of the overflow where there is no room for one of this stack, which the
 * header's `lost` counts. 0: none, for the reason that `failure` names; whoever drops
 * the block counts it, once. */
uint32_t site_table_add(uint32_t stack, uint32_t domain, uint64_t size);

/* The index in the dump of a domain that a program numbers: Python's own is 0, and
 * what else it calls 1 or 2 is neither libc's nor mmap's. -ENOENT: there is none. */
must_check int64_t site_table_domain(uint32_t number);
/* The same, made where it is missing. -ENOSPC without room. */
must_check int64_t site_table_make_domain(uint32_t number);

/* Takes 2^32 blocks over into the tally's sum. */
void site_table_carry(const struct tracemalloc_dump_site *site);

/* Whether the site counts nothing: not now, nor at the end, nor at the peak. */
bool site_table_is_dead(const struct tracemalloc_dump_site *site);
/* Gives what dead sites ever counted to their tallies, and the sites to whoever comes
 * next. Returns how many they are. Raises the epoch. */
uint64_t site_table_recycle(void);

/* Freezes the live counts: the runtime is finalizing. */
void site_table_freeze(void);

/* Where the key of a site is made: all that tells blocks of one size apart. */
static always_inline uint64_t site_hash(uint32_t stack, uint32_t domain,
                                        uint64_t size) {
    return hash_mix(hash_mix((uint64_t)stack << 8 | (domain & 0xff)) + size);
}

static always_inline struct tracemalloc_dump_tally *
site_tally(const struct tracemalloc_dump_site *site) {
    return site_table.tallies + (site->tally & ~TRACEMALLOC_DUMP_NOT_PYTHON);
}

static always_inline bool site_table_is(uint32_t id, uint32_t stack, uint32_t domain,
                                        uint64_t size) {
    const struct tracemalloc_dump_site *site = site_table.sites + id;
    const struct tracemalloc_dump_tally *tally = site_tally(site);
    return site->size == size && tally->stack == stack && tally->domain == domain;
}

/* The site that was found last for this stack, if it is of Python's domain and this
 * size; else 0. Its stack need not be looked at: a site is given to another one only
 * when all of this is forgotten. */
static always_inline uint32_t site_table_last(uint32_t stack, uint64_t size) {
    uint32_t id = stack < site_table.stacks ? site_table.by_stack[stack] : 0;
    const struct tracemalloc_dump_site *site = site_table.sites + id;
    return site->size == size && (site->tally & TRACEMALLOC_DUMP_NOT_PYTHON) == 0 ? id
                                                                                  : 0;
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
               cache->epoch == epoch_now))
        return step->site;
    return site_cache_miss(cache, stack, domain, size);
}

/* Python's own domain and those of PyTraceMalloc_Track. */
static always_inline bool is_python(uint32_t domain) {
    return domain != TRACEMALLOC_DUMP_DOMAIN_LIBC &&
           domain != TRACEMALLOC_DUMP_DOMAIN_MMAP;
}

/* Notes the site as it was at the last peak, before it changes for the first time
 * since. */
static always_inline void site_touch(struct tracemalloc_dump_site *site,
                                     uint32_t number) {
    if (unlikely(site->peak_number != number)) {
        site->peak_live = site->live;
        site->peak_number = number;
    }
}

/* One more block ever. */
static always_inline void site_add_total(struct tracemalloc_dump_site *site) {
    if (unlikely(++site->total == 0))
        site_table_carry(site);
}

static always_inline uint64_t *site_bytes(struct tracemalloc_dump_header *header,
                                          const struct tracemalloc_dump_site *site) {
    if (likely((site->tally & TRACEMALLOC_DUMP_NOT_PYTHON) == 0) ||
        is_python(site_tally(site)->domain))
        return &header->python_bytes;
    return &header->native_bytes;
}

static always_inline void site_table_count(uint32_t id) {
    struct tracemalloc_dump_header *header = site_table.header;
    struct tracemalloc_dump_site *site = site_table.sites + id;
    site_touch(site, header->peak_number);
    site->live++;
    site_add_total(site);
    *site_bytes(header, site) += site->size;
}

/* As site_table_count, for a site of Python's domain and blocks of this size. */
static always_inline void site_table_count_python(uint32_t id, uint64_t size) {
    struct tracemalloc_dump_header *header = site_table.header;
    struct tracemalloc_dump_site *site = site_table.sites + id;
    header->python_bytes += size;
    site_touch(site, header->peak_number);
    site->live++;
    site_add_total(site);
}

/* A block goes from one site to another of the same size and domain: the totals, and
 * the peak, are as they were. */
static always_inline void site_table_transfer(uint32_t from, uint32_t to) {
    uint32_t number = site_table.header->peak_number;
    struct tracemalloc_dump_site *old = site_table.sites + from;
    struct tracemalloc_dump_site *site = site_table.sites + to;
    site_touch(old, number);
    site_touch(site, number);
    old->live--;
    site->live++;
    site_add_total(site);
}

/* The bytes are about to fall. Returns the number of the last peak. */
static always_inline uint32_t
site_table_note_peak(struct tracemalloc_dump_header *header) {
    uint64_t python = header->python_bytes, bytes = python + header->native_bytes;
    uint32_t number = header->peak_number;
    if (python > header->python_peak_bytes)
        header->python_peak_bytes = python;
    if (bytes > header->peak_bytes) {
        header->peak_bytes = bytes;
        header->peak_number = ++number;
    }
    return number;
}

static always_inline void site_table_discount(uint32_t id) {
    struct tracemalloc_dump_header *header = site_table.header;
    struct tracemalloc_dump_site *site = site_table.sites + id;
    site_touch(site, site_table_note_peak(header));
    site->live--;
    *site_bytes(header, site) -= site->size;
}
