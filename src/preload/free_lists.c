/* SPDX-License-Identifier: MIT */
#include "preload/free_lists.h"

#include <string.h>

#include "preload/object_block.h"
#include "preload/record.h"

enum {
    TYPE_BASIC_SIZE = 32, /* of Include/cpython/object.h, the same in 3.6 to 3.12 */
    TYPE_DEALLOC = 48,
    LARGEST_TYPE = 512,
    REF_CREATE = 0,
};

typedef void (*deallocate)(void *object);

/* A type whose freed instances go to its allocator. */
struct emptied {
    void *type;
    deallocate original;
    _Alignas(16) unsigned char copy[LARGEST_TYPE];
};

static struct emptied floats, tuples, lists, dicts;

/* The copy differs from the type in its address alone. */
static always_inline void empty(const struct emptied *kind, void *object) {
    if (likely(object_type(object) == kind->type) && tracer.active)
        *(const void **)((char *)object + OBJECT_TYPE) = kind->copy;
    kind->original(object);
}

static void float_dealloc(void *object) { empty(&floats, object); }
static void tuple_dealloc(void *object) { empty(&tuples, object); }
static void list_dealloc(void *object) { empty(&lists, object); }
static void dict_dealloc(void *object) { empty(&dicts, object); }

/* The type object's own size, tp_basicsize of its type. */
static size_t size_of(const void *type) {
    size_t size;
    memcpy(&size, (const char *)object_type(type) + TYPE_BASIC_SIZE, sizeof size);
    return size;
}

static void replace(struct emptied *kind, void *type, deallocate ours) {
    deallocate *place = (deallocate *)(void *)((char *)type + TYPE_DEALLOC);
    size_t size = size_of(type);
    if (kind->type != NULL || size > sizeof kind->copy)
        return;
    memcpy(kind->copy, type, size);
    kind->original = *place;
    kind->type = type;
    *place = ours;
}

static int (*chained)(void *object, int event, void *data);
static void *chained_data;

static unsigned version;

/* Objects have at most 64 bytes of headers in front. */
static always_inline bool just_allocated(const void *object) {
    return (uintptr_t)object - record_last_block <= 64;
}

static cold_path void move_here(const void *object) {
    struct thread_state *self = record_begin();
    uintptr_t block = object_block(object, version);
    if (self == NULL || !record_knows((const void *)block))
        return;
    bool locked = record_enter(self);
    if (tracer.active)
        tracer_move(block, record_stack(self, RECORD_WITH_GIL));
    record_leave(self, locked);
    record_last_block = block;
}

static int trace_reference(void *object, int event, void *data) {
    (void)data;
    if (event == REF_CREATE && !just_allocated(object) && tracer.active)
        move_here(object);
    return chained != NULL ? chained(object, event, chained_data) : 0;
}

/* Each start of the interpreter's own tracer, and whoever else, may have put another one in our place. */
static void install_tracer(const struct python_runtime *runtime) {
    void *data;
    int (*now)(void *, int, void *) =
        (int (*)(void *, int, void *))runtime->get_ref_tracer(&data);
    if (now == trace_reference)
        return;
    chained = now;
    chained_data = data;
    runtime->set_ref_tracer(trace_reference, NULL);
}

void free_lists_install(const struct python_runtime *runtime) {
    version = runtime->layout.version;
    if (runtime->set_ref_tracer != NULL) {
        install_tracer(runtime);
        return;
    }
    replace(&floats, runtime->float_type, float_dealloc);
    replace(&tuples, runtime->tuple_type, tuple_dealloc);
    replace(&lists, runtime->list_type, list_dealloc);
    replace(&dicts, runtime->dict_type, dict_dealloc);
}
