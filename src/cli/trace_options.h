/* SPDX-License-Identifier: MIT */
/* The options of the commands that begin to trace a program: run and attach. One
 * thread; an invalid option is a usage error and ends the process. */
#pragma once

#include <argp.h>

#include "cli/arguments.h"
#include "cli/dump_pattern.h"

struct trace_options {
    const char *frames;
    const char *output; /* NULL: as the environment says */
    const char *sample; /* likewise */
    const char *snapshot_at;
};

/* Keys from 0x200 on are of these options. */
enum { TRACE_OPTIONS_SAMPLE = 0x200, TRACE_OPTIONS_SNAPSHOT_AT };

/* Rows of the command's table. */
#define TRACE_OPTIONS                                                                  \
    {"frames", 'n', "N", 0, ARGUMENTS_FRAMES_HELP, 0},                                 \
        {"output", 'o', "PATTERN", 0, DUMP_PATTERN_HELP, 0},                           \
        {"sample",                                                                     \
         TRACE_OPTIONS_SAMPLE,                                                         \
         "BYTES",                                                                      \
         OPTION_ARG_OPTIONAL,                                                          \
         "Record a sample of the blocks, one in BYTES (default " OPTIONS_SAMPLE ")",   \
         0},                                                                           \
    {                                                                                  \
        "snapshot-at", TRACE_OPTIONS_SNAPSHOT_AT, "AMOUNT,...", 0,                     \
            "Write a copy of the dump when that much memory is in use: 80% of a "      \
            "limit, or 1500M resident",                                                \
            0                                                                          \
    }

/* Returns ARGP_ERR_UNKNOWN for other keys. */
error_t trace_options_parse(int key, char *argument, struct argp_state *state,
                            struct trace_options *options);

/* The pattern of the dumps' names: of --output, of the environment, or the default. */
const char *trace_options_output(const struct trace_options *options);
