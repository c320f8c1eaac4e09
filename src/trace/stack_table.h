/* SPDX-License-Identifier: MIT */
/* The prefix tree of stacks in the dump: one node for each (parent, code, line).
 *
 * The root is the outermost frame, so stacks share the nodes of their common callers.
 * Stacks are stored whole; readers apply the frame limit. Under the tracer's lock, or
 * with one thread. If the dump is full, a new stack becomes
 * TRACEMALLOC_DUMP_OVERFLOW_STACK, and so do its callees.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "base/id_set.h"
#include "dump/dump_file.h"

/* Begins the tree of a new dump: the empty stack and the overflow. 0, or -errno. */
must_check int stack_table_open(struct dump_file *file);
void stack_table_close(void);

/* The node of a frame that `parent` called; adds a missing one. code and line as in
 * struct tracemalloc_dump_stack, with line_high in `line`'s upper half. */
uint32_t stack_table_node(uint32_t parent, uint32_t code, uint64_t line);

/* Frees these nodes. No live node may have one of them as its caller. Takes ownership
 * of the set. */
void stack_table_reclaim(struct id_set *ids);
