/* SPDX-License-Identifier: MIT */
/* What is done with a dump from a stranger: reading, grouping, comparing, printing and
 * exporting. For the fuzzer and for tests; one thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Reads `size` bytes as a dump and throws the reports away. */
void read_dump(const uint8_t *bytes, size_t size);
