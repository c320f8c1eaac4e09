/* SPDX-License-Identifier: MIT */
/* The prefix tree of stacks in the dump: one node for each (parent, code, line).
 *
 * Whole stacks, root first, so that a call depth needs no branch of its own; the frame
 * limit is applied by readers. Under the tracer's lock, or with one thread. A stack
 * that finds no room becomes TRACEMALLOC_DUMP_OVERFLOW_STACK, and its children too.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "base/id_set.h"
#include "dump/dump_file.h"

/* Begins the tree of a new dump: the empty stack and the overflow. 0, or -errno. */
must_check int stack_table_open(struct dump_file *file);
void stack_table_close(void);

/* The node below `parent`. code and line as in struct tracemalloc_dump_stack, `line`
 * with its high half. */
uint32_t stack_table_node(uint32_t parent, uint32_t code, uint64_t line);

/* These nodes are unused, and none of the others is below one of them: their
 * ids are given out again. The set is taken over. */
void stack_table_reclaim(struct id_set *ids);
