/* SPDX-License-Identifier: MIT */
/* Messages on stderr from inside a traced program: `tracemalloc: TEXT`, each a line and
 * one write.
 *
 * No stdio, no allocation, no locale; errno is unchanged. Any thread, also signal
 * handlers.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Records which file descriptor 2 refers to: messages go only there, never into a file
 * that the program opens as descriptor 2 later. Once, from the constructor. */
void message_prepare(void);

/* TRACEMALLOC_QUIET: whether messages are suppressed from now on. */
void message_quiet(bool quiet);

/* Writes the parts, up to a NULL, as one message. */
void message(const char *part, ...) __attribute__((sentinel));

/* Writes a number into the caller's buffer of at least 21 bytes; returns the buffer. */
char *message_number(char *buffer, uint64_t number);
