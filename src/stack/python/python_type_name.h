/* SPDX-License-Identifier: MIT */
/* The name of a type, with its module: `orders.Order`; of a builtin type the name
 * alone.
 *
 * A class has its module in its dict, which is read as it is in memory, by the kernel's
 * copy: another thread may be changing it. Calls nothing of Python; allocates nothing.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/own_memory.h"
#include "stack/python/python_layout.h"

enum { PYTHON_TYPE_NAME_SIZE = 384 };

/* The first fields of PyTypeObject, which are at the same places in 3.6 to 3.15. */
struct python_type_head {
    uint64_t references;
    uintptr_t type;
    int64_t size;
    uintptr_t name; /* char * */
    int64_t basic_size;
    int64_t item_size;
    uintptr_t functions[15];
    uint64_t flags;
    uintptr_t slots[11];
    uintptr_t dict;
};

/* Writes the name without a NUL; returns its length. */
size_t python_type_name(const struct python_layout *layout,
                        const struct own_memory *memory,
                        const struct python_type_head *head,
                        char name[PYTHON_TYPE_NAME_SIZE]);
