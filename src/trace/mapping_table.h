/* SPDX-License-Identifier: MIT */
/* Ranges of anonymous memory that the program mapped, each with the stack that mapped
 * it.
 *
 * A mapping counts as one block of its length in the mmap domain. Part of it may be
 * unmapped, and another mapping may cover it: what remains counts as blocks of the
 * lengths that remain. Under the tracer's lock, or with one thread. Memory comes from
 * the arena.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* [start, start + length) is memory of this stack from now on; what was there before is
 * gone. 0, or -ENOMEM: then it is not counted. */
must_check int mapping_table_add(uintptr_t start, size_t length, uint32_t stack);
/* The range is no memory any more. 0, or -ENOMEM when a mapping that is cut in two
 * finds no room for its end. */
must_check int mapping_table_remove(uintptr_t start, size_t length);
/* Whether a part of the range is known. */
int mapping_table_has(uintptr_t start, size_t length);
/* Forgets all, without counting. */
void mapping_table_clear(void);
