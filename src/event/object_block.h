/* SPDX-License-Identifier: MIT */
/* Finds the block of an object: its address minus the size of the headers before it.
 * For a thread that owns a reference to the object. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

/* Include/object.h, without Py_TRACE_REFS: ob_type and tp_flags are at the same place
 * in 3.6 to 3.15. */
enum {
    OBJECT_TYPE = 8,
    TYPE_FLAGS = 168,
    TYPE_FLAG_GC = 1 << 14,
    TYPE_FLAGS_PRE_HEADER =
        1 << 3 | 1 << 4, /* managed weakrefs or dict, from 3.12 on */
    PRE_HEADER = 16,
};

static always_inline void *object_type(const void *object) {
    void *type;
    memcpy(&type, (const char *)object + OBJECT_TYPE, sizeof type);
    return type;
}

/* sizeof(PyGC_Head). version: major << 8 | minor. */
static always_inline uintptr_t object_gc_header(unsigned version) {
    return version < 0x308 ? 32 : 16;
}

/* The address that CPython's own get_object_traceback looks up. From 3.11 on, objects
 * with a managed dict (later also weakrefs) have two more words before the header. 3.11
 * itself ignores these and returns None for such objects. */
static always_inline uintptr_t object_block(const void *object, unsigned version) {
    unsigned long flags;
    memcpy(&flags, (const char *)object_type(object) + TYPE_FLAGS, sizeof flags);
    uintptr_t block = (uintptr_t)object;
    if ((flags & TYPE_FLAG_GC) != 0)
        block -= object_gc_header(version);
    bool has_words = version >= 0x30c && (flags & TYPE_FLAGS_PRE_HEADER) != 0;
    return has_words ? block - PRE_HEADER : block;
}
