/* SPDX-License-Identifier: MIT */
#include "hooks/free_lists.h"

#include <string.h>

#include "event/object_block.h"
#include "event/event_sampled.h"
#include "stack/python/python_api.h"

enum {
    /* sizeof(PyTypeObject) is 400 to 416 in 3.6 to 3.12 (Include/cpython/object.h).
     * What follows a shorter one is copied too, and never read. */
    TYPE_SIZE = 416,
    TYPE_DEALLOC = 48,
    REF_CREATE = 0,
};

typedef void (*deallocate)(void *object);

/* A type whose freed instances return to its allocator. */
struct bypassed_type {
    void *type;
    uintptr_t header; /* bytes in front of an instance */
    deallocate original;
    _Alignas(16) unsigned char copy[TYPE_SIZE];
};

static struct bypassed_type floats, tuples, lists, dicts;

/* Bypasses the type's free list: the copy of the type differs from it in the address
 * alone. Objects allocated before tracing began still go to the free list: the
 * interpreter's own tracer does not know them either when they are reused. While
 * blocks are sampled all bypass it: if only the sampled ones did, objects that reuse
 * the others would never be sampled. */
static always_inline void bypass(const struct bypassed_type *kind, void *object) {
    const void *block = (const char *)object - kind->header;
    if (likely(object_type(object) == kind->type) &&
        (likely(gate_flag(exact)) ? event_is_traced(block) : gate.active))
        *(const void **)((char *)object + OBJECT_TYPE) = kind->copy;
    kind->original(object);
}

static void float_dealloc(void *object) {
    bypass(&floats, object);
}
static void tuple_dealloc(void *object) {
    bypass(&tuples, object);
}
static void list_dealloc(void *object) {
    bypass(&lists, object);
}
static void dict_dealloc(void *object) {
    bypass(&dicts, object);
}

static void replace(struct bypassed_type *kind, void *type, uintptr_t header,
                    deallocate ours) {
    deallocate *slot = (deallocate *)(void *)((char *)type + TYPE_DEALLOC);
    if (kind->type != NULL)
        return;
    memcpy(kind->copy, type, sizeof kind->copy);
    kind->original = *slot;
    kind->header = header;
    kind->type = type;
    *slot = ours;
}

static int (*chained)(void *object, int event, void *data);
static void *chained_data;

static const struct python_runtime *python;
static unsigned version;
static bool leaving; /* at the next new object */
/* Calls have more to do than to trace: `leaving`, or a tracer is chained. */
static bool has_more;

/* Whether the object is in the block that was allocated last, of which this is true
 * once: a block holds one new object. Headers in front of it take at most 32 bytes. */
static always_inline bool just_allocated(const void *object) {
    uintptr_t distance = (uintptr_t)object - event_last_block;
    if (distance > 32 ||
        (distance != 0 && object_block(object, version) != event_last_block))
        return false;
    event_last_block = 0;
    return true;
}

static always_inline void count_here(const void *object) {
    struct thread_state *self = event_thread();
    uintptr_t block = object_block(object, version);
    uint32_t *slot = block_map_find(block);
    if (self != NULL && slot != NULL && *slot != 0)
        event_reuse(self, block, slot);
}

static cold_path void count_sampled_block_here(uintptr_t block) {
    struct thread_state *self = event_idle_thread();
    if (self != NULL && block_map_may_be_sampled(block))
        event_sampled_reuse(self, (const void *)block);
}

static always_inline void count_sampled_here(const void *object) {
    uintptr_t block = object_block(object, version);
    if (unlikely(address_map_passes(&block_map_sampled, block)))
        count_sampled_block_here(block);
}

static int trace_reference(void *object, int event, void *data);

/* Within a call of it, and so with the GIL. */
static cold_path void leave(void) {
    void *data;
    leaving = false;
    has_more = chained != NULL;
    if (python->get_ref_tracer(&data) == (void *)trace_reference)
        python->set_ref_tracer(chained, chained_data);
}

static never_inline int do_more(void *object, int event) {
    if (leaving && event == REF_CREATE)
        leave();
    return chained != NULL ? chained(object, event, chained_data) : 0;
}

/* Apart from trace_reference, which so needs no stack. */
static never_inline int trace_reuse(void *object) {
    count_here(object);
    return unlikely(has_more) ? do_more(object, REF_CREATE) : 0;
}

static never_inline int trace_sampled_reuse(void *object) {
    if (gate_flag(sampled))
        count_sampled_here(object);
    return unlikely(has_more) ? do_more(object, REF_CREATE) : 0;
}

static int trace_reference(void *object, int event, void *data) {
    (void)data;
    if (event == REF_CREATE && !just_allocated(object))
        return gate_flag(exact) ? trace_reuse(object) : trace_sampled_reuse(object);
    return unlikely(has_more) ? do_more(object, event) : 0;
}

/* The interpreter's own tracer, each time it starts, and others may have replaced
 * ours. */
static void install_tracer(const struct python_runtime *runtime) {
    void *data;
    int (*now)(void *, int, void *) =
        (int (*)(void *, int, void *))runtime->get_ref_tracer(&data);
    if (now == trace_reference)
        return;
    chained = now;
    chained_data = data;
    has_more = now != NULL;
    runtime->set_ref_tracer(trace_reference, NULL);
}

void free_lists_install(const struct python_runtime *runtime) {
    python = runtime;
    version = runtime->layout.version;
    leaving = false;
    has_more = chained != NULL;
    if (runtime->set_ref_tracer != NULL) {
        install_tracer(runtime);
        return;
    }
    uintptr_t gc_header = object_gc_header(version);
    replace(&floats, runtime->float_type, 0, float_dealloc);
    replace(&tuples, runtime->tuple_type, gc_header, tuple_dealloc);
    replace(&lists, runtime->list_type, gc_header, list_dealloc);
    replace(&dicts, runtime->dict_type, gc_header, dict_dealloc);
}

static void put_back(struct bypassed_type *kind, deallocate ours) {
    if (kind->type == NULL)
        return;
    deallocate *place = (deallocate *)(void *)((char *)kind->type + TYPE_DEALLOC);
    if (*place != ours)
        return;
    *place = kind->original;
    kind->type = NULL;
}

void free_lists_remove(void) {
    leaving = python != NULL && python->set_ref_tracer != NULL;
    has_more |= leaving;
    put_back(&floats, float_dealloc);
    put_back(&tuples, tuple_dealloc);
    put_back(&lists, list_dealloc);
    put_back(&dicts, dict_dealloc);
}

/* A new object of one of the kinds that have free lists; tuples have one for each
 * length. */
static void *make_object(unsigned kind) {
    switch (kind) {
    case 0:
        return python_api.list_new(0);
    case 1:
        return python_api.dict_new();
    case 2:
        return python_api.float_from_double(0.5);
    default:
        return python_api.tuple_new((ptrdiff_t)kind - 2);
    }
}

void free_lists_refill(void) {
    enum { KINDS = 8, MAX_KEPT = 80 }; /* lists, and dicts, that CPython keeps */
    void *objects[MAX_KEPT];
    if (floats.type == NULL)
        return;
    for (unsigned kind = 0; kind < KINDS; kind++) {
        unsigned count = 0;
        while (count < MAX_KEPT && (objects[count] = make_object(kind)) != NULL)
            count++;
        while (count > 0)
            python_api.decrease(objects[--count]);
    }
}
