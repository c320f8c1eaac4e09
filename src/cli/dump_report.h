/* SPDX-License-Identifier: MIT */
/* A dump as `stats` and `compare` want it: weighed, filtered and grouped. One
 * thread. */
#pragma once

#include "base/compiler.h"
#include "cli/report_options.h"
#include "dump/dump_reader.h"
#include "dump/frame_names.h"
#include "profile/grouping.h"
#include "profile/profile.h"
#include "symbols/shown_stacks.h"

/* All processes of a dump. */
enum { DUMP_REPORT_WHOLE = -1 };

struct dump_report {
    const char *name; /* of the file, for what is said of it */
    struct profile profile;
    struct grouping grouping;
};

/* Opens a dump for any command. 0; or 1 after saying why not, with *reader NULL. */
must_check int dump_report_read(struct dump_reader **reader, const char *path);

/* Opens the dumps of several processes as one; the same for one alone. Tells on a
 * terminal how far it is. */
must_check int dump_report_read_files(struct dump_reader **reader, char *const *paths,
                                      int count);

/* What a report shows of the stacks. */
struct dump_report_stacks {
    enum shown_native native; /* unless the selection says otherwise */
    bool to_file;             /* as many frames as a file can well hold */
    bool whole;               /* see report/shown_stacks.h */
    bool with_source;         /* lines of it, unless they are hidden */
    bool at_point; /* those that hold a block at the selection's moment suffice */
};

/* As dump_report_read_files, with native frames named, or left out where the selection
 * says so. Says on stderr which modules are not those that were traced. */
must_check int dump_report_read_shown(struct dump_reader **reader, char *const *paths,
                                      int count, const struct selection *selection,
                                      struct dump_report_stacks stacks);

/* What `stats` and `compare` show of the stacks. */
struct dump_report_stacks dump_report_stacks(const struct report_options *options);

/* Says why a selection of a dump cannot be weighed, by the error of profile_open or
 * filter_apply. Returns 1. */
must_check int dump_report_explain(const struct selection *selection, const char *name,
                                   int error);

/* Weighs a selection of a dump. 0; or 1 after saying why not. */
must_check int dump_report_aggregate(struct profile *profile,
                                     const struct dump_reader *reader,
                                     struct frame_names *names,
                                     const struct selection *selection,
                                     const char *name);

/* One process, or DUMP_REPORT_WHOLE. 0; or 1 after saying why not. In both cases
 * dump_report_close gives back what there is; reader and names outlive it. */
must_check int dump_report_open(struct dump_report *report,
                                const struct dump_reader *reader,
                                struct frame_names *names,
                                const struct report_options *options, const char *name,
                                int64_t process);

void dump_report_close(struct dump_report *report);

/* Prints the statistics of a dump, compared with `old` unless that is NULL. Returns the
 * exit status. */
must_check int dump_report_print(const struct dump_report *report,
                                 const struct dump_report *old,
                                 const struct report_options *options);
