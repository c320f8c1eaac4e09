/* SPDX-License-Identifier: MIT */
/* What is exported: a dump, of one process or of several merged, weighed and filtered.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"
#include "dump/frame_names.h"
#include "profile/filter.h"
#include "profile/profile.h"

struct export_input {
    enum profile_point point;
    const char *point_name; /* as it was asked for */
    size_t limit;           /* traces at most, SIZE_MAX: all */
    bool by_process;        /* tell them apart */
    uint32_t
        python_version; /* as PY_VERSION_HEX: who shall read it. 0: the traced one */
    const struct dump_reader *reader;
    struct frame_names names;
    struct profile shown; /* at the moment */
    struct profile peak;
    struct profile allocated; /* ever */
};

/* An input of all that is live now, without a dump. */
void export_input_prepare(struct export_input *input);

/* Weighs a dump, which stays the caller's and outlives the input. 0, or those errors of
 * profile_open and filter_apply; the input is closed in any case. */
must_check int export_input_open(struct export_input *input,
                                 const struct dump_reader *reader,
                                 const struct filter *filter);

void export_input_close(struct export_input *input);

/* The id of a process by its index in the dump. */
static inline uint32_t export_input_pid(const struct export_input *input,
                                        uint32_t process) {
    return input->reader->processes[process].pid;
}
