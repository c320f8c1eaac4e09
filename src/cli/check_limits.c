/* SPDX-License-Identifier: MIT */
#include "cli/check_limits.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/dump_report.h"
#include "cli/leaks_input.h"
#include "output/failure.h"
#include "profile/heap_history.h"
#include "show/completeness.h"

static void note_doubts(const struct dump_reader *reader, const char *name) {
    char reason[COMPLETENESS_TEXT_SIZE];
    for (size_t at = 0; completeness_next(reader, &at, reason);)
        failure_note("%s: incomplete: %s", name, reason);
    dump_report_note(reader, name);
}

/* By how much the highest point of the second half of the run is above that of the
 * first one. */
static uint64_t find_growth(const struct dump_reader *reader) {
    double halves[2] = {0, 0};
    heap_history_sample(reader, HEAP_HISTORY_TRACED, 0, heap_history_end(reader),
                        halves, 2);
    return halves[1] > halves[0] ? (uint64_t)(halves[1] - halves[0]) : 0;
}

static int read_filtered(uint64_t *size, const struct filter *filter,
                         const struct dump_reader *reader) {
    struct frame_names names;
    struct profile profile = {0};
    int error = frame_names_open(&names);
    if (error == 0)
        error = profile_open(&profile, reader, &names, PROFILE_PEAK);
    if (error == 0)
        error = filter_apply(filter, &profile);
    *size = profile.total.size;
    profile_close(&profile);
    frame_names_close(&names);
    return error;
}

/* A path that is not absolute may be in any directory. */
static int measure_line(struct check_limit *limit, const struct dump_reader *reader) {
    struct filter filter = {0};
    char *anywhere;
    if (asprintf(&anywhere, "*/%s", limit->pattern) < 0)
        return -ENOMEM;
    int error = filter_add(&filter, limit->pattern, true);
    if (error == 0 && limit->pattern[0] != '/')
        error = filter_add(&filter, anywhere, true);
    if (error == 0)
        error = read_filtered(&limit->value, &filter, reader);
    if (error == 0 && limit->value == 0)
        failure_note("%s held no memory at the peak: check the file and the line",
                     limit->pattern);
    free(anywhere);
    return error;
}

static int read_peak(uint64_t *peak, const struct dump_reader *reader) {
    static const struct filter everything;
    return read_filtered(peak, &everything, reader);
}

static int measure_lines(struct check_limits *limits,
                         const struct dump_reader *reader) {
    int error = 0;
    for (size_t i = CHECK_KINDS; error == 0 && i < limits->count; i++)
        error = measure_line(&limits->limits[i], reader);
    return error;
}

static int measure_dumps(struct check_limits *limits,
                         const struct selection *selection) {
    const struct dump_report_stacks stacks = {.native = SHOWN_NATIVE_BY_OWNER};
    struct dump_reader *reader;
    uint64_t peak;
    const char *name = selection->files[0];
    if (dump_report_read_shown(&reader, selection->files, selection->file_count,
                               selection, stacks) != 0)
        return 1;
    note_doubts(reader, name);
    int error = read_peak(&peak, reader);
    if (error == 0)
        error = measure_lines(limits, reader);
    limits->limits[CHECK_PEAK].value = limits->limits[CHECK_BASELINE].value = peak;
    limits->limits[CHECK_GROWTH].value = find_growth(reader);
    dump_reader_close(reader);
    return error == 0 ? 0 : failure_print("%s: %s", name, strerror(-error));
}

static int measure_baseline(struct check_limits *limits) {
    struct check_limit *limit = &limits->limits[CHECK_BASELINE];
    struct dump_reader *reader;
    uint64_t peak;
    if (limits->baseline == NULL)
        return 0;
    if (dump_report_read(&reader, limits->baseline) != 0)
        return 1;
    note_doubts(reader, limits->baseline);
    int error = read_peak(&peak, reader);
    dump_reader_close(reader);
    limit->max = peak + (uint64_t)floor((double)peak * limits->tolerance);
    return error == 0 ? 0 : failure_print("%s: %s", limits->baseline, strerror(-error));
}

static void count_leaks(struct check_limit *limit, const struct leak_report *report) {
    for (size_t i = 0; i < report->count; i++)
        limit->value += report->entries[i].word == LEAK_LEAK;
    if (!leak_report_has_rates(report))
        failure_note("the run was too short to find leaks");
}

static int measure_leaks(struct check_limits *limits,
                         const struct selection *selection) {
    struct check_limit *limit = &limits->limits[CHECK_LEAKS];
    struct leak_report report = {0};
    struct leaks_input input;
    struct selection all = *selection;
    if (!limit->is_set)
        return 0;
    all.point = PROFILE_ALLOCATED;
    int status = leaks_input_open(&input, &all);
    if (status == 0)
        status = leaks_input_aggregate(&input, &all);
    if (status == 0)
        status = leaks_input_report(&input, &report);
    if (status == 0)
        count_leaks(limit, &report);
    leak_report_close(&report);
    leaks_input_close(&input);
    return status;
}

int check_limits_measure(struct check_limits *limits,
                         const struct selection *selection) {
    int status = measure_baseline(limits);
    if (status == 0)
        status = measure_dumps(limits, selection);
    return status == 0 ? measure_leaks(limits, selection) : status;
}
