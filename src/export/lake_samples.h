/* SPDX-License-Identifier: MIT */
/* The rows of a lake's tables `samples` and `stacks`. For offline code; allocates; one
 * thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/id_map.h"
#include "export/export_input.h"
#include "export/lake_tables.h"

/* Adds the samples of the processes that have a number, and stacks that are not in the
 * set. Raises *rows. 0; -ENOMEM, or -EFBIG if the stacks are too deep. */
must_check int lake_samples_add(struct lake_tables *tables, struct id_map *stacks,
                                struct export_input *input, const int64_t *numbers,
                                size_t *rows);
