/* SPDX-License-Identifier: MIT */
/* The options that `stats` and `compare` share. One thread; a wrong option is a usage
 * error and ends the process. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "report/filter.h"
#include "report/grouping.h"
#include "report/profile.h"

enum { REPORT_OPTIONS_MOST_FILES = 2 };

struct report_options {
    enum grouping_key key;
    bool cumulative;
    size_t limit; /* entries to show; SIZE_MAX: all */
    enum profile_moment moment;
    const char *moment_name;
    struct filter filter;
    bool json;
    const char *files[REPORT_OPTIONS_MOST_FILES];
    int file_count;
    int wanted_files;
};

/* Reads the arguments of a command that takes `files` dumps. */
void report_options_parse(struct report_options *options, int argc, char **argv,
                          int files, const char *arguments, const char *text);
