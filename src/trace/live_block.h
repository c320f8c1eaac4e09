/* SPDX-License-Identifier: MIT */
/* A live block: the slot of the block map that names its bucket, and what the bucket
 * and the header count. This file alone writes either; the fast path and the slow path
 * of an event share it.
 *
 *                          the slot           counters
 *   live_block_add         0 -> bucket        + 1 block
 *   live_block_remove_near bucket -> 0        - 1 block
 *   live_block_take        bucket -> 0        unchanged: put back or uncounted next
 *   live_block_put_back    0 -> bucket        unchanged
 *   live_block_move        old -> bucket      1 block from the old bucket to the new
 *   live_block_age         old -> bucket      the same, of another epoch of birth
 *   live_block_count       none               + 1 block
 *   live_block_uncount     none               - 1 block
 *
 * A slot's flag BLOCK_MAP_WATCHED is about the address, not the block: add, put_back
 * and move leave it unchanged. Under the tracer's lock, or with one thread; in every
 * event, so all of it is inline.
 *
 * The peak costs no copy. The first decrease after the total was more than ever before
 * ends a peak: the header's stamp goes up, and a bucket that changes for the first time
 * since then first notes what it held, which is what it held at the peak:
 *
 *   total   a _/\_ b      bucket changes at c, its stamp older than the peak's:
 *             ^    \c       peak_live = live (unchanged since ^), stamp = header's
 *
 * The begin of an epoch raises the stamp too, and then the bucket's change in its last
 * epoch is added to the history of its site (see dump/dump_history.h).
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_temporary.h"
#include "trace/block_map.h"
#include "trace/bucket_table.h"

/* --- the counters ----------------------------------------------------------------- */

static always_inline bool
live_block_is_of_earlier_epoch(const struct tracemalloc_dump_bucket *bucket) {
    return dump_history_is_older(bucket->stamp, bucket_table.epoch_stamp);
}

static always_inline void live_block_note_peak(struct tracemalloc_dump_bucket *bucket) {
    if (dump_history_is_older(bucket->stamp, bucket_table.header->peak_number))
        bucket->peak_live = bucket->live;
    bucket->stamp = bucket_table.header->stamp;
}

/* Notes what the bucket held, before its first change since the last peak or since an
 * epoch began. */
static always_inline void live_block_note(struct tracemalloc_dump_bucket *bucket) {
    if (unlikely(bucket->stamp != bucket_table.header->stamp)) {
        if (unlikely(live_block_is_of_earlier_epoch(bucket)))
            bucket_table_begin_epoch(bucket);
        live_block_note_peak(bucket);
    }
}

/* As live_block_note; makes no calls. False, with nothing changed, if an epoch began
 * since the bucket last changed. */
static always_inline bool live_block_note_fast(struct tracemalloc_dump_bucket *bucket) {
    if (unlikely(bucket->stamp != bucket_table.header->stamp)) {
        if (unlikely(live_block_is_of_earlier_epoch(bucket)))
            return false;
        live_block_note_peak(bucket);
    }
    return true;
}

/* Ends a peak, if there is one, before the bytes decrease. Nearly always one comparison
 * says that there is none: with a limit that only Python's bytes pass, and that is 0,
 * as if unknown, once the others have increased. */
static always_inline void live_block_end_peak(struct tracemalloc_dump_header *header) {
    uint64_t python = header->python_bytes, native = header->native_bytes;
    if (likely(python <= bucket_table.bytes_without_peak))
        return;
    if (python > header->python_peak_bytes)
        header->python_peak_bytes = python;
    if (python + native > header->peak_bytes) {
        header->peak_bytes = python + native;
        header->peak_number = ++header->stamp;
    }
    uint64_t limit = header->peak_bytes - native;
    bucket_table.bytes_without_peak =
        limit < header->python_peak_bytes ? limit : header->python_peak_bytes;
}

/* Python's peak is what is live now. */
static inline void live_block_reset_peak(struct tracemalloc_dump_header *header) {
    header->python_peak_bytes = header->python_bytes;
    bucket_table.bytes_without_peak = 0;
}

/* As live_block_reset_peak, and of all bytes, to which the buckets refer. No bucket has
 * changed since the new stamp, so what each holds now is what it held at the peak. */
static inline void live_block_reset_peaks(struct tracemalloc_dump_header *header) {
    live_block_reset_peak(header);
    header->peak_bytes = header->python_bytes + header->native_bytes;
    header->peak_number = ++header->stamp;
}

/* Counts a block in the bucket's total. */
static always_inline void live_block_add_total(struct tracemalloc_dump_bucket *bucket) {
    if (unlikely(++bucket->total == 0))
        bucket_table_carry(bucket);
}

/* Whether the bucket counts for the header's bytes of Python, or for all others. */
static always_inline bool
live_block_is_python(const struct tracemalloc_dump_bucket *bucket) {
    return likely((bucket->site & TRACEMALLOC_DUMP_NOT_PYTHON) == 0) ||
           is_python(bucket_site(bucket)->domain);
}

static always_inline void
live_block_add_bytes(const struct tracemalloc_dump_bucket *bucket, uint64_t bytes) {
    if (live_block_is_python(bucket)) {
        bucket_table.header->python_bytes += bytes;
        return;
    }
    uint64_t limit = bucket_table.bytes_without_peak;
    bucket_table.bytes_without_peak = limit > bytes ? limit - bytes : 0;
    bucket_table.header->native_bytes += bytes;
}

static always_inline void
live_block_subtract_bytes(const struct tracemalloc_dump_bucket *bucket,
                          uint64_t bytes) {
    if (live_block_is_python(bucket))
        bucket_table.header->python_bytes -= bytes;
    else
        bucket_table.header->native_bytes -= bytes;
}

/* Counts a new block of the bucket. */
static always_inline void live_block_count(uint32_t id) {
    struct tracemalloc_dump_bucket *bucket = bucket_at(id);
    live_block_note(bucket);
    bucket->live++;
    live_block_add_total(bucket);
    live_block_add_bytes(bucket, bucket->size);
}

/* Counts that a block was freed, after live_block_note. */
static always_inline void live_block_subtract(struct tracemalloc_dump_bucket *bucket) {
    bucket->live--;
    live_block_subtract_bytes(bucket, bucket->size);
}

/* Counts that a block of the bucket was freed. */
static always_inline void live_block_uncount(uint32_t id) {
    struct tracemalloc_dump_bucket *bucket = bucket_at(id);
    live_block_end_peak(bucket_table.header);
    live_block_note(bucket);
    live_block_subtract(bucket);
}

/* As live_block_uncount, of a block that goes on with another size: to the history of
 * its site its bytes vanish now, but it did not die. */
static always_inline void live_block_uncount_resized(uint32_t id) {
    struct tracemalloc_dump_bucket *bucket = bucket_at(id);
    if (unlikely(bucket->birth != bucket_table.birth)) {
        live_block_end_peak(bucket_table.header);
        live_block_note(bucket);
        bucket_table_note_resize(bucket, -1);
    }
    live_block_uncount(id);
}

/* As live_block_uncount_resized, and takes the block out of the total too: the caller
 * counts it again with another size. */
static always_inline void live_block_retract(uint32_t id) {
    live_block_uncount_resized(id);
    if (bucket_at(id)->total > 0)
        bucket_at(id)->total--;
}

/* --- the slot and the counters ---------------------------------------------------- */

/* Inserts a new block. The slot must hold no bucket. */
static always_inline void live_block_add(uint32_t *slot, uint32_t bucket) {
    assert((*slot & BLOCK_MAP_BUCKET) == 0);
    *slot |= bucket;
    live_block_count(bucket);
}

/* As live_block_add, for a block of this size in Python's domain, with the bucket of
 * this id; makes no calls. False, with nothing changed, if the slot is missing or in
 * use, or if an epoch began since the bucket last changed. For granules of
 * BLOCK_MAP_GRANULE. */
static always_inline bool live_block_add_near(uintptr_t block,
                                              struct tracemalloc_dump_bucket *bucket,
                                              uint32_t id, uint64_t size) {
    uint32_t *slot = block_map_find_fast(block);
    if (unlikely(slot == NULL || *slot != 0 || !live_block_note_fast(bucket)))
        return false;
    *slot = id;
    bucket_table.header->python_bytes += size;
    bucket->live++;
    live_block_add_total(bucket);
    return true;
}

/* As live_block_add_near, but false also if there was a peak since the bucket last
 * changed. So it needs the fewest registers. */
static always_inline bool live_block_add_fast(uintptr_t block,
                                              struct tracemalloc_dump_bucket *bucket,
                                              uint32_t id, uint64_t size) {
    struct tracemalloc_dump_header *header = bucket_table.header;
    uint32_t *slot = block_map_find_fast(block);
    if (unlikely(slot == NULL || *slot != 0 || bucket->stamp != header->stamp))
        return false;
    *slot = id;
    header->python_bytes += size;
    bucket->live++;
    live_block_add_total(bucket);
    return true;
}

/* Empties the slot. Returns the bucket, which still counts the block. */
static always_inline uint32_t live_block_take(uint32_t *slot) {
    uint32_t bucket = *slot & BLOCK_MAP_BUCKET;
    *slot = 0;
    return bucket;
}

/* As live_block_take, but leaves the flag BLOCK_MAP_WATCHED unchanged. */
static always_inline uint32_t live_block_take_watched(uint32_t *slot) {
    uint32_t bucket = *slot & BLOCK_MAP_BUCKET;
    *slot &= BLOCK_MAP_WATCHED;
    return bucket;
}

/* Undoes live_block_take. */
static always_inline void live_block_put_back(uint32_t *slot, uint32_t bucket) {
    assert((*slot & BLOCK_MAP_BUCKET) == 0);
    *slot |= bucket;
}

/* Counts a block that was freed before its thread allocated another. Makes no calls. */
static always_inline void
live_block_count_temporary(struct tracemalloc_dump_bucket *bucket) {
    if (unlikely(dump_temporary_add(bucket)))
        dump_temporary_fold(bucket_site(bucket), bucket, DUMP_TEMPORARY_LIMIT);
}

/* Removes a block; makes no calls. False, with the block unchanged, if the slot is
 * empty or watched, or if an epoch began since the bucket last changed. */
static always_inline bool live_block_remove_near(uint32_t *slot, bool is_temporary) {
    uint32_t id = *slot;
    if (unlikely(id == 0 || id & BLOCK_MAP_WATCHED))
        return false;
    struct tracemalloc_dump_bucket *bucket = bucket_at(id);
    live_block_end_peak(bucket_table.header);
    if (unlikely(!live_block_note_fast(bucket)))
        return false;
    *slot = 0;
    live_block_subtract(bucket);
    if (is_temporary)
        live_block_count_temporary(bucket);
    return true;
}

/* As live_block_remove_near, but false also if a peak ends here or ended since the
 * bucket last changed, if the block is not Python's, or if the count of temporary
 * blocks is full. So it needs the fewest registers. */
static always_inline bool live_block_remove_fast(uint32_t *slot, bool is_temporary) {
    struct tracemalloc_dump_header *header = bucket_table.header;
    uint64_t python = header->python_bytes;
    uint32_t id = *slot;
    if (unlikely(id == 0 || id & BLOCK_MAP_WATCHED))
        return false;
    struct tracemalloc_dump_bucket *bucket = bucket_at(id);
    if (unlikely(python > bucket_table.bytes_without_peak ||
                 bucket->stamp != header->stamp ||
                 (bucket->site & TRACEMALLOC_DUMP_NOT_PYTHON) != 0))
        return false;
    if (is_temporary && unlikely(!dump_temporary_try_add(bucket)))
        return false;
    *slot = 0;
    bucket->live--;
    header->python_bytes = python - bucket->size;
    return true;
}

/* Moves the block to another bucket of the same size and domain. The header's totals
 * and the peak are unchanged. */
static always_inline void live_block_move(uint32_t *slot, uint32_t bucket) {
    struct tracemalloc_dump_bucket *from = bucket_at(*slot & BLOCK_MAP_BUCKET);
    struct tracemalloc_dump_bucket *to = bucket_at(bucket);
    *slot = bucket | (*slot & BLOCK_MAP_WATCHED);
    live_block_note(from);
    live_block_note(to);
    from->live--;
    to->live++;
    live_block_add_total(to);
}

/* The block was born in an epoch before this one: `bucket` is that of the same site and
 * size. */
static always_inline void live_block_age(uint32_t *slot, uint32_t bucket) {
    struct tracemalloc_dump_bucket *from = bucket_at(*slot & BLOCK_MAP_BUCKET);
    live_block_move(slot, bucket);
    if (from->total > 0)
        from->total--;
    bucket_table_note_resize(bucket_at(bucket), 1);
}

/* Requests a notice of the next free at this address: see tracer_take_watched. */
static always_inline void live_block_watch(uint32_t *slot) {
    *slot |= BLOCK_MAP_WATCHED;
}
