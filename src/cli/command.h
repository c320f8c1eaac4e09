/* SPDX-License-Identifier: MIT */
/* The commands of `tracemalloc`, one file each, and how they end.
 *
 * `run` gets the arguments from the command's name on; argv[0] is "tracemalloc NAME",
 * for argp's messages. It returns the exit status: 0, or 1 after one line by
 * failure_print. argp itself ends the process after --help (0) and a usage error (2).
 * One thread; not called from signal handlers.
 */
#pragma once

#include "base/compiler.h"

struct command {
    const char *name;
    const char *summary; /* one line, no full stop */
    int (*run)(int argc, char **argv);
};

extern const struct command command_run;
extern const struct command command_attach;
extern const struct command command_detach;
extern const struct command command_ps;
extern const struct command command_stop;
extern const struct command command_start;
extern const struct command command_snapshot;
extern const struct command command_clear;
extern const struct command command_info;
extern const struct command command_leaks;
extern const struct command command_stats;
extern const struct command command_compare;
extern const struct command command_merge;
extern const struct command command_resolve;
extern const struct command command_tree;
extern const struct command command_summary;
extern const struct command command_top;
extern const struct command command_export;
extern const struct command command_check;
extern const struct command command_push;
extern const struct command command_flamegraph;
extern const struct command command_watch;

/* Flushes and closes stdout. Returns 0; or 1 after reporting that the output could not
 * be written. */
must_check int command_close_output(void);
