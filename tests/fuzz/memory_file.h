/* SPDX-License-Identifier: MIT */
/* Files for a fuzzer's bytes, and the file into which reports are thrown away. One
 * thread; what cannot be made aborts. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A file without a name that holds the bytes; to be closed. */
int memory_file(const uint8_t *bytes, size_t size);

/* Open until the process ends. */
FILE *nowhere(void);
