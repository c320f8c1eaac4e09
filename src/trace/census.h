/* SPDX-License-Identifier: MIT */
/* The census: how many live blocks of each bucket hold an object of each type, as a
 * section of the dump.
 *
 * Under the tracer's lock, so that no block is allocated or freed meanwhile. The
 * blocks' memory is copied by the kernel (base/own_memory.h), several pages at once: a
 * block whose free no hook saw may not be there. What is needed besides the section is
 * freed at the end.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/own_memory.h"

enum { CENSUS_HEAD = 80 };

struct census_source {
    const struct own_memory *memory;
    /* The id of the type, from census_type, of the object in a block; 0 if it holds
     * none. The first CENSUS_HEAD bytes of the block, and what follows a shorter one,
     * are in `head`. If another block, which begins at `*table`, is a part of that
     * object alone, it is counted as of `*table_type`; else both are 0. */
    uint32_t (*type_of)(const unsigned char *head, uint64_t size, uintptr_t *table,
                        uint32_t *table_type);
};

/* Counts all live blocks of Python's own domain. 0; or -errno, and the dump has no
 * census. */
must_check int census_take(const struct census_source *source);

/* The id in the dump of the type with this name; 0 if there is no room. */
uint32_t census_type(const char *name, size_t length);
