/* SPDX-License-Identifier: MIT */
/* The commands of `tracemalloc`, one file each, and how they end.
 *
 * `run` gets the arguments from the command's name on; argv[0] is "tracemalloc NAME",
 * for argp's messages. It returns the exit status: 0, or 1 after one line by
 * command_fail. argp ends the process itself after --help (0) and a usage error (2).
 * One thread; nothing here is called from a signal handler.
 */
#pragma once

#include "base/compiler.h"

struct command {
    const char *name;
    const char *summary; /* one line, no full stop */
    int (*run)(int argc, char **argv);
};

extern const struct command command_run;
extern const struct command command_ps;
extern const struct command command_stop;
extern const struct command command_start;
extern const struct command command_snapshot;
extern const struct command command_clear;
extern const struct command command_info;
extern const struct command command_stats;
extern const struct command command_compare;
extern const struct command command_merge;
extern const struct command command_resolve;
extern const struct command command_tree;
extern const struct command command_summary;
extern const struct command command_top;
extern const struct command command_export;
extern const struct command command_flamegraph;

/* One line `tracemalloc: TEXT` on stderr; control characters are replaced. Returns 1,
 * the exit status. */
must_check int command_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Called before command_fail prints, unless NULL: takes away what stands on the
 * line. */
extern void (*command_clear_line)(void);

/* Flushes stdout and closes it. 0; or 1 after saying why what was printed did not
 * arrive. */
must_check int command_close_output(void);
