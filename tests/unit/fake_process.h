/* SPDX-License-Identifier: MIT */
/* A process that looks like a traced one from outside: it has a file named like the
 * library and a dump mapped, and obeys requests, or does not. For tests of the command;
 * one at a time; a failure ends the test. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "tracemalloc_dump.h"

enum fake_behaviour {
    FAKE_OBEYS,
    FAKE_IGNORES,     /* takes the signal and does nothing */
    FAKE_BLOCKS,      /* never lets the signal in */
    FAKE_IS_INERT,    /* has no handler */
    FAKE_HAS_ITS_OWN, /* a handler that is not the library's */
    FAKE_NO_LIBRARY,
};

enum { FAKE_BUCKETS = 100000, FAKE_RUN_ID = 0x1234 };

struct fake_process {
    pid_t pid;
    char folder[64];
    char dump[PATH_MAX]; /* the first one; the second has the suffix .1 */
};

void fake_process_start(struct fake_process *fake, enum fake_behaviour behaviour,
                        bool tracing);

/* Kills it with the signal, removes the folder, and checks that it was not killed
 * before. */
void fake_process_end(struct fake_process *fake);

/* Kills it, and leaves the folder. */
void fake_process_kill(struct fake_process *fake);
void fake_process_remove(struct fake_process *fake);

/* The header of a dump, as it stands in the file. */
struct tracemalloc_dump_header fake_process_header(const char *path);
