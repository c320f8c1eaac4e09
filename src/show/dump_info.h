/* SPDX-License-Identifier: MIT */
/* What a dump's header says, in words. For offline code; pure but for the table of
 * signal names; one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "dump/dump_reader.h"

enum { DUMP_INFO_TEXT_SIZE = 64, DUMP_INFO_TIME_SIZE = 80 };

/* `tracing`, `stopped`, `snapshot`, `exited`, `exec`, `signal` or `killed`. */
const char *dump_info_state(const struct dump_reader *reader);
const char *dump_info_state_name(uint32_t state);

/* `cpython`, `cpython-free-threaded`, `pypy`, or NULL without Python. */
const char *dump_info_implementation(const struct dump_reader *reader);

/* `3.11.7`, `3.15.0b1`; empty without Python. */
void dump_info_version(const struct dump_reader *reader,
                       char text[DUMP_INFO_TEXT_SIZE]);

/* Nanoseconds since the epoch as local time: `2026-11-27 23:25:27 +0000`. */
void dump_info_time(uint64_t nanoseconds, char text[DUMP_INFO_TIME_SIZE]);

/* `SIGTERM`, `SIGRTMIN+3`, `signal 99`. */
void dump_info_signal(int number, char text[DUMP_INFO_TEXT_SIZE]);

/* One sentence without its full stop. */
void dump_info_ending(const struct dump_reader *reader,
                      char text[DUMP_INFO_TEXT_SIZE * 2]);

/* The same for one of the processes of the dump. */
void dump_info_process_ending(const struct dump_reader *reader, uint32_t process,
                              char text[DUMP_INFO_TEXT_SIZE * 2]);

/* Finds the next of the arguments in a text of the dump, each followed by a NUL. *at
 * must be 0 for the first call. Returns false after the last argument. */
bool dump_info_next_argument(struct dump_text all, size_t *at,
                             struct dump_text *argument);

/* The same for the arguments of the program. */
bool dump_info_argument(const struct dump_reader *reader, size_t *at,
                        struct dump_text *argument);
