/* SPDX-License-Identifier: MIT */
/* Lines for stderr from inside a traced program: `tracemalloc: TEXT`, one write each.
 *
 * No stdio, no allocation, no locale, errno stays as it was. Any thread, also signal
 * handlers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Remembers which file descriptor 2 is: only that gets lines, never what the program
 * opens there later. Once, from the constructor. */
void message_prepare(void);

/* TRACEMALLOC_QUIET: nothing is written from then on. */
void message_quiet(bool quiet);

/* The parts up to a NULL, joined. */
void message(const char *part, ...) __attribute__((sentinel));

/* A number as text, in the caller's buffer of at least 21 bytes; returns the buffer. */
char *message_number(char *buffer, uint64_t number);
