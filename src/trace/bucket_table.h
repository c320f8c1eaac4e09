/* SPDX-License-Identifier: MIT */
/* The table of buckets: (stack, domain, size) with a live count.
 *
 * Under the tracer's lock, or with one thread. Every event looks a bucket up, so the
 * lookups are inline. Buckets and sites (the sums per stack and domain) are sections of
 * the dump. Bucket 0 is no bucket. If the section is full, buckets without live blocks
 * are reclaimed, so a bucket's id is valid only while it has a live block, or within
 * one epoch. trace/live_block.h writes the live counters.
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
#include "dump/sample_weight.h"
#include "trace/event_guard.h"

struct bucket_table {
    struct tracemalloc_dump_header *header;
    struct tracemalloc_dump_bucket *buckets;
    struct tracemalloc_dump_site *sites;
    uint32_t created;     /* buckets made since the epoch began */
    uint32_t epoch_stamp; /* the header's stamp when the last epoch began */
    uint8_t birth;        /* the index of that epoch */
    /* While Python's bytes are not more, no peak ends: see live_block_end_peak. */
    uint64_t bytes_without_peak;
    struct id_table index; /* of buckets */
    /* By stack: its bucket that was found last, or 0. Stacks that are used one after
     * another are neighbours here, where the index scatters them. */
    uint32_t *by_stack;
    uint32_t stacks; /* capacity of by_stack */
    /* Why the last lookup that failed found no bucket: a TRACEMALLOC_DUMP_LOST_. */
    uint32_t failure;
};

/* One thread's recent results of bucket_table_find. */
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

/* Adds a bucket. If the dump is full, returns one of the same site and size with an
 * older birth: the count stays exact, and the block appears older than it is. If there
 * is none, returns the overflow stack's bucket and counts that in the header's `lost`.
 * 0 if that is missing too: `failure` has the reason, and the caller counts the lost
 * block, once. */
uint32_t bucket_table_add(uint32_t stack, uint32_t domain, uint64_t size,
                          uint8_t birth);

/* The index in the dump of the domain that the program calls `number`. Number 0 is
 * Python's own domain; 1 and 2 are domains of the program, not libc's and mmap's, which
 * have these indices. -ENOENT if there is none. */
must_check int64_t bucket_table_domain(uint32_t number);
/* As bucket_table_domain, but adds a missing domain. -ENOSPC if the dump is full. */
must_check int64_t bucket_table_make_domain(uint32_t number);

/* Adds the bucket's change in its last epoch to its site's history. Called before the
 * bucket's first change in a new epoch. */
void bucket_table_begin_epoch(struct tracemalloc_dump_bucket *bucket);
/* A block of the bucket changed its size, which took it out of the bucket (`blocks` is
 * -1) or into it (1): in its site's history it neither died nor was born. */
void bucket_table_note_resize(struct tracemalloc_dump_bucket *bucket, int blocks);
/* The bucket's 32-bit total has wrapped: adds 2^32 blocks to the site's sum. */
void bucket_table_carry(const struct tracemalloc_dump_bucket *bucket);

/* Whether the bucket has no blocks: none now, none at exit and none at the peak. */
bool bucket_table_is_dead(const struct tracemalloc_dump_bucket *bucket);
/* Adds the totals of dead buckets to their sites and makes the buckets free. Returns
 * how many it freed. Raises the epoch. */
uint64_t bucket_table_reclaim(void);

/* Blocks that were ever allocated; of a sampled process those in the sample. */
uint64_t bucket_table_count_allocations(void);

/* Copies the live counts into `at_exit`: the runtime is finalizing. */
void bucket_table_freeze(void);
/* Resets all counts of buckets and sites to 0. */
void bucket_table_clear(void);

static always_inline uint64_t bucket_hash(uint32_t stack, uint32_t domain,
                                          uint64_t size, uint8_t birth) {
    uint64_t site = (uint64_t)stack << 16 | (uint64_t)(domain & 0xff) << 8;
    return hash_mix(hash_mix(site | birth) + size);
}

static always_inline struct tracemalloc_dump_bucket *bucket_at(uint32_t id) {
    /* The count is not asked: another program may have cut the dump off. */
    assert(id != 0);
    return bucket_table.buckets + id;
}

static always_inline struct tracemalloc_dump_site *
bucket_site(const struct tracemalloc_dump_bucket *bucket) {
    return bucket_table.sites + (bucket->site & ~TRACEMALLOC_DUMP_NOT_PYTHON);
}

/* The mean distance of samples for the blocks of a bucket; 0: each one is recorded. */
static inline uint32_t bucket_distance(const struct tracemalloc_dump_bucket *bucket) {
    return bucket_site(bucket)->domain == TRACEMALLOC_DUMP_DOMAIN_MMAP
               ? 0
               : bucket_table.header->sample_distance;
}

static always_inline bool bucket_table_is(uint32_t id, uint32_t stack, uint32_t domain,
                                          uint64_t size, uint8_t birth) {
    const struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + id;
    const struct tracemalloc_dump_site *site = bucket_site(bucket);
    return bucket->size == size && bucket->birth == birth && site->stack == stack &&
           site->domain == domain;
}

/* The bucket that was found last for this stack, if it is of Python's domain and this
 * size; else 0. There is no need to compare its stack: a reclaim pass, which may give
 * the bucket to another stack, clears by_stack. */
static always_inline uint32_t bucket_table_last(struct event_guard guard,
                                                uint32_t stack, uint64_t size) {
    event_guard_check(guard);
    uint32_t id = stack < bucket_table.stacks ? bucket_table.by_stack[stack] : 0;
    const struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + id;
    bool found = bucket->size == size && bucket->birth == bucket_table.birth &&
                 (bucket->site & TRACEMALLOC_DUMP_NOT_PYTHON) == 0;
    return found ? id : 0;
}

/* The bucket of blocks that were born in an epoch, the present one or an older one.
 * Those of the overflow are of one birth, so that the buckets kept for it last. */
static always_inline uint32_t bucket_table_find_born(uint32_t stack, uint32_t domain,
                                                     uint64_t size, uint8_t birth) {
    struct id_probe probe;
    if (unlikely(stack == TRACEMALLOC_DUMP_OVERFLOW_STACK))
        birth = 0;
    uint32_t id = stack < bucket_table.stacks ? bucket_table.by_stack[stack] : 0;
    if (likely(id != 0 && bucket_table_is(id, stack, domain, size, birth)))
        return id;
    id_probe_start(&probe, &bucket_table.index,
                   bucket_hash(stack, domain, size, birth));
    while ((id = id_probe_next(&probe)) != 0)
        if (likely(bucket_table_is(id, stack, domain, size, birth))) {
            if (stack < bucket_table.stacks)
                bucket_table.by_stack[stack] = id;
            return id;
        }
    return bucket_table_add(stack, domain, size, birth);
}

static always_inline uint32_t bucket_table_find(uint32_t stack, uint32_t domain,
                                                uint64_t size) {
    return bucket_table_find_born(stack, domain, size, bucket_table.birth);
}

/* Looks the bucket up in the table and caches it. */
uint32_t bucket_cache_miss(struct bucket_cache *cache, uint32_t stack, uint32_t domain,
                           uint64_t size);

static always_inline struct bucket_cache_entry *
bucket_cache_slot(struct bucket_cache *cache, uint32_t stack, uint64_t size) {
    return &cache->entries[(stack ^ size >> 4 ^ size >> 10) % BUCKET_CACHE];
}

/* As bucket_table_find, through the thread's cache. */
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
