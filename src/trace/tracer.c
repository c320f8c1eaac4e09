/* SPDX-License-Identifier: MIT */
#include "trace/tracer.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "dump/dump_census.h"
#include "trace/block_count.h"
#include "trace/mapping_table.h"
#include "trace/name_table.h"
#include "trace/python_arenas.h"
#include "trace/reclaim_trigger.h"
#include "trace/stack_table.h"
#include "trace/track_table.h"

static const char many_threads;
static const char *libc_flag = &many_threads;
static struct dump_file dump;

struct tracer tracer = {
    .single_threaded = &many_threads,
    .lock = {.lock = {.rank = LOCK_TRACER}, .revoked = true},
};

/* If the libc has no such flag (glibc has one since 2.32), the process counts as having
 * many threads. */
void tracer_prepare(void) {
    const char *flag = dlsym(RTLD_DEFAULT, "__libc_single_threaded");
    if (flag != NULL)
        libc_flag = flag;
    biased_lock_prepare(&tracer.lock);
}

/* In a process of one thread no other thread can be using the tables. */
void tracer_lock(void) {
    if (*libc_flag)
        lock_take(&tracer.lock.lock);
    else
        biased_lock_take(&tracer.lock);
}

void tracer_unlock(void) {
    biased_lock_release(&tracer.lock);
}

void tracer_share(bool shared) {
    __atomic_store_n(&tracer.single_threaded, shared ? &many_threads : libc_flag,
                     __ATOMIC_RELAXED);
}

static int open_tables(void) {
    reclaim_trigger_reset();
    int error = name_table_open(&dump);
    if (error == 0)
        error = stack_table_open(&dump);
    if (error == 0)
        error = bucket_table_open(&dump);
    return error;
}

int tracer_open(const struct tracer_start *start) {
    int error = block_map_open(start->granule, start->sample_distance != 0);
    if (error < 0)
        return error;
    block_map_clear();
    mapping_table_clear();
    python_arenas_clear();
    track_table_clear();
    error = dump_file_open(&dump, start->max_file);
    if (error < 0)
        return error;
    tracer.code_freed = start->code_freed;
    tracer.dump = &dump;
    tracer.sample_distance = dump.header->sample_distance = start->sample_distance;
    tracer.generation++;
    error = open_tables();
    if (error < 0)
        tracer_close();
    return error;
}

void tracer_activate(void) {
    unsigned granule = 1u << block_map.granule_shift;
    __atomic_store_n(&gate.exact, tracer.sample_distance == 0 ? granule : 0,
                     __ATOMIC_RELEASE);
    __atomic_store_n(&gate.active, true, __ATOMIC_RELEASE);
}

void tracer_deactivate(void) {
    __atomic_store_n(&gate.exact, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&gate.active, false, __ATOMIC_RELEASE);
}

void tracer_close(void) {
    epoch_raise();
    name_table_close();
    stack_table_close();
    bucket_table_close();
    dump_file_close(&dump);
}

void tracer_clear(void) {
    tracer.generation++;
    block_map_clear();
    mapping_table_clear();
    track_table_clear();
    bucket_table_clear();
}

void tracer_reset_peak(void) {
    live_block_reset_peak(dump.header);
}

void tracer_reset_peaks(void) {
    live_block_reset_peaks(dump.header);
}

void tracer_freeze(void) {
    if (dump.header->finalized == 0) {
        tracer_measure();
        dump_census_drop(&dump);
        if (tracer.before_freeze != NULL)
            tracer.before_freeze();
    }
    bucket_table_freeze();
}

void tracer_measure(void) {
    struct resident resident;
    if (dump.header == NULL)
        return;
    resident_open(&resident);
    dump.header->tracer_bytes = arena_bytes() + block_map_bytes(&resident);
    dump.header->mapped_resident_bytes = mapping_table_measure(&resident);
    resident_close(&resident);
}

void tracer_lost_block(struct event_guard guard, uint32_t reason) {
    event_guard_check(guard);
    dump.header->lost[reason]++;
}

static bool is_of(uint32_t bucket, uint32_t domain) {
    return bucket != 0 && bucket_site(bucket_at(bucket))->domain == domain;
}

static uint32_t *slot_of(uintptr_t address) {
    return block_map_is_start(address) ? block_map_find(address) : NULL;
}

/* While blocks are sampled, each address that the program tracks is watched, so that it
 * passes the filter. */
static bool is_watched_in(uint32_t domain) {
    return domain == TRACEMALLOC_DUMP_DOMAIN_PYTHON || block_map.is_sampled;
}

static bool is_tracked(uintptr_t address) {
    uint64_t count = dump.header->sections[TRACEMALLOC_DUMP_DOMAINS].count;
    for (uint32_t domain = 0; domain < count; domain++)
        if (is_watched_in(domain) && track_table_find(domain, address) != 0)
            return true;
    return false;
}

static void watch(uintptr_t address) {
    uint32_t *slot = block_map.is_sampled ? block_map_make(address) : slot_of(address);
    if (slot != NULL)
        live_block_watch(slot);
}

static uint32_t *make_slot(uintptr_t block) {
    uint32_t *slot = block_map_make(block);
    if (slot != NULL && !block_map.is_sampled)
        track_table_visit(TRACEMALLOC_DUMP_DOMAIN_PYTHON, watch);
    return slot;
}

uint32_t *tracer_make_slot(struct event_guard guard, uintptr_t block) {
    event_guard_check(guard);
    return make_slot(block);
}

uint32_t tracer_take_watched(struct event_guard guard, uintptr_t block, uint32_t *slot,
                             enum tracer_family by) {
    const uint32_t python = TRACEMALLOC_DUMP_DOMAIN_PYTHON;
    uint32_t bucket = live_block_take(slot), tracked = 0;
    event_guard_check(guard);
    if (tracer.code_freed != NULL)
        tracer.code_freed(block);
    if (by == TRACER_PYTHON)
        tracked = track_table_take(python, block);
    if (is_tracked(block))
        live_block_watch(slot);
    if (bucket == 0)
        return tracked;
    block_count_remove(tracked);
    return bucket;
}

void tracer_keep_birth(struct event_guard guard, uintptr_t block, uint8_t birth) {
    uint32_t *slot = block_map_find(block);
    event_guard_check(guard);
    if (slot == NULL || (*slot & BLOCK_MAP_BUCKET) == 0)
        return;
    const struct tracemalloc_dump_bucket *bucket = bucket_at(*slot & BLOCK_MAP_BUCKET);
    const struct tracemalloc_dump_site *site = bucket_site(bucket);
    /* Epochs may have become one meanwhile. */
    if (bucket->birth != bucket_table.birth || birth >= bucket_table.birth ||
        site->stack == TRACEMALLOC_DUMP_OVERFLOW_STACK)
        return;
    uint32_t older =
        bucket_table_find_born(site->stack, site->domain, bucket->size, birth);
    if (older != 0 && bucket_at(older)->birth == birth &&
        bucket_site(bucket_at(older)) == site)
        live_block_age(slot, older);
}

void tracer_clear_slot(struct event_guard guard, uintptr_t block, uint32_t *slot,
                       uint32_t bucket) {
    enum tracer_family by =
        is_of(bucket, TRACEMALLOC_DUMP_DOMAIN_PYTHON) ? TRACER_PYTHON : TRACER_LIBC;
    block_count_remove(tracer_take_slot(guard, block, slot, by));
}

/* Replaces the block in this slot, which is in Python's own domain. */
static int replace(struct event_guard guard, uint32_t *slot, uint64_t size,
                   uint32_t stack) {
    uint32_t bucket = bucket_table_find(stack, TRACEMALLOC_DUMP_DOMAIN_PYTHON, size);
    block_count_remove(live_block_take_watched(slot));
    if (bucket == 0) {
        tracer_lost_block(guard, bucket_table.failure);
        return -ENOMEM;
    }
    live_block_put_back(slot, bucket);
    block_count_add(bucket);
    return 0;
}

int tracer_track(struct event_guard guard, uint32_t domain, uintptr_t address,
                 uint64_t size, uint32_t stack) {
    uint32_t *slot = slot_of(address);
    uint32_t bucket = slot != NULL ? *slot & BLOCK_MAP_BUCKET : 0;
    if (domain == TRACEMALLOC_DUMP_DOMAIN_PYTHON && is_of(bucket, domain))
        return replace(guard, slot, size, stack);
    int error = track_table_insert(domain, address, size, stack);
    if (error < 0) {
        tracer_lost_block(guard, error == -ENOSPC ? bucket_table.failure
                                                  : TRACEMALLOC_DUMP_LOST_MEMORY);
        return -ENOMEM;
    }
    if (is_of(bucket, TRACEMALLOC_DUMP_DOMAIN_LIBC))
        block_count_remove(live_block_take_watched(slot));
    if (is_watched_in(domain))
        watch(address);
    return 0;
}

void tracer_untrack(struct event_guard guard, uint32_t domain, uintptr_t address) {
    uint32_t *slot = slot_of(address);
    event_guard_check(guard);
    track_table_remove(domain, address);
    if (domain == TRACEMALLOC_DUMP_DOMAIN_PYTHON && slot != NULL &&
        is_of(*slot & BLOCK_MAP_BUCKET, domain))
        block_count_remove(live_block_take_watched(slot));
}

uint32_t tracer_find(struct event_guard guard, uint32_t domain, uintptr_t address) {
    const uint32_t *slot = slot_of(address);
    uint32_t bucket = slot != NULL ? *slot & BLOCK_MAP_BUCKET : 0;
    event_guard_check(guard);
    return is_of(bucket, domain) ? bucket : track_table_find(domain, address);
}

void tracer_watch_code(const void *code) {
    uint32_t *slot = block_map_find((uintptr_t)code);
    if (slot == NULL)
        slot = make_slot((uintptr_t)code);
    if (slot != NULL)
        live_block_watch(slot);
}

void tracer_insert_sampled(struct event_guard guard, uintptr_t block, uint32_t bucket) {
    uint32_t *slot = block_map_make(block);
    if (slot == NULL) {
        tracer_lost_block(guard, TRACEMALLOC_DUMP_LOST_MEMORY);
        return;
    }
    if (*slot != 0)
        tracer_clear_slot(guard, block, slot, bucket);
    if (bucket != 0) {
        live_block_put_back(slot, bucket);
        block_count_add(bucket);
        return;
    }
    tracer_lost_block(guard, bucket_table.failure);
    address_map_remove_empty(&block_map_sampled, block);
}

void tracer_replaced_sampled(struct event_guard guard, uintptr_t block,
                             uint32_t bucket) {
    event_guard_check(guard);
    block_count_remove(bucket);
    address_map_remove_empty(&block_map_sampled, block);
}

void tracer_remove_sampled(struct event_guard guard, uintptr_t block,
                           enum tracer_family by) {
    tracer_replaced_sampled(guard, block, tracer_take(guard, block, by));
}

void tracer_track_unsampled(struct event_guard guard, uint32_t domain,
                            uintptr_t address) {
    tracer_untrack(guard, domain, address);
    uint32_t *slot = slot_of(address);
    if (slot != NULL && is_of(*slot & BLOCK_MAP_BUCKET, TRACEMALLOC_DUMP_DOMAIN_LIBC))
        block_count_remove(live_block_take_watched(slot));
    address_map_remove_empty(&block_map_sampled, address);
}
