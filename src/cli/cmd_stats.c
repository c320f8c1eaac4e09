/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "cli/command.h"
#include "cli/dump_report.h"
#include "cli/report_options.h"

static int run(int argc, char **argv) {
    struct report_options options;
    report_options_parse(
        &options, argc, argv, 1, "FILE",
        "Prints what holds the memory, as tracemalloc.Snapshot.statistics "
        "does, from the dump of a program that runs or has ended.");
    struct frame_names names;
    struct dump_report report = {0};
    if (frame_names_open(&names) < 0)
        return command_fail("%s", strerror(ENOMEM));
    int status = dump_report_open(&report, options.files[0], &names, &options);
    if (status == 0)
        status = dump_report_print(&report, NULL, &options);
    dump_report_close(&report);
    frame_names_close(&names);
    return status;
}

const struct command command_stats = {"stats", "what holds the memory, line by line",
                                      run};
