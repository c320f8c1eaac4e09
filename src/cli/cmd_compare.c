/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "cli/command.h"
#include "cli/dump_report.h"
#include "cli/report_options.h"
#include "output/failure.h"

static int compare(struct dump_reader *const readers[2], struct frame_names *names,
                   const struct report_options *options) {
    struct dump_report old = {0}, new = {0};
    char *const *files = options->selection.files;
    int status =
        dump_report_open(&old, readers[0], names, options, files[0], DUMP_REPORT_WHOLE);
    if (status == 0)
        status = dump_report_open(&new, readers[1], names, options, files[1],
                                  DUMP_REPORT_WHOLE);
    if (status == 0)
        status = dump_report_print(&new, &old, options);
    dump_report_close(&new);
    dump_report_close(&old);
    return status;
}

static int run(int argc, char **argv) {
    struct report_options options;
    report_options_parse(&options, argc, argv, 2, "OLD NEW",
                         "Prints what grew and what shrank between two dumps, as "
                         "tracemalloc.Snapshot.compare_to does.");
    struct frame_names names;
    struct dump_reader *readers[2] = {NULL, NULL};
    if (frame_names_open(&names) < 0)
        return failure_print("%s", strerror(ENOMEM));
    int status = 0;
    for (int i = 0; i < 2 && status == 0; i++)
        status =
            dump_report_read_shown(&readers[i], &options.selection.files[i], 1,
                                   &options.selection, dump_report_stacks(&options));
    if (status == 0)
        status = compare(readers, &names, &options);
    frame_names_close(&names);
    dump_reader_close(readers[0]);
    dump_reader_close(readers[1]);
    return status != 0 ? status : command_close_output();
}

const struct command command_compare = {"compare", "show what grew between two dumps",
                                        run};
