/* SPDX-License-Identifier: MIT */
/* When the last epoch of a process ended. For offline code; pure; any thread. */
#pragma once

#include <stdint.h>

#include "dump/dump_reader.h"

/* Nanoseconds since 1970: when the process ended, or was last seen. It has at least one
 * epoch. */
uint64_t last_epoch_end(const struct dump_reader *reader, uint32_t process,
                        struct dump_epochs epochs);
