/* SPDX-License-Identifier: MIT */
/* The dumps that `leaks` examines: of files and processes, each run once. One
 * thread. */
#pragma once

#include "base/compiler.h"
#include "cli/selection_options.h"
#include "dump/dump_reader.h"
#include "dump/frame_names.h"
#include "leak/leak_copies.h"
#include "leak/leak_report.h"
#include "profile/profile.h"

/* A dump, of which `reader` is NULL if another one has all that it says. */
struct leaks_dump {
    const char *name; /* as given */
    struct dump_reader *reader;
    struct profile profile;      /* of all that was allocated */
    struct dump_reader *earlier; /* the first copy of the same run, or NULL */
    struct profile before, now;  /* of what lives, if there is an earlier copy */
};

struct leaks_input {
    struct leaks_dump *dumps;
    int count;
    struct dump_reader **readers; /* of the dumps that have one */
    int reader_count;
    struct frame_names names;
    struct leak_copies *copies; /* of the runs that were given in several copies */
    int copies_count;
};

/* Reads the dumps of a selection. Returns 0; or 1 after reporting why not. To be closed
 * in both cases. */
must_check int leaks_input_open(struct leaks_input *input,
                                const struct selection *selection);
/* Profiles them, and compares the copies. Returns 0; or 1 after reporting why not. */
must_check int leaks_input_aggregate(struct leaks_input *input,
                                     const struct selection *selection);
/* Finds what leaks. Returns 0; or 1 after reporting why not. */
must_check int leaks_input_report(const struct leaks_input *input,
                                  struct leak_report *report);
void leaks_input_close(struct leaks_input *input);
