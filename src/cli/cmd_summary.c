/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/dump_report.h"
#include "cli/process_report.h"
#include "cli/progress.h"
#include "cli/selection_options.h"
#include "report/process_list.h"
#include "report/summary_json.h"
#include "report/summary_text.h"
#include "report/text_report.h"

enum { OPTION_JSON = 0x100, OPTION_BY };

struct summary_options {
    struct selection selection; /* its files and whether processes are told apart */
    bool json;
};

static const struct argp_option argp_options[] = {
    {"json", OPTION_JSON, NULL, 0, "Print JSON", 0},
    {"by", OPTION_BY, "process", 0, "A summary of each process", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    static const char *const by_names[] = {"process", NULL};
    struct summary_options *options = state->input;
    switch (key) {
    case OPTION_JSON:
        options->json = true;
        return 0;
    case OPTION_BY:
        selection_choose(by_names, argument, "way to tell dumps apart", state);
        options->selection.by_process = true;
        return 0;
    default:
        return selection_parse_files(&options->selection, key, state);
    }
}

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "FILE...",
    .doc =
        "Tells on one screen how a program ended, its peak, its heap over time, what "
        "holds most, what its resident memory is made of, and where to look next.",
};

static int print_json(const struct summary *summary) {
    struct json_writer writer;
    if (json_writer_open(&writer, stdout) < 0)
        return command_fail("%s", strerror(ENOMEM));
    json_writer_open_map(&writer);
    process_list_add_json(&writer, summary->reader, 0);
    summary_json_add(&writer, summary);
    json_writer_close_map(&writer);
    int error = json_writer_close(&writer);
    return error < 0 ? command_fail("cannot write JSON: %s", strerror(-error)) : 0;
}

static void print_text(const struct summary *summary) {
    struct terminal terminal;
    terminal_open(&terminal, stdout);
    summary_text_print(&terminal, summary);
    text_report_print_completeness(&terminal, summary->reader, NULL);
}

static int summarize(const struct summary_options *options, char *const *files,
                     int count) {
    struct dump_reader *reader;
    struct summary summary;
    if (dump_report_read_files(&reader, files, count) != 0)
        return 1;
    progress_say("counting the blocks");
    int error = summary_open(&summary, reader), status = 0;
    progress_end();
    if (error < 0)
        status = command_fail("%s", strerror(-error));
    else if (options->json)
        status = print_json(&summary);
    else
        print_text(&summary);
    summary_close(&summary);
    dump_reader_close(reader);
    return status;
}

/* JSON documents stand one behind the other, each on a line. */
static int summarize_each(const struct summary_options *options) {
    int status = 0;
    for (int i = 0; i < options->selection.file_count && status == 0; i++) {
        if (i > 0 && !options->json)
            putchar('\n');
        status = summarize(options, &options->selection.files[i], 1);
    }
    return status;
}

static int run(int argc, char **argv) {
    struct summary_options options = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    int status = options.selection.by_process
                     ? summarize_each(&options)
                     : summarize(&options, options.selection.files,
                                 options.selection.file_count);
    return status != 0 ? status : command_close_output();
}

const struct command command_summary = {"summary", "one screen on how a program went",
                                        run};
