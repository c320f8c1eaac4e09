/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "cli/command.h"
#include "cli/dump_report.h"
#include "cli/report_options.h"

static int run(int argc, char **argv) {
    struct report_options options;
    report_options_parse(
        &options, argc, argv, 2, "OLD NEW",
        "Prints what grew and what shrank from one dump to another, as "
        "tracemalloc.Snapshot.compare_to does.");
    struct frame_names names;
    struct dump_report old = {0}, new = {0};
    if (frame_names_open(&names) < 0)
        return command_fail("%s", strerror(ENOMEM));
    int status = dump_report_open(&old, options.files[0], &names, &options);
    if (status == 0)
        status = dump_report_open(&new, options.files[1], &names, &options);
    if (status == 0)
        status = dump_report_print(&new, &old, &options);
    dump_report_close(&new);
    dump_report_close(&old);
    frame_names_close(&names);
    return status;
}

const struct command command_compare = {"compare", "what grew from one dump to another",
                                        run};
