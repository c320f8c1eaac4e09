/* SPDX-License-Identifier: MIT */
/* Which type the object in a block is of.
 *
 *   block                      object
 *   | dict, weakrefs | GC head | references | type | ...
 *     16, from 3.11    16, to    8            8
 *     on, if managed   3.7 32
 *
 * What is in front of an object depends on its type's flags, so an object is recognised
 * at each offset where its type says that it is. A pointer is that of a type if its own
 * type is a metatype, and that one's, up to `type`. Types are read by the kernel's copy
 * (base/own_memory.h), for a block of bytes may hold anything; a cache decides nearly
 * all of them.
 *
 * Neither the GIL nor a reference is needed, and nothing of Python is called. Under the
 * tracer's lock, from open to close. Memory comes from the arena.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "base/own_memory.h"
#include "stack/python/python_runtime.h"

/* The bytes of a block in which its object's type is, and the pointer to its table. */
enum { PYTHON_TYPE_HEAD = 80 };

/* `add` gives a type, by its module and name, a number of 1 or more. 0, or -ENOMEM. */
must_check int python_type_open(const struct python_runtime *runtime,
                                const struct own_memory *memory,
                                uint32_t (*add)(const char *name, size_t length));
void python_type_close(void);

/* The number of the type of the object in a block of `size` bytes, the first of which
 * are in `head`; 0 if there is no object. Of a list, dict, set or bytearray, `*table`
 * is the address of its table or buffer, which may be the start of another block that
 * is this object's alone, and `*table_type` the number for that; else 0. */
uint32_t python_type_of(const unsigned char *head, uint64_t size, uintptr_t *table,
                        uint32_t *table_type);
