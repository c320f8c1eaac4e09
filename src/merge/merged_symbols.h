/* SPDX-License-Identifier: MIT */
/* The order of symbols that were gathered from several places. For offline code;
 * allocates; any thread. */
#pragma once

#include "base/compiler.h"
#include "collection/array.h"

/* Sorts an array of struct tracemalloc_dump_symbol by module and address; those with
 * the same two stay in their order. 0 or -ENOMEM. */
must_check int merged_symbols_sort(struct array *symbols);
