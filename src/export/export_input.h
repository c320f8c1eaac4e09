/* SPDX-License-Identifier: MIT */
/* The input of an exporter: a dump of one process or of several merged ones, with its
 * aggregated and filtered profiles.
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
#include "export/resource.h"
#include "profile/filter.h"
#include "profile/profile.h"

struct trace_history;

struct export_input {
    enum profile_point point;
    const char *point_name;  /* as the user wrote it */
    size_t limit;            /* maximum number of traces; SIZE_MAX: all */
    size_t part, parts;      /* every `parts`th trace from `part` on; 0 of 1: all */
    bool by_process;         /* the processes of a merged dump are separate */
    uint32_t python_version; /* PY_VERSION_HEX of the Python that reads the file; 0:
                           traced */
    const struct resource *resource; /* what the user says of the source; or NULL */
    /* Of what was allocated, what was sent before: NULL, and 0, for nothing. */
    struct trace_history *history;
    uint64_t sent_until; /* nanoseconds since the epoch */
    const struct dump_reader *reader;
    struct frame_names names;
    struct profile shown; /* at `point` */
    struct profile peak;
    struct profile allocated; /* since the start of tracing */
};

/* Sets the defaults: everything that is live now, without a limit. */
void export_input_prepare(struct export_input *input);

/* Aggregates a dump, which belongs to the caller and must outlive the input. 0, or an
 * error of profile_open or filter_apply; the caller closes the input in any case. */
must_check int export_input_open(struct export_input *input,
                                 const struct dump_reader *reader,
                                 const struct filter *filter);

void export_input_close(struct export_input *input);

/* When what a process holds was counted: at its end, or at the dump's last sample. */
uint64_t export_input_time(const struct export_input *input, uint32_t process);

/* From when on what a process allocated is exported: its start, or when it was sent. */
uint64_t export_input_since(const struct export_input *input, uint32_t process);

/* The PID of a process, by its index in the dump. */
static inline uint32_t export_input_pid(const struct export_input *input,
                                        uint32_t process) {
    return input->reader->processes[process].pid;
}
