/* SPDX-License-Identifier: MIT */
/* The anonymous memory that the program mapped, each range with the stack that mapped
 * it.
 *
 * A mapping counts as one block in the mmap domain. The block's size is the mapping's
 * length; of a reservation of addresses, the bytes that were resident at the last
 * measurement. If the program unmaps a part of a mapping, or maps over it, each part
 * that remains counts as a block. Under the tracer's lock, or with one thread. Memory
 * comes from the arena.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/resident.h"
#include "trace/event_guard.h"

enum mapping_kind {
    MAPPING_NONE,     /* not counted: of a file, or not in the table */
    MAPPING_HEAP,     /* counts its length */
    MAPPING_RESERVED, /* PROT_NONE or MAP_NORESERVE: counts its resident bytes */
};

/* Adds a mapping, and removes what it covers. 0; -ENOMEM if the mapping is not
 * counted. */
must_check int mapping_table_add(struct event_guard guard, uintptr_t start,
                                 size_t length, enum mapping_kind kind, uint32_t stack);
/* Removes a range. 0; -ENOMEM if the range cuts a mapping in two and its end is not
 * counted. */
must_check int mapping_table_remove(struct event_guard guard, uintptr_t start,
                                    size_t length);
/* The kind of the first mapping in the range. */
enum mapping_kind mapping_table_kind(struct event_guard guard, uintptr_t start,
                                     size_t length);
/* Counts each reservation's resident bytes anew. Returns the resident bytes of all
 * mappings. */
uint64_t mapping_table_measure(const struct resident *resident);
/* Removes all mappings; leaves the counters unchanged. */
void mapping_table_clear(void);
