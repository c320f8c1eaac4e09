/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/dump_report.h"
#include "cli/process_report.h"
#include "cli/report_options.h"
#include "output/failure.h"

static int print_whole(const struct dump_reader *reader, struct frame_names *names,
                       const struct report_options *options) {
    struct dump_report report = {0};
    int status = dump_report_open(&report, reader, names, options,
                                  options->selection.files[0], DUMP_REPORT_WHOLE);
    if (status == 0)
        status = dump_report_print(&report, NULL, options);
    dump_report_close(&report);
    return status;
}

static int run(int argc, char **argv) {
    struct report_options options;
    report_options_parse(
        &options, argc, argv, 0, "FILE...",
        "Prints what holds the memory, as tracemalloc.Snapshot.statistics does, from "
        "the dump of a program that is running or has ended, or from the dumps of "
        "several processes together.");
    struct frame_names names;
    struct dump_reader *reader;
    if (dump_report_read_shown(&reader, options.selection.files,
                               options.selection.file_count, &options.selection,
                               dump_report_stacks(&options)) != 0)
        return 1;
    int status =
        frame_names_open(&names) < 0 ? failure_print("%s", strerror(ENOMEM)) : 0;
    if (status == 0)
        status = options.selection.by_process
                     ? process_report_print(reader, &names, &options)
                     : print_whole(reader, &names, &options);
    frame_names_close(&names);
    dump_reader_close(reader);
    return status != 0 ? status : command_close_output();
}

const struct command command_stats = {"stats", "show what holds the memory, by line",
                                      run};
