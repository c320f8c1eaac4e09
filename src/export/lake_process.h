/* SPDX-License-Identifier: MIT */
/* The rows of a lake's table `processes`. For offline code; allocates; one thread. */
#pragma once

#include <stdint.h>

#include "export/export_input.h"
#include "export/lake_tables.h"
#include "export/stack_hash.h"

/* The same for the same dump, whenever it is read; another one if the process went on
 * meanwhile. */
struct stack_hash lake_process_id(const struct export_input *input, uint32_t process);

void lake_process_add(struct lake_tables *tables, const struct export_input *input,
                      uint32_t process, int64_t number, int64_t partition);
