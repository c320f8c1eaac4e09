/* SPDX-License-Identifier: MIT */
/* Opens dumps for the commands; profiles, filters and groups them for `stats` and
 * `compare`. One thread. */
#pragma once

#include <stdbool.h>

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
    const char *name; /* of the file, for messages */
    bool temporary;   /* of temporary blocks */
    struct profile profile;
    struct grouping grouping;
};

/* Opens a dump. Returns 0; or 1 after reporting why not, with *reader NULL. */
must_check int dump_report_read(struct dump_reader **reader, const char *path);

/* Opens one or more dumps, several merged into one. Shows its progress on a
 * terminal. */
must_check int dump_report_read_files(struct dump_reader **reader, char *const *paths,
                                      int count);

/* Merges open dumps into one. A single one is moved from the array; the caller closes
 * the others. Returns 0; or 1 after reporting why not, with *reader NULL. */
must_check int dump_report_join(struct dump_reader **reader, struct dump_reader **parts,
                                int count);

/* How a report shows stacks. */
struct dump_report_stacks {
    enum shown_native native; /* unless the user selected otherwise */
    bool to_file;             /* limit the depth to what a file can reasonably hold */
    bool whole;               /* see symbols/shown_stacks.h */
    bool with_source;         /* source lines are printed, unless hidden */
    bool at_point; /* only stacks that hold a block at the selected point in time */
};

/* Like dump_report_read_files, with native frames named or, if the user selected that,
 * left out. Notes on stderr the modules that differ from those that were traced. */
must_check int dump_report_read_shown(struct dump_reader **reader, char *const *paths,
                                      int count, const struct selection *selection,
                                      struct dump_report_stacks stacks);

/* The same for a dump that is open, which is closed if it fails. */
must_check int dump_report_show(struct dump_reader **reader,
                                const struct selection *selection,
                                struct dump_report_stacks stacks);

/* Says on stderr if the numbers of a dump are estimates, or of blocks born in some
 * time. */
void dump_report_note(const struct dump_reader *reader, const char *name);

/* How `stats` and `compare` show stacks. */
struct dump_report_stacks dump_report_stacks(const struct report_options *options);

/* Reports an error of profile_open or filter_apply. Returns 1. */
must_check int dump_report_explain(const struct selection *selection, const char *name,
                                   int error);

/* Profiles the selected blocks of a dump. Returns 0; or 1 after reporting why not. */
must_check int dump_report_aggregate(struct profile *profile,
                                     const struct dump_reader *reader,
                                     struct frame_names *names,
                                     const struct selection *selection,
                                     const char *name);

/* Profiles and groups one process, or DUMP_REPORT_WHOLE. Returns 0; or 1 after
 * reporting why not. Must be closed in both cases; reader and names must outlive it. */
must_check int dump_report_open(struct dump_report *report,
                                const struct dump_reader *reader,
                                struct frame_names *names,
                                const struct report_options *options, const char *name,
                                int64_t process);

void dump_report_close(struct dump_report *report);

/* Prints the statistics of a dump, compared with `old` unless NULL. Returns the exit
 * status. */
must_check int dump_report_print(const struct dump_report *report,
                                 const struct dump_report *old,
                                 const struct report_options *options);
