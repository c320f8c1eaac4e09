/* SPDX-License-Identifier: MIT */
/* Sorts symbols collected from several dumps. For offline code; allocates; any
 * thread. */
#pragma once

#include "base/compiler.h"
#include "collection/array.h"

/* Sorts an array of struct tracemalloc_dump_symbol by module and address, keeping the
 * order of those for which both are equal. 0 or -ENOMEM. */
must_check int merged_symbols_sort(struct array *symbols);
