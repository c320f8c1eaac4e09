/* SPDX-License-Identifier: MIT */
#include "cli/process_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

#include "cli/command.h"
#include "cli/dump_report.h"
#include "output/failure.h"
#include "output/progress.h"
#include "show/births_report.h"
#include "show/census_report.h"
#include "show/dump_info.h"
#include "show/json_report.h"
#include "show/process_list.h"
#include "show/text_report.h"

struct process_report {
    const struct dump_reader *reader;
    struct frame_names *names;
    const struct report_options *options;
    struct terminal terminal;
    struct json_writer writer;
};

void process_report_print_title(const struct terminal *terminal,
                                const struct dump_reader *reader, uint32_t process) {
    char ending[DUMP_INFO_TEXT_SIZE * 2], *title = process_list_title(reader, process);
    if (title == NULL)
        return;
    dump_info_process_ending(reader, process, ending);
    size_t columns = terminal_put_start(terminal, TERMINAL_STRONG, "Process ", 8, 8);
    terminal_put_line(terminal, TERMINAL_STRONG, title, strlen(title), columns);
    terminal_put_line(terminal, TERMINAL_FAINT, ending, strlen(ending), 0);
    free(title);
}

static void print_text(struct process_report *report, uint32_t process,
                       const struct statistics *statistics) {
    process_report_print_title(&report->terminal, report->reader, process);
    text_report_print(&report->terminal, statistics);
    fputc('\n', report->terminal.out);
}

static void print_json(struct process_report *report, uint32_t process,
                       const struct statistics *statistics) {
    json_writer_open_map(&report->writer);
    process_list_add_json(&report->writer, report->reader, process);
    json_report_add(&report->writer, statistics, report->options->selection.point_name,
                    NULL);
    json_writer_close_map(&report->writer);
}

static int print_process(struct process_report *report, uint32_t process) {
    struct dump_report part = {0};
    struct statistics statistics;
    const struct report_options *options = report->options;
    int status = dump_report_open(&part, report->reader, report->names, options,
                                  options->selection.files[0], process);
    if (status == 0 && statistics_open(&statistics, &part.grouping) < 0)
        status = failure_print("%s", strerror(ENOMEM));
    if (status == 0) {
        statistics_sort(&statistics, options->limit);
        progress_end();
        if (options->json)
            print_json(report, process, &statistics);
        else
            print_text(report, process, &statistics);
        statistics_close(&statistics);
    }
    dump_report_close(&part);
    return status;
}

static int print_processes(struct process_report *report,
                           const struct process_share *shares) {
    int status = 0;
    for (size_t i = 0; i < report->reader->process_count && status == 0; i++)
        status = print_process(report, shares[i].process);
    return status;
}

static int print_document(struct process_report *report, struct weight total,
                          const struct process_share *shares) {
    struct json_writer *writer = &report->writer;
    if (json_writer_open(writer, stdout) < 0)
        return failure_print("%s", strerror(ENOMEM));
    json_writer_open_map(writer);
    json_writer_add_word(writer, "by", "process");
    json_writer_key(writer, "total");
    json_writer_open_map(writer);
    json_report_add_weight(writer, total);
    json_writer_close_map(writer);
    json_writer_key(writer, "processes");
    json_writer_open_list(writer);
    int status = print_processes(report, shares);
    json_writer_close_list(writer);
    json_writer_close_map(writer);
    int error = json_writer_close(writer);
    return status != 0 || error == 0
               ? status
               : failure_print("cannot write JSON: %s", strerror(-error));
}

static int print_sections(struct process_report *report, struct weight total,
                          const struct process_share *shares) {
    char size[40];
    terminal_open(&report->terminal, stdout);
    births_report_print(&report->terminal, report->reader, NULL);
    if (report->options->selection.point == PROFILE_TEMPORARY)
        text_report_print_temporary(&report->terminal);
    if (grouping_is_by_type(report->options->key))
        census_report_print(&report->terminal, report->reader, NULL);
    int status = print_processes(report, shares);
    if (status != 0)
        return status;
    statistics_format_size(size, sizeof size, (double)total.size, false);
    terminal_print_line(&report->terminal, TERMINAL_STRONG,
                        "Total of %zu processes: size=%s, count=%" PRIu64,
                        report->reader->process_count, size, total.count);
    text_report_print_completeness(&report->terminal, report->reader, NULL);
    return 0;
}

int process_report_print(const struct dump_reader *reader, struct frame_names *names,
                         const struct report_options *options) {
    struct profile profile = {0};
    struct process_report report = {reader, names, options, {0}, {0}};
    int status = dump_report_aggregate(&profile, reader, names, &options->selection,
                                       options->selection.files[0]);
    struct process_share *shares = status == 0 ? process_list_shares(&profile) : NULL;
    if (status == 0 && shares == NULL)
        status = failure_print("%s", strerror(ENOMEM));
    else if (status == 0 && options->json)
        status = print_document(&report, profile.total, shares);
    else if (status == 0)
        status = print_sections(&report, profile.total, shares);
    free(shares);
    profile_close(&profile);
    return status;
}
