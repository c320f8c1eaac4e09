/* SPDX-License-Identifier: MIT */
/* What is exported: the dumps of one or more processes, weighed and filtered.
 *
 * For offline code; allocates; one thread at a time. The readers stay the caller's and
 * outlive the input. All zeros is an empty input.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"
#include "report/filter.h"
#include "report/frame_names.h"
#include "report/profile.h"

struct export_process {
    const struct dump_reader *reader;
    struct profile shown; /* at the moment that is exported */
    struct profile peak;
    struct profile allocated; /* ever */
};

struct export_input {
    enum profile_moment moment;
    const char *moment_name; /* as it was asked for */
    size_t limit;            /* traces at most, SIZE_MAX: all */
    uint32_t
        python_version; /* as PY_VERSION_HEX: who shall read it. 0: the traced one */
    struct frame_names names;         /* of all processes */
    struct export_process *processes; /* at least one, once something is exported */
    size_t count;
};

/* An input without processes, of what is live now. 0 or -ENOMEM; the fields above
 * `names` may be changed until the first process is added. */
must_check int export_input_open(struct export_input *input);

void export_input_close(struct export_input *input);

/* Adds a dump. 0, -ENOMEM, -ENODATA for the exit of a program that was not finalized,
 * or -ENOENT for a domain that the dump does not know. */
must_check int export_input_add(struct export_input *input,
                                const struct dump_reader *reader,
                                const struct filter *filter);

/* Bytes and blocks of all processes at the moment that is exported. */
struct weight export_input_total(const struct export_input *input);
