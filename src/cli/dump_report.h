/* SPDX-License-Identifier: MIT */
/* A dump as `stats` and `compare` want it: opened, weighed, filtered and grouped. One
 * thread. */
#pragma once

#include "base/compiler.h"
#include "cli/report_options.h"
#include "dump/dump_reader.h"
#include "report/frame_names.h"
#include "report/grouping.h"
#include "report/profile.h"
#include "report/statistics.h"

struct dump_report {
    struct dump_reader *reader;
    struct profile profile;
    struct grouping grouping;
};

/* Opens a dump for any command. 0; or 1 after saying why not. */
must_check int dump_report_read(struct dump_reader **reader, const char *path);

/* 0; or 1 after saying why not. In both cases dump_report_close gives back what there
 * is; the names outlive it. */
must_check int dump_report_open(struct dump_report *report, const char *path,
                                struct frame_names *names,
                                const struct report_options *options);

void dump_report_close(struct dump_report *report);

/* Prints the statistics of a dump, compared with `old` unless that is NULL, and closes
 * the output. Returns the exit status. */
must_check int dump_report_print(const struct dump_report *report,
                                 const struct dump_report *old,
                                 const struct report_options *options);
