/* SPDX-License-Identifier: MIT */
/* Ranges of anonymous memory that the program mapped, each with the stack that mapped
 * it.
 *
 * A mapping counts as one block of its length in the mmap domain; a reservation of
 * addresses as one of the bytes that were resident when the kernel was last asked. Part
 * of it may be unmapped, and another mapping may cover it: what remains counts as
 * blocks of the lengths that remain. Under the tracer's lock, or with one thread.
 * Memory comes from the arena.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/resident.h"
#include "trace/event_guard.h"

enum mapping_kind {
    MAPPING_NONE,     /* not counted: of a file, or unknown */
    MAPPING_HEAP,     /* counts by its length */
    MAPPING_RESERVED, /* PROT_NONE or MAP_NORESERVE: counts by what is resident */
};

/* [start, start + length) is memory of this stack from now on; what was there before is
 * gone. 0, or -ENOMEM: then it is not counted. */
must_check int mapping_table_add(struct event_guard guard, uintptr_t start,
                                 size_t length, enum mapping_kind kind, uint32_t stack);
/* The range is no memory any more. 0, or -ENOMEM when a mapping that is cut in two
 * finds no room for its end. */
must_check int mapping_table_remove(struct event_guard guard, uintptr_t start,
                                    size_t length);
/* The kind of the first known part of the range. */
enum mapping_kind mapping_table_kind(struct event_guard guard, uintptr_t start,
                                     size_t length);
/* Counts the reservations by what is resident now. Returns the resident bytes of all
 * mappings. */
uint64_t mapping_table_measure(const struct resident *resident);
/* Forgets all, without counting. */
void mapping_table_clear(void);
