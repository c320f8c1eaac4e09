/* SPDX-License-Identifier: MIT */
/* The life of a block, from its allocation to its free, and of a tracing, from start to
 * stop.
 *
 * The caller captures the stack; this layer takes its id and knows nothing of Python.
 * The functions of an event take the guard that tracer_enter returns. tracer_enter
 * takes the lock unless the process has one thread: glibc clears __libc_single_threaded
 * in pthread_create, so that flag cannot change during an event. With more threads the
 * lock is biased towards the holder of the GIL.
 *
 * A block leaves the map before its address can be reused. free: remove, then the real
 * free. realloc: take, then the real realloc, then insert the new block, or put_back if
 * the real realloc failed.
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
    /* Changes whenever the tables are emptied: an id of an older generation is invalid.
     * Protected by the lock. */
    uint32_t generation;
    uint32_t sample_distance; /* of this tracing; 0: every block is recorded */
    struct dump_file *dump;
    /* The program freed a watched address, which may be that of a code object. */
    void (*code_freed)(uintptr_t address);
    /* Called under the lock when the runtime begins to finalize, before the live counts
     * are copied; or NULL. */
    void (*before_freeze)(void);
};

extern internal struct tracer tracer;

/* The allocator whose function frees or resizes a block. */
enum tracer_family { TRACER_PYTHON, TRACER_LIBC };

struct tracer_start {
    unsigned granule;  /* alignment of the smallest blocks: 8 or 16 bytes */
    uint64_t max_file; /* bytes */
    void (*code_freed)(uintptr_t address);
    uint32_t sample_distance; /* mean, in bytes; 0: every block is recorded */
};

/* Finds glibc's flag, and whether the lock can be biased. Once, before there is a
 * second thread. */
void tracer_prepare(void);
/* If `shared`, every event assumes that the process has many threads. True at first.
 * Also in a signal handler. */
void tracer_share(bool shared);
/* Whether the process has one thread. While another thread calls tracer_share, both
 * answers are right. */
static always_inline bool tracer_is_alone(void) {
    return *__atomic_load_n(&tracer.single_threaded, __ATOMIC_RELAXED);
}

/* Allocates the tables and an empty dump in anonymous memory; tracer_activate starts
 * the recording. 0, or -errno with nothing changed. Under LOCK_CONTROL. */
must_check int tracer_open(const struct tracer_start *start);
void tracer_activate(void);
/* Stops the recording; the tables are unchanged. */
void tracer_deactivate(void);
/* Frees all tables. After tracer_deactivate. */
void tracer_close(void);
/* Drops all blocks and resets all counts; the recording continues. */
void tracer_clear(void);
/* Python's peak is what is live now. */
void tracer_reset_peak(void);
/* So is the peak of all bytes, which the dump's buckets refer to. */
void tracer_reset_peaks(void);
/* Copies the live counts into `at_exit`: the runtime is finalizing, and the blocks that
 * are live now are what users mean by "at exit". */
void tracer_freeze(void);
/* Asks the kernel how much of the tracer's private memory and of the program's mappings
 * is resident; writes that into the header and the reservations' buckets. Under the
 * lock, or with one thread. */
void tracer_measure(void);

/* Takes the lock in a thread that may not hold the GIL, and ends the lock's bias. The
 * caller has marked the thread as in the tracer. */
void tracer_lock(void);
void tracer_unlock(void);

/* Takes the lock of a process with more than one thread. event_begin has marked
 * `thread` as in the tracer; only tests pass NULL. `has_gil`: the thread holds the GIL
 * that the lock is biased to, and keeps it until tracer_leave. */
static always_inline struct event_guard tracer_enter_shared(struct thread_state *thread,
                                                            bool has_gil) {
    enum event_lock lock = EVENT_LOCKED;
    if (!has_gil)
        biased_lock_take(&tracer.lock);
    else if (biased_lock_is_biased(&tracer.lock) && biased_lock_enter(&tracer.lock))
        lock = EVENT_BIASED;
    else
        biased_lock_take_favoured(&tracer.lock);
    return (struct event_guard){thread, lock};
}

/* The same, if there is more than one thread. */
static always_inline struct event_guard tracer_enter(struct thread_state *thread,
                                                     bool has_gil) {
    if (likely(tracer_is_alone()))
        return (struct event_guard){thread, EVENT_ONE_THREAD};
    return tracer_enter_shared(thread, has_gil);
}

static always_inline void tracer_leave(struct event_guard guard) {
    if (guard.lock == EVENT_BIASED)
        biased_lock_leave(&tracer.lock);
    else if (unlikely(guard.lock == EVENT_LOCKED))
        biased_lock_release(&tracer.lock);
}

/* As tracer_enter, on the fast path. False, with nothing changed, if the thread would
 * have to wait. The thread holds the GIL, or the process has one thread. */
static always_inline bool tracer_enter_fast(void) {
    return likely(biased_lock_enter(&tracer.lock)) || tracer_is_alone();
}

/* Counts a block that is not recorded. `reason`: a TRACEMALLOC_DUMP_LOST_. */
void tracer_lost_block(struct event_guard guard, uint32_t reason);
/* Adds a chunk to the map. The block's slot; NULL if there is no memory. */
uint32_t *tracer_make_slot(struct event_guard guard, uintptr_t block);
/* Empties a slot for a new block of this bucket. The slot was in use because no hook
 * saw the last free there, or because the address is watched. */
void tracer_clear_slot(struct event_guard guard, uintptr_t block, uint32_t *slot,
                       uint32_t bucket);
/* Empties a watched slot. Reports the free of a code object. If the program tracks a
 * block at this address in Python's own domain, that block ends too, but only if a
 * function of Python's allocators freed it. Returns the bucket that the caller has to
 * uncount, or 0. */
uint32_t tracer_take_watched(struct event_guard guard, uintptr_t block, uint32_t *slot,
                             enum tracer_family by);

/* Records a new block. `bucket`: from bucket_table_find; 0 if that failed. */
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

/* Empties the block's slot. Returns its bucket, which still counts the block: the
 * caller passes it to tracer_uncount or tracer_put_back. 0: not traced. */
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

/* As tracer_uncount, for a block that was resized. Returns the epoch of its birth, or
 * TRACER_BORN_NOW if that is the present one. */
enum { TRACER_BORN_NOW = UINT8_MAX };
static always_inline uint8_t tracer_uncount_resized(struct event_guard guard,
                                                    uint32_t bucket) {
    event_guard_check(guard);
    if (bucket == 0)
        return TRACER_BORN_NOW;
    uint8_t birth = bucket_at(bucket)->birth;
    live_block_uncount_resized(bucket);
    return unlikely(birth != bucket_table.birth) ? birth : TRACER_BORN_NOW;
}
/* The block that was resized was born in that epoch. */
void tracer_keep_birth(struct event_guard guard, uintptr_t block, uint8_t birth);

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

/* As tracer_remove, on the fast path: see live_block_remove_fast. */
static always_inline bool tracer_remove_fast(struct event_guard guard, uint32_t *slot,
                                             bool is_temporary) {
    event_guard_check(guard);
    return live_block_remove_fast(slot, is_temporary);
}
static always_inline bool tracer_remove_near(struct event_guard guard, uint32_t *slot,
                                             bool is_temporary) {
    event_guard_check(guard);
    return live_block_remove_near(slot, is_temporary);
}

/* Counts a block of the bucket that was freed before its thread allocated another. */
static always_inline void
tracer_count_temporary(struct event_guard guard,
                       struct tracemalloc_dump_bucket *bucket) {
    event_guard_check(guard);
    live_block_count_temporary(bucket);
}

/* As tracer_insert, on the fast path: see live_block_add_fast. */
static always_inline bool tracer_insert_fast(struct event_guard guard, uintptr_t block,
                                             struct tracemalloc_dump_bucket *bucket,
                                             uint32_t id, uint64_t size) {
    event_guard_check(guard);
    return live_block_add_fast(block, bucket, id, size);
}
static always_inline bool tracer_insert_near(struct event_guard guard, uintptr_t block,
                                             uint32_t bucket, uint64_t size) {
    event_guard_check(guard);
    return live_block_add_near(block, bucket_at(bucket), bucket, size);
}

/* Moves the block to a bucket of another stack, of the same domain and size. */
static always_inline void tracer_move(struct event_guard guard, uint32_t *slot,
                                      uint32_t bucket) {
    uint32_t old = *slot & BLOCK_MAP_BUCKET;
    event_guard_check(guard);
    if (bucket != old && likely(old != 0 && bucket != 0))
        live_block_move(slot, bucket);
}

/* Tracks a block for the program (see PyTraceMalloc_Track). `domain`: an index in the
 * dump. The block replaces one that is tracked at this address in this domain; in
 * Python's own domain also the block of Python's allocators, and in all domains one of
 * libc's, so that no memory counts twice. 0, or -ENOMEM. */
must_check int tracer_track(struct event_guard guard, uint32_t domain,
                            uintptr_t address, uint64_t size, uint32_t stack);
void tracer_untrack(struct event_guard guard, uint32_t domain, uintptr_t address);
/* The bucket that counts the block at this address in a domain, or 0. */
uint32_t tracer_find(struct event_guard guard, uint32_t domain, uintptr_t address);
/* For a process that samples: a block is inserted; one that tracer_take took is
 * replaced by another; one is removed. */
void tracer_insert_sampled(struct event_guard guard, uintptr_t block, uint32_t bucket);
void tracer_replaced_sampled(struct event_guard guard, uintptr_t block,
                             uint32_t bucket);
void tracer_remove_sampled(struct event_guard guard, uintptr_t block,
                           enum tracer_family by);
/* The program tracks a block that is not sampled: what was at the address before is
 * replaced, as by tracer_track. */
void tracer_track_unsampled(struct event_guard guard, uint32_t domain,
                            uintptr_t address);
/* Watches the block of a code object: its free calls code_freed. */
void tracer_watch_code(const void *code);
