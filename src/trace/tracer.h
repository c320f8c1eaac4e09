/* SPDX-License-Identifier: MIT */
/* The life of a block, from its allocation to its free, and of the tracing, from start
 * to stop.
 *
 * Capturing a stack is the caller's: this layer takes the id of a stack and knows no
 * Python. The events (insert, remove, take, put_back) run between tracer_enter and
 * tracer_leave, in a thread that has marked itself as inside the tracer. tracer_enter
 * takes the lock, but not while the process has one thread: glibc clears
 * __libc_single_threaded in pthread_create, so that flag cannot change during an event.
 *
 * Ordering law: a block leaves the map before its address can be reused. free: remove,
 * then the real free. realloc: take, then the real realloc, then insert the new block,
 * or put_back when that failed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lock.h"
#include "trace/block_map.h"
#include "trace/gate.h"
#include "trace/bucket_table.h"

struct tracer {
    const char *single_threaded; /* glibc's flag, or a constant 0 */
    struct lock lock;            /* protects all tables and the dump */
    /* Of the tables: buckets of an older one mean nothing; under the lock. */
    uint32_t generation;
    struct dump_file *dump;
    void (*code_freed)(
        uintptr_t address); /* a block that was watched is gone: code, or not */
};

extern internal struct tracer tracer;

/* Whose function frees or resizes a block. */
enum tracer_family { TRACER_PYTHON, TRACER_LIBC };

struct tracer_start {
    unsigned granule;  /* alignment of the smallest blocks: 8 or 16 */
    uint64_t max_file; /* bytes */
    void (*code_freed)(uintptr_t address);
};

/* Finds glibc's flag. Once, before there is a second thread. */
void tracer_prepare(void);
/* Whether every event takes the lock, and with it no fast path, as with many threads:
 * true to begin with. Also in a signal handler. */
void tracer_share(bool shared);

/* Makes the tables and an empty dump in anonymous memory; events count from
 * tracer_activate on. 0, or -errno with nothing changed. Under LOCK_CONTROL. */
must_check int tracer_open(const struct tracer_start *start);
void tracer_activate(void);
/* Ends the counting; the tables stay. */
void tracer_deactivate(void);
/* Gives all tables back. After tracer_deactivate. */
void tracer_close(void);
/* Forgets all blocks and stacks' sums, and goes on. */
void tracer_clear(void);
/* The runtime is finalizing: what lives now is what users mean by "at exit". */
void tracer_freeze(void);
/* Asks the kernel how much of the tracer's private memory and of the program's mappings
 * is resident, and writes it into the header and the reservations' buckets. Under the
 * lock, or with one thread. */
void tracer_measure(void);

/* Whether the lock was taken, for tracer_leave. */
static always_inline bool tracer_enter(void) {
    if (likely(*tracer.single_threaded))
        return false;
    lock_take(&tracer.lock);
    return true;
}

static always_inline void tracer_leave(bool locked) {
    if (unlikely(locked))
        lock_release(&tracer.lock);
}

/* A block is not recorded. `reason`: a TRACEMALLOC_DUMP_LOST_. */
void tracer_lost_block(uint32_t reason);
/* The slot of a block where nothing near was ever inserted; NULL without memory. */
uint32_t *tracer_make_slot(uintptr_t block);
/* A slot that is not empty: what held it vanished without a free that we saw, or it is
 * watched. What stays in the slot is its flag, or nothing. */
void tracer_replaced(uintptr_t block, uint32_t *slot, uint32_t bucket);
/* A watched slot is emptied. The address may be that of a code object, whose end is
 * reported; or of a block that the program tracks in Python's own domain without one
 * of Python's there, which ends with a free of Python's allocators alone. */
uint32_t tracer_take_watched(uintptr_t block, uint32_t *slot, enum tracer_family by);

/* The bucket is that of the block's stack, domain and size: see bucket_table_find. */
static always_inline void tracer_insert(uintptr_t block, uint32_t bucket) {
    uint32_t *slot = block_map_find(block);
    if (unlikely(slot == NULL))
        slot = tracer_make_slot(block);
    if (unlikely(slot == NULL)) {
        tracer_lost_block(TRACEMALLOC_DUMP_LOST_MEMORY);
        return;
    }
    if (unlikely(*slot != 0))
        tracer_replaced(block, slot, bucket);
    if (unlikely(bucket == 0)) {
        tracer_lost_block(bucket_table.failure);
        return;
    }
    *slot |= bucket;
    bucket_table_count(bucket);
}

/* The block's slot is emptied; its bucket goes on counting it until tracer_discount or
 * put_back. 0: not traced. */
static always_inline uint32_t tracer_take_slot(uintptr_t block, uint32_t *slot,
                                               enum tracer_family by) {
    uint32_t bucket = *slot;
    if (unlikely(bucket & BLOCK_MAP_WATCHED))
        return tracer_take_watched(block, slot, by);
    *slot = 0;
    return bucket;
}

static always_inline uint32_t tracer_take(uintptr_t block, enum tracer_family by) {
    uint32_t *slot = block_map_find(block);
    return slot != NULL && *slot != 0 ? tracer_take_slot(block, slot, by) : 0;
}

static always_inline void tracer_discount(uint32_t bucket) {
    if (bucket != 0)
        bucket_table_discount(bucket);
}

static always_inline void tracer_put_back(uintptr_t block, uint32_t bucket) {
    if (bucket != 0)
        *block_map_find(block) |= bucket;
}

static always_inline void tracer_remove(uintptr_t block, enum tracer_family by) {
    tracer_discount(tracer_take(block, by));
}

/* The block, whose slot this is, belongs to the stack of this bucket of its domain and
 * size from now on. */
static always_inline void tracer_move(uint32_t *slot, uint32_t bucket) {
    uint32_t old = *slot & BLOCK_MAP_BUCKET;
    if (bucket == old || unlikely(old == 0 || bucket == 0))
        return;
    *slot = bucket | (*slot & BLOCK_MAP_WATCHED);
    bucket_table_transfer(old, bucket);
}

/* The program tracks a block (see PyTraceMalloc_Track): `domain` is an index in the
 * dump. What it tracked there before is replaced, in Python's own domain also the block
 * that Python's allocators gave. A block that libc gave is the program's from now on,
 * and is counted once. 0, or -ENOMEM. */
must_check int tracer_track(uint32_t domain, uintptr_t address, uint64_t size,
                            uint32_t stack);
void tracer_untrack(uint32_t domain, uintptr_t address);
/* The bucket that counts the block at this address in a domain, or 0. */
uint32_t tracer_find(uint32_t domain, uintptr_t address);
/* Flags the block of a code object, so that code_freed is called at its end. */
void tracer_watch_code(const void *code);
