/* SPDX-License-Identifier: MIT */
/* Buckets, (stack, domain, size) with a live count, and sites, the sums per stack and
 * domain.
 *
 * Under the tracer's lock, or with one thread; in every event, so the lookups are here
 * in the header. Both arrays are sections of the dump. Bucket 0 is no bucket. A bucket
 * whose live count is 0 may be recycled when the section is full, so a bucket's id is
 * good only as long as one of its blocks lives. What a live block counts is in
 * trace/live_block.h.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/epoch.h"
#include "base/hash.h"
#include "base/id_table.h"
#include "dump/dump_file.h"
#include "dump/dump_history.h"
#include "trace/event_guard.h"

struct bucket_table {
    struct tracemalloc_dump_header *header;
    struct tracemalloc_dump_bucket *buckets;
    struct tracemalloc_dump_site *sites;
    uint32_t epoch_stamp;  /* the header's stamp when the last epoch began */
    uint8_t birth;         /* the index of that epoch */
    struct id_table index; /* of buckets */
    /* The bucket that was found last, 0 for none: stacks that follow one another in
     * time lie side by side, where the index scatters them. */
    uint32_t *by_stack;
    uint32_t stacks; /* that by_stack has room for */
    /* Why the last look-up that found no bucket failed: a TRACEMALLOC_DUMP_LOST_. */
    uint32_t failure;
};

/* What bucket_table_find said lately, for one thread: (stack, domain, size) to bucket.
 */
enum { BUCKET_CACHE = 128 };
struct bucket_cache {
    uint32_t epoch;
    struct bucket_cache_entry {
        uint64_t size;
        uint32_t stack;
        uint32_t domain;
        uint32_t bucket;
        uint32_t reserved;
    } entries[BUCKET_CACHE];
};

extern internal struct bucket_table bucket_table;

/* Begins the tables of a new dump. 0, or -errno. */
must_check int bucket_table_open(struct dump_file *file);
void bucket_table_close(void);

/* A new bucket, of the overflow where there is no room for one of this stack, which the
 * header's `lost` counts. 0: none, for the reason that `failure` names; whoever drops
 * the block counts it, once. */
uint32_t bucket_table_add(uint32_t stack, uint32_t domain, uint64_t size);

/* The index in the dump of a domain that a program numbers: Python's own is 0, and
 * what else it calls 1 or 2 is neither libc's nor mmap's. -ENOENT: there is none. */
must_check int64_t bucket_table_domain(uint32_t number);
/* The same, made where it is missing. -ENOSPC without room. */
must_check int64_t bucket_table_make_domain(uint32_t number);

/* The bucket changes for the first time in an epoch: what it did before is history. */
void bucket_table_begin_epoch(struct tracemalloc_dump_bucket *bucket);
/* Takes 2^32 blocks over into the site's sum. */
void bucket_table_carry(const struct tracemalloc_dump_bucket *bucket);

/* Whether the bucket counts nothing: not now, nor at the end, nor at the peak. */
bool bucket_table_is_dead(const struct tracemalloc_dump_bucket *bucket);
/* Gives what dead buckets ever counted to their sites, and the buckets to whoever comes
 * next. Returns how many they are. Raises the epoch. */
uint64_t bucket_table_reclaim(void);

/* Freezes the live counts: the runtime is finalizing. */
void bucket_table_freeze(void);
/* All counts, and those of the sites, are 0 from now on. */
void bucket_table_clear(void);

/* Where the key of a bucket is made: all that tells blocks of one size apart. */
static always_inline uint64_t bucket_hash(uint32_t stack, uint32_t domain,
                                          uint64_t size) {
    return hash_mix(hash_mix((uint64_t)stack << 8 | (domain & 0xff)) + size);
}

static always_inline struct tracemalloc_dump_bucket *bucket_at(uint32_t id) {
    assert(id != 0 &&
           id < bucket_table.header->sections[TRACEMALLOC_DUMP_BUCKETS].count);
    return bucket_table.buckets + id;
}

static always_inline struct tracemalloc_dump_site *
bucket_site(const struct tracemalloc_dump_bucket *bucket) {
    return bucket_table.sites + (bucket->site & ~TRACEMALLOC_DUMP_NOT_PYTHON);
}

static always_inline bool bucket_table_is(uint32_t id, uint32_t stack, uint32_t domain,
                                          uint64_t size) {
    const struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + id;
    const struct tracemalloc_dump_site *site = bucket_site(bucket);
    return bucket->size == size && site->stack == stack && site->domain == domain;
}

/* The bucket that was found last for this stack, if it is of Python's domain and this
 * size; else 0. Its stack need not be looked at: a bucket is given to another one only
 * when all of this is forgotten. */
static always_inline uint32_t bucket_table_last(struct event_guard guard,
                                                uint32_t stack, uint64_t size) {
    event_guard_check(guard);
    uint32_t id = stack < bucket_table.stacks ? bucket_table.by_stack[stack] : 0;
    const struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + id;
    return bucket->size == size && (bucket->site & TRACEMALLOC_DUMP_NOT_PYTHON) == 0
               ? id
               : 0;
}

static always_inline uint32_t bucket_table_find(uint32_t stack, uint32_t domain,
                                                uint64_t size) {
    struct id_probe probe;
    uint32_t id = stack < bucket_table.stacks ? bucket_table.by_stack[stack] : 0;
    if (likely(id != 0 && bucket_table_is(id, stack, domain, size)))
        return id;
    id_probe_start(&probe, &bucket_table.index, bucket_hash(stack, domain, size));
    while ((id = id_probe_next(&probe)) != 0)
        if (likely(bucket_table_is(id, stack, domain, size))) {
            if (stack < bucket_table.stacks)
                bucket_table.by_stack[stack] = id;
            return id;
        }
    return bucket_table_add(stack, domain, size);
}

/* What is not in the cache. */
uint32_t bucket_cache_miss(struct bucket_cache *cache, uint32_t stack, uint32_t domain,
                           uint64_t size);

/* As bucket_table_find. */
static always_inline struct bucket_cache_entry *
bucket_cache_slot(struct bucket_cache *cache, uint32_t stack, uint64_t size) {
    return &cache->entries[(stack ^ size >> 4 ^ size >> 10) % BUCKET_CACHE];
}

static always_inline uint32_t bucket_cache_find(struct event_guard guard,
                                                struct bucket_cache *cache,
                                                uint32_t stack, uint32_t domain,
                                                uint64_t size) {
    event_guard_check(guard);
    const struct bucket_cache_entry *entry = bucket_cache_slot(cache, stack, size);
    if (likely(entry->size == size && entry->stack == stack &&
               entry->domain == domain && cache->epoch == epoch_now))
        return entry->bucket;
    return bucket_cache_miss(cache, stack, domain, size);
}

/* Python's own domain and those of PyTraceMalloc_Track. */
static always_inline bool is_python(uint32_t domain) {
    return domain != TRACEMALLOC_DUMP_DOMAIN_LIBC &&
           domain != TRACEMALLOC_DUMP_DOMAIN_MMAP;
}
