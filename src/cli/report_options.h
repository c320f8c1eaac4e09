/* SPDX-License-Identifier: MIT */
/* The options that `stats` and `compare` share. One thread; an invalid option is a
 * usage error and ends the process. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/selection_options.h"
#include "profile/grouping.h"

struct report_options {
    struct selection selection;
    enum grouping_key key;
    bool cumulative;
    size_t limit; /* entries to show; SIZE_MAX: all */
    bool json;
    int wanted_files; /* 0: one or more */
};

/* Parses the arguments of a command that takes `files` dumps; 0: one or more. */
void report_options_parse(struct report_options *options, int argc, char **argv,
                          int files, const char *arguments, const char *text);
