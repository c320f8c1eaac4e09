/* SPDX-License-Identifier: MIT */
#include "cli/dump_report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "report/json_report.h"
#include "report/terminal.h"
#include "report/text_report.h"

int dump_report_read(struct dump_reader **reader, const char *path) {
    int error = dump_reader_open(reader, path);
    if (error == 0)
        return 0;
    *reader = NULL;
    return command_fail("%s: %s", path, dump_reader_strerror(error));
}

static int weigh(struct dump_report *report, const char *path,
                 struct frame_names *names, const struct report_options *options) {
    int error = profile_open(&report->profile, report->reader, names, options->moment);
    if (error == -ENODATA)
        return command_fail(
            "%s: there is no exit to report on: the program did not get there", path);
    if (error == 0)
        error = filter_apply(&options->filter, &report->profile);
    if (error == -ENOENT)
        return command_fail("%s: there is no domain '%s'", path,
                            options->filter.domain);
    if (error == 0)
        error = grouping_open(&report->grouping, &report->profile, options->key,
                              options->cumulative);
    return error == 0 ? 0 : command_fail("%s: %s", path, strerror(-error));
}

int dump_report_open(struct dump_report *report, const char *path,
                     struct frame_names *names, const struct report_options *options) {
    *report = (struct dump_report){0};
    if (dump_report_read(&report->reader, path) != 0)
        return 1;
    return weigh(report, path, names, options);
}

void dump_report_close(struct dump_report *report) {
    grouping_close(&report->grouping);
    profile_close(&report->profile);
    dump_reader_close(report->reader);
}

static int print_json(const struct statistics *statistics,
                      const struct dump_report *old,
                      const struct report_options *options) {
    int error = json_report_print(stdout, statistics, options->moment_name,
                                  old != NULL ? old->reader : NULL);
    return error == 0 ? 0 : command_fail("cannot write JSON: %s", strerror(-error));
}

static void print_text(const struct statistics *statistics,
                       const struct dump_report *old,
                       const struct report_options *options) {
    struct terminal terminal;
    terminal_open(&terminal, stdout);
    text_report_print(&terminal, statistics);
    if (old != NULL)
        text_report_print_completeness(&terminal, old->reader, options->files[0]);
    text_report_print_completeness(&terminal, statistics->grouping->profile->reader,
                                   old != NULL ? options->files[1] : NULL);
}

int dump_report_print(const struct dump_report *report, const struct dump_report *old,
                      const struct report_options *options) {
    struct statistics statistics;
    int error = old == NULL ? statistics_open(&statistics, &report->grouping)
                            : statistics_compare(&statistics, &old->grouping,
                                                 &report->grouping);
    if (error < 0)
        return command_fail("%s", strerror(-error));
    statistics_sort(&statistics, options->limit);
    int status = 0;
    if (options->json)
        status = print_json(&statistics, old, options);
    else
        print_text(&statistics, old, options);
    statistics_close(&statistics);
    return status != 0 ? status : command_close_output();
}
