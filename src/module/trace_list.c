/* SPDX-License-Identifier: MIT */
#include "module/trace_list.h"

#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/id_table.h"
#include "base/limits.h"
#include "module/traceback_object.h"
#include "stack/python/python_api.h"

/* TEXT_UNIT: strings of the dump begin at its multiples. */
enum { TEXT_UNIT = 4, FIRST_SLOTS = 1024 };

/* Objects by the ids of the dump, created when they are first needed; each array owns a
 * reference. A node of the stacks has its own frame, and the traceback that ends in it.
 * The indices find the first node with an equal frame or traceback. */
struct trace_list {
    const struct dump_view *view;
    bool has_total;
    void **names; /* by string, in TEXT_UNITs */
    void **frames;
    void **tracebacks;
    uint32_t *depths; /* number of Python frames, from the root to the node */
    struct id_table frame_index;
    void **traces; /* by bucket, of those that may be equal to others */
    struct id_table traceback_index;
    struct id_table trace_index; /* to the index of the bucket + 1 */
    void **window;               /* the frames of one traceback, borrowed */
    void *list;
    ptrdiff_t length; /* of the list, so far */
};

static bool is_native(const struct trace_list *self, uint32_t stack) {
    return (self->view->stacks[stack].code & TRACEMALLOC_DUMP_NATIVE) != 0;
}

static uint32_t filename_of(const struct trace_list *self, uint32_t stack) {
    return self->view->code[self->view->stacks[stack].code].filename;
}

/* Borrowed. */
static void *name_object(struct trace_list *self, uint32_t string) {
    void **name = self->names + string / TEXT_UNIT;
    if (*name == NULL) {
        const unsigned char *text = self->view->strings + string;
        uint32_t length;
        memcpy(&length, text, sizeof length);
        *name = traceback_object_text((const char *)text + sizeof length, length);
    }
    return *name;
}

static void *make_frame(struct trace_list *self, uint32_t stack) {
    void *name = name_object(self, filename_of(self, stack));
    if (name != NULL)
        python_api.increase(name);
    return traceback_object_frame(name, self->view->stacks[stack].line);
}

/* A node that already has a frame equal to this one's, or 0. */
static uint32_t find_frame(const struct trace_list *self, uint64_t hash,
                           uint32_t stack) {
    struct id_probe probe;
    uint32_t id;
    id_probe_start(&probe, &self->frame_index, hash);
    while ((id = id_probe_next(&probe)) != 0)
        if (self->view->stacks[id].line == self->view->stacks[stack].line &&
            filename_of(self, id) == filename_of(self, stack))
            break;
    return id;
}

/* Of a Python node; borrowed. */
static void *frame_object(struct trace_list *self, uint32_t stack) {
    if (self->frames[stack] != NULL)
        return self->frames[stack];
    uint64_t hash = hash_pair(filename_of(self, stack), self->view->stacks[stack].line);
    uint32_t equal = find_frame(self, hash, stack);
    if (equal == 0) {
        self->frames[stack] = make_frame(self, stack);
        /* One that does not fit in the index is just created again. */
        if (self->frames[stack] != NULL)
            (void)!id_table_add(&self->frame_index, hash, stack);
    } else {
        python_api.increase(self->frames[equal]);
        self->frames[stack] = self->frames[equal];
    }
    return self->frames[stack];
}

/* Fills the window with the frames that are shown, innermost first. Their number; -1
 * with an exception set. */
static int64_t fill_window(struct trace_list *self, uint32_t stack) {
    uint32_t length = 0;
    for (; stack != 0 && length < self->view->nframe;
         stack = self->view->stacks[stack].parent) {
        if (is_native(self, stack))
            continue;
        void *frame = frame_object(self, stack);
        if (frame == NULL)
            return -1;
        self->window[length++] = frame;
    }
    return length;
}

static void *make_traceback(const struct trace_list *self, uint32_t length) {
    void *tuple = python_api.tuple_new(length);
    if (tuple == NULL)
        return NULL;
    python_api.untrack(tuple);
    for (uint32_t i = 0; i < length; i++) {
        python_api.increase(self->window[i]);
        python_api.tuple_set(tuple, i, self->window[i]);
    }
    return tuple;
}

/* Whether the traceback of a stack is the window: equal frames are the same object. */
static bool has_window(const struct trace_list *self, uint32_t stack, uint32_t length) {
    uint32_t shown = self->depths[stack];
    if (limits_window(shown, self->view->nframe) != length)
        return false;
    for (uint32_t i = 0; i < length; i++)
        if (python_api.tuple_get(self->tracebacks[stack], i) != self->window[i])
            return false;
    return true;
}

static uint64_t hash_window(const struct trace_list *self, uint32_t length) {
    return hash_bytes(self->window, length * sizeof *self->window, 0);
}

/* Stacks that differ only further out than the limit, or in native frames, have equal
 * tracebacks. */
static void *shared_traceback(struct trace_list *self, uint32_t stack,
                              uint32_t length) {
    struct id_probe probe;
    uint64_t hash = hash_window(self, length);
    uint32_t id;
    id_probe_start(&probe, &self->traceback_index, hash);
    while ((id = id_probe_next(&probe)) != 0)
        if (has_window(self, id, length)) {
            python_api.increase(self->tracebacks[id]);
            return self->tracebacks[id];
        }
    void *traceback = make_traceback(self, length);
    if (traceback != NULL)
        (void)!id_table_add(&self->traceback_index, hash, stack);
    return traceback;
}

static bool may_be_shared(const struct trace_list *self, uint32_t stack) {
    return self->depths[stack] > self->view->nframe || self->view->has_native;
}

static void *new_traceback(struct trace_list *self, uint32_t stack) {
    uint32_t depth = self->depths[stack];
    if (depth == 0)
        return traceback_object_unknown();
    int64_t length = fill_window(self, stack);
    if (length < 0)
        return NULL;
    if (may_be_shared(self, stack))
        return shared_traceback(self, stack, (uint32_t)length);
    return make_traceback(self, (uint32_t)length);
}

/* Borrowed. */
static void *traceback_object(struct trace_list *self, uint32_t stack) {
    if (self->tracebacks[stack] == NULL)
        self->tracebacks[stack] = new_traceback(self, stack);
    return self->tracebacks[stack];
}

/* (domain, size, traceback), and from 3.9 on the number of frames in all. */
static void *make_trace(struct trace_list *self,
                        const struct dump_view_bucket *bucket) {
    void *traceback = traceback_object(self, bucket->stack);
    uint32_t depth = self->depths[bucket->stack];
    void *tuple =
        traceback != NULL ? python_api.tuple_new(self->has_total ? 4 : 3) : NULL;
    if (tuple == NULL)
        return NULL;
    python_api.untrack(tuple);
    python_api.increase(traceback);
    bool complete =
        python_api_put(tuple, 2, traceback) &&
        python_api_put(tuple, 0, python_api.long_from_size(bucket->domain)) &&
        python_api_put(tuple, 1, python_api.long_from_size(bucket->size));
    if (self->has_total)
        complete =
            complete &&
            python_api_put(tuple, 3, python_api.long_from_size(depth ? depth : 1));
    if (complete)
        return tuple;
    python_api.decrease(tuple);
    return NULL;
}

/* Whether two buckets have equal traces. */
static bool is_equal(const struct trace_list *self,
                     const struct dump_view_bucket *bucket,
                     const struct dump_view_bucket *other) {
    return self->tracebacks[bucket->stack] == self->tracebacks[other->stack] &&
           self->depths[bucket->stack] == self->depths[other->stack] &&
           bucket->size == other->size && bucket->domain == other->domain;
}

/* With a low limit on frames many buckets differ only in what is not shown. */
static void *shared_trace(struct trace_list *self,
                          const struct dump_view_bucket *bucket) {
    struct id_probe probe;
    uint64_t hash = hash_pair((uintptr_t)traceback_object(self, bucket->stack),
                              bucket->size << 16 ^ self->depths[bucket->stack]);
    uint32_t id;
    id_probe_start(&probe, &self->trace_index, hash);
    while ((id = id_probe_next(&probe)) != 0)
        if (is_equal(self, bucket, &self->view->buckets[id - 1])) {
            python_api.increase(self->traces[id - 1]);
            return self->traces[id - 1];
        }
    void *trace = make_trace(self, bucket);
    id = (uint32_t)(bucket - self->view->buckets);
    if (trace != NULL && id_table_add(&self->trace_index, hash, id + 1) == 0) {
        python_api.increase(trace);
        self->traces[id] = trace;
    }
    return trace;
}

/* The blocks of one bucket share one tuple. */
static bool add_bucket(struct trace_list *self, const struct dump_view_bucket *bucket) {
    void *trace = may_be_shared(self, bucket->stack) ? shared_trace(self, bucket)
                                                     : make_trace(self, bucket);
    if (trace == NULL)
        return false;
    for (uint64_t block = 0; block < bucket->blocks; block++) {
        python_api.increase(trace);
        python_api.list_set(self->list, self->length++, trace);
    }
    python_api.decrease(trace);
    return true;
}

static void fill(struct trace_list *self) {
    const struct dump_view *view = self->view;
    for (uint64_t id = 1; id < view->stack_count; id++)
        self->depths[id] =
            self->depths[view->stacks[id].parent] + !is_native(self, (uint32_t)id);
    self->list = python_api.list_new((ptrdiff_t)view->block_count);
    for (uint64_t i = 0; self->list != NULL && i < view->bucket_count; i++)
        if (!add_bucket(self, view->buckets + i)) {
            python_api.decrease(self->list);
            self->list = NULL;
        }
}

static uint64_t name_count(const struct dump_view *view) {
    return view->string_bytes / TEXT_UNIT + 1;
}

static bool allocate(struct trace_list *self) {
    const struct dump_view *view = self->view;
    self->names = arena_map(name_count(view) * sizeof *self->names);
    self->frames = arena_map(view->stack_count * sizeof *self->frames);
    self->tracebacks = arena_map(view->stack_count * sizeof *self->tracebacks);
    self->traces = arena_map((view->bucket_count + 1) * sizeof *self->traces);
    self->depths = arena_map(view->stack_count * sizeof *self->depths);
    self->window = arena_map(view->nframe * sizeof *self->window);
    return self->names != NULL && self->frames != NULL && self->tracebacks != NULL &&
           self->traces != NULL && self->depths != NULL && self->window != NULL &&
           id_table_open(&self->frame_index, FIRST_SLOTS) == 0 &&
           id_table_open(&self->traceback_index, FIRST_SLOTS) == 0 &&
           id_table_open(&self->trace_index, FIRST_SLOTS) == 0;
}

static void release_objects(void **objects, uint64_t count) {
    for (uint64_t i = 0; objects != NULL && i < count; i++)
        if (objects[i] != NULL)
            python_api.decrease(objects[i]);
    if (objects != NULL)
        arena_unmap(objects, count * sizeof *objects);
}

static void release(struct trace_list *self) {
    const struct dump_view *view = self->view;
    release_objects(self->names, name_count(view));
    release_objects(self->frames, view->stack_count);
    release_objects(self->tracebacks, view->stack_count);
    release_objects(self->traces, view->bucket_count + 1);
    if (self->depths != NULL)
        arena_unmap(self->depths, view->stack_count * sizeof *self->depths);
    if (self->window != NULL)
        arena_unmap(self->window, view->nframe * sizeof *self->window);
    id_table_close(&self->frame_index);
    id_table_close(&self->traceback_index);
    id_table_close(&self->trace_index);
}

void *trace_list_make(const struct dump_view *view, bool has_total) {
    struct trace_list self = {.view = view, .has_total = has_total};
    if (allocate(&self))
        fill(&self);
    else
        python_api.no_memory();
    release(&self);
    return self.list;
}
