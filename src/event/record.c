/* SPDX-License-Identifier: MIT */
#include "event/record.h"

#include <errno.h>
#include <string.h>

uintptr_t record_last_block;
enum record_direct record_direct;
bool record_asleep;
bool (*record_wake)(void);
void (*record_request)(void);

cold_path void record_finalizing(void) {
    record_python_never_finalizing();
    if (gate.active)
        tracer_freeze();
}

/* The slot cannot be emptied here, for the interrupted code may be at work on it. */
static void defer(struct thread_state *self, uintptr_t block, enum tracer_family by) {
    self->put_off = true;
    if (self->deferred_count < THREAD_STATE_DEFERRED)
        self->deferred[self->deferred_count++] = block | by;
    else
        self->lost++;
}

static void tell_lost(struct thread_state *self) {
    bool locked = record_enter(self);
    if (gate.active)
        tracer.dump->header->lost[TRACEMALLOC_DUMP_LOST_NESTED] += self->lost;
    self->lost = 0;
    tracer_leave(locked);
    self->inside = false;
}

void record_open_window(struct thread_state *self) {
    if (signal_window_open(!self->ended))
        self->put_off = true;
}

static void do_deferred(struct thread_state *self) {
    while (self->deferred_count > 0) {
        uintptr_t block = self->deferred[--self->deferred_count];
        record_remove((const void *)(block & ~(uintptr_t)1), block & 1);
    }
    if (self->lost > 0)
        tell_lost(self);
    if (self->request_put_off) {
        self->request_put_off = false;
        record_request();
    }
}

/* The window stays open for all of it. */
void record_deferred(struct thread_state *self) {
    self->put_off = false;
    do_deferred(self);
    if (signal_window_is_open())
        signal_window_close();
}

static always_inline void remove_slot(struct thread_state *self, uintptr_t block,
                                      uint32_t *slot, enum tracer_family by,
                                      bool locked) {
    if (likely(gate.active && *slot != 0))
        tracer_discount(tracer_take_slot(block, slot, by));
    record_leave(self, locked);
}

/* The thread has no state yet, or was interrupted inside the tracer. */
static cold_path void remove_first(uintptr_t block, uint32_t *slot,
                                   enum tracer_family by) {
    struct thread_state *self = thread_state_get();
    if (self->inside)
        defer(self, block, by);
    else if (gate.active)
        remove_slot(self, block, slot, by, record_enter(self));
}

void record_remove(const void *block, enum tracer_family by) {
    struct thread_state *self = thread_state_own;
    uintptr_t address = (uintptr_t)block;
    uint32_t *slot = block_map_find(address);
    if (unlikely(slot == NULL || *slot == 0))
        return;
    if (unlikely(thread_state_is_inside(self)))
        remove_first(address, slot, by);
    else if (unlikely(!gate.active))
        return;
    else if (record_enter(self))
        remove_slot(self, address, slot, by, true);
    else
        remove_slot(self, address, slot, by, false);
}

/* The interrupted code may hold the lock: the header is written later. */
struct thread_state *record_not_free(struct thread_state *self) {
    if (self == &thread_state_none)
        self = thread_state_get();
    if (thread_state_is_free(self))
        return self;
    if (!self->nested) {
        self->lost++;
        self->put_off = true;
    }
    return NULL;
}

struct thread_state *record_begin_call(int *status) {
    *status = -EALREADY;
    if (!record_active())
        return NULL;
    struct thread_state *self = thread_state_get();
    if (!self->inside)
        return self;
    *status = -EBUSY;
    self->lost++;
    self->put_off = true;
    return NULL;
}

void record_forget(struct thread_state *self) {
    memset(&self->known, 0, sizeof self->known);
    self->known.epoch = self->python.epoch;
}

/* The next event of this leaf and size takes the usual path. */
static void learn(struct thread_state *self, uint32_t bucket, uint64_t size) {
    const struct python_frame *leaf = self->python.leaf;
    if (leaf == NULL || bucket == 0)
        return;
    *record_cache_entry(&self->known, leaf->parent, leaf->ip, size) =
        (struct record_known){leaf->ip, size, leaf->parent, leaf->node, bucket, 0};
}

static uint32_t find_bucket(struct thread_state *self, uint64_t size, uint32_t stack) {
    uint32_t bucket = bucket_table_last(stack, size);
    if (bucket == 0)
        bucket = bucket_cache_find(&self->buckets, stack,
                                   TRACEMALLOC_DUMP_DOMAIN_PYTHON, size);
    learn(self, bucket, size);
    return bucket;
}

/* The leaf is another one than before, nearby; 0 when it is not. */
static always_inline uint32_t nearby_bucket(struct thread_state *self, uint64_t size) {
    const char *tstate = self->python.leaf != NULL ? *self->current : NULL;
    const char *frame =
        tstate != NULL ? python_stack_leaf(&python_walk.layout, tstate) : NULL;
    struct python_frame *leaf =
        frame != NULL ? python_stack_step(&self->python, frame) : NULL;
    if (unlikely(leaf == NULL)) {
        self->python.leaf = NULL;
        return 0;
    }
    const struct record_known *known =
        record_known_at(&python_walk.layout, self, leaf, size);
    return likely(known != NULL)
               ? known->bucket
               : find_bucket(self, size, python_stack_resolve(&self->python));
}

void *record_made_nearby(struct thread_state *self, void *block, size_t size,
                         enum record_stack how) {
    uint32_t bucket =
        likely(*record_python.finalizing == NULL) ? nearby_bucket(self, size) : 0;
    if (unlikely(bucket == 0))
        return record_made_slow_path(self, block, size, how);
    return record_fast(self, block, size, how, bucket);
}

/* With many threads this is the way of all events, and the usual ones among them are as
 * before. */
static always_inline uint32_t threads_bucket(struct thread_state *self, uint64_t size) {
    const struct record_known *known =
        likely(record_direct == RECORD_RECENT)
            ? record_known_again(&python_recent_layout, self, size)
            : record_known_again(&python_walk.layout, self, size);
    return likely(known != NULL) ? known->bucket : nearby_bucket(self, size);
}

void *record_made_slow_path(struct thread_state *self, void *block, size_t size,
                            enum record_stack how) {
    bool locked = record_enter(self);
    if (likely(gate.active)) {
        bool usual =
            locked && how == RECORD_WITH_GIL && record_direct != RECORD_INDIRECT;
        uint32_t bucket = usual ? threads_bucket(self, size) : 0;
        if (bucket == 0)
            bucket = find_bucket(self, size, record_stack(self, how));
        tracer_insert((uintptr_t)block, bucket);
        if (how == RECORD_WITH_GIL)
            record_last_block = (uintptr_t)block;
        timeline_event();
    }
    record_leave(self, locked);
    return block;
}

/* In the domain that the block is of. */
static uint32_t moved_bucket(struct thread_state *self, uint32_t old) {
    const struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + old;
    bool is_usual = (bucket->site & TRACEMALLOC_DUMP_NOT_PYTHON) == 0;
    uint32_t moved = is_usual && record_direct != RECORD_INDIRECT
                         ? nearby_bucket(self, bucket->size)
                         : 0;
    if (moved != 0)
        return moved;
    uint32_t stack = record_stack(self, RECORD_WITH_GIL);
    return is_usual ? find_bucket(self, bucket->size, stack)
                    : bucket_cache_find(&self->buckets, stack,
                                        bucket_site(bucket)->domain, bucket->size);
}

void record_moved_slow_path(struct thread_state *self, uint32_t *slot) {
    bool locked = record_enter(self);
    uint32_t old = *slot & BLOCK_MAP_BUCKET;
    if (gate.active && old != 0)
        tracer_move(slot, moved_bucket(self, old));
    record_leave(self, locked);
}

void *record_tick(struct thread_state *self, void *block) {
    timeline_tick();
    record_leave(self, false);
    return block;
}

void *record_put_off(struct thread_state *self, void *block) {
    record_deferred(self);
    return block;
}
