/* SPDX-License-Identifier: MIT */
/* The life of a block, from its allocation to its free, and of the tracing, from start
 * to stop.
 *
 * Capturing a stack is the caller's: this layer takes the id of a stack and knows no
 * Python. The functions of an event take the guard that tracer_enter returns. It takes
 * the lock, but not while the process has one thread: glibc clears
 * __libc_single_threaded in pthread_create, so that flag cannot change during an event.
 * With more threads the lock is biased towards the holder of the GIL.
 *
 * Ordering law: a block leaves the map before its address can be reused. free: remove,
 * then the real free. realloc: take, then the real realloc, then insert the new block,
 * or put_back when that failed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/biased_lock.h"
#include "trace/block_map.h"
#include "trace/bucket_table.h"
#include "trace/event_guard.h"
#include "trace/gate.h"
#include "trace/live_block.h"

struct tracer {
    const char *single_threaded; /* glibc's flag, or a constant 0 */
    struct biased_lock lock;     /* protects all tables and the dump */
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

/* Finds glibc's flag, and whether the lock can be biased. Once, before there is a
 * second thread. */
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

/* Takes the lock, whatever thread it is, and ends its bias. The thread is marked as in
 * the tracer. */
void tracer_lock(void);
void tracer_unlock(void);

/* Takes the lock, if there is more than one thread. `thread` is marked as in the
 * tracer, by event_begin; tests alone have none. `has_gil`: it holds the GIL that the
 * lock is biased to, and does not give it up before tracer_leave. */
static always_inline struct event_guard tracer_enter(struct thread_state *thread,
                                                     bool has_gil) {
    enum event_lock lock = EVENT_LOCKED;
    if (likely(*tracer.single_threaded)) {
        lock = EVENT_ONE_THREAD;
        if (has_gil)
            biased_lock_bias(&tracer.lock);
    } else if (!has_gil)
        biased_lock_take(&tracer.lock);
    else if (biased_lock_is_biased(&tracer.lock) && biased_lock_enter(&tracer.lock))
        lock = EVENT_BIASED;
    else
        biased_lock_take_favoured(&tracer.lock);
    return (struct event_guard){thread, lock};
}

static always_inline void tracer_leave(struct event_guard guard) {
    if (guard.lock == EVENT_BIASED)
        biased_lock_leave(&tracer.lock);
    else if (unlikely(guard.lock == EVENT_LOCKED))
        biased_lock_release(&tracer.lock);
}

/* As tracer_enter, on the fast path: false, with nothing done, if that would take time.
 * The thread holds the GIL, or there is no other. */
static always_inline bool tracer_enter_fast(void) {
    return likely(biased_lock_enter(&tracer.lock)) || *tracer.single_threaded;
}

/* A block is not recorded. `reason`: a TRACEMALLOC_DUMP_LOST_. */
void tracer_lost_block(struct event_guard guard, uint32_t reason);
/* The slot of a block where nothing near was ever inserted; NULL without memory. */
uint32_t *tracer_make_slot(struct event_guard guard, uintptr_t block);
/* Empties a slot for a block of this bucket: what held the slot vanished without a free
 * that we saw, or the address is watched, and may stay so. */
void tracer_clear_slot(struct event_guard guard, uintptr_t block, uint32_t *slot,
                       uint32_t bucket);
/* A watched slot is emptied. The address may be that of a code object, whose end is
 * reported; or of a block that the program tracks in Python's own domain without one
 * of Python's there, which ends with a free of Python's allocators alone. */
uint32_t tracer_take_watched(struct event_guard guard, uintptr_t block, uint32_t *slot,
                             enum tracer_family by);

/* The bucket is that of the block's stack, domain and size: see bucket_table_find. */
static always_inline void tracer_insert(struct event_guard guard, uintptr_t block,
                                        uint32_t bucket) {
    event_guard_check(guard);
    uint32_t *slot = block_map_find(block);
    if (unlikely(slot == NULL))
        slot = tracer_make_slot(guard, block);
    if (unlikely(slot == NULL)) {
        tracer_lost_block(guard, TRACEMALLOC_DUMP_LOST_MEMORY);
        return;
    }
    if (unlikely(*slot != 0))
        tracer_clear_slot(guard, block, slot, bucket);
    if (unlikely(bucket == 0)) {
        tracer_lost_block(guard, bucket_table.failure);
        return;
    }
    live_block_add(slot, bucket);
}

/* The block's slot is emptied; its bucket goes on counting it until tracer_uncount or
 * put_back. 0: not traced. */
static always_inline uint32_t tracer_take_slot(struct event_guard guard,
                                               uintptr_t block, uint32_t *slot,
                                               enum tracer_family by) {
    event_guard_check(guard);
    if (unlikely(*slot & BLOCK_MAP_WATCHED))
        return tracer_take_watched(guard, block, slot, by);
    return live_block_take(slot);
}

static always_inline uint32_t tracer_take(struct event_guard guard, uintptr_t block,
                                          enum tracer_family by) {
    uint32_t *slot = block_map_find(block);
    return slot != NULL && *slot != 0 ? tracer_take_slot(guard, block, slot, by) : 0;
}

static always_inline void tracer_uncount(struct event_guard guard, uint32_t bucket) {
    event_guard_check(guard);
    if (bucket != 0)
        live_block_uncount(bucket);
}

static always_inline void tracer_put_back(struct event_guard guard, uintptr_t block,
                                          uint32_t bucket) {
    event_guard_check(guard);
    if (bucket != 0)
        live_block_put_back(block_map_find(block), bucket);
}

static always_inline void tracer_remove(struct event_guard guard, uintptr_t block,
                                        enum tracer_family by) {
    tracer_uncount(guard, tracer_take(guard, block, by));
}

/* As tracer_remove, on the fast path. False, with nothing changed: the slot is empty or
 * watched. */
static always_inline bool tracer_remove_fast(struct event_guard guard, uint32_t *slot) {
    event_guard_check(guard);
    return live_block_remove_fast(slot);
}

/* As tracer_insert, on the fast path, for blocks of this size in Python's domain.
 * False, with nothing changed: the slot is missing or in use. */
static always_inline bool tracer_insert_fast(struct event_guard guard, uintptr_t block,
                                             uint32_t bucket, uint64_t size) {
    event_guard_check(guard);
    return live_block_add_fast(block, bucket, size);
}

/* The block, whose slot this is, belongs to the stack of this bucket of its domain and
 * size from now on. */
static always_inline void tracer_move(struct event_guard guard, uint32_t *slot,
                                      uint32_t bucket) {
    uint32_t old = *slot & BLOCK_MAP_BUCKET;
    event_guard_check(guard);
    if (bucket != old && likely(old != 0 && bucket != 0))
        live_block_move(slot, bucket);
}

/* The program tracks a block (see PyTraceMalloc_Track): `domain` is an index in the
 * dump. What it tracked there before is replaced, in Python's own domain also the block
 * that Python's allocators gave. A block that libc gave is the program's from now on,
 * and is counted once. 0, or -ENOMEM. */
must_check int tracer_track(struct event_guard guard, uint32_t domain,
                            uintptr_t address, uint64_t size, uint32_t stack);
void tracer_untrack(struct event_guard guard, uint32_t domain, uintptr_t address);
/* The bucket that counts the block at this address in a domain, or 0. */
uint32_t tracer_find(struct event_guard guard, uint32_t domain, uintptr_t address);
/* Flags the block of a code object, so that code_freed is called at its end. */
void tracer_watch_code(const void *code);
