/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/dump_report.h"
#include "cli/process_report.h"
#include "cli/selection_options.h"
#include "output/failure.h"
#include "output/progress.h"
#include "show/births_report.h"
#include "show/process_list.h"
#include "show/summary_advice.h"
#include "show/summary_json.h"
#include "show/summary_text.h"
#include "show/text_report.h"

enum {
    OPTION_JSON = 0x100,
    OPTION_BY,
    OPTION_ALL_FRAMES,
};

struct summary_options {
    /* Only files, births, by_process, and how frames are shown. */
    struct selection selection;
    bool json;
};

static const struct argp_option argp_options[] = {
    {"json", OPTION_JSON, NULL, 0, "Print JSON", 0},
    {"by", OPTION_BY, "process", 0, "Summarize each process separately", 0},
    {"all-frames", OPTION_ALL_FRAMES, NULL, 0, "Show the frames of imports too", 0},
    {0},
};

static const struct argp_child argp_children[] = {
    {.argp = &selection_shown_argp}, {.argp = &selection_born_argp}, {0}};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct summary_options *options = state->input;
    switch (key) {
    case OPTION_JSON:
        options->json = options->selection.shows_imports = true;
        return 0;
    case OPTION_BY:
        selection_parse_by(&options->selection, argument, state);
        return 0;
    case OPTION_ALL_FRAMES:
        options->selection.shows_imports = true;
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->child_inputs[1] = &options->selection;
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
        "Shows on one screen how a program ended, its peak, its heap over time, what "
        "holds most, what its resident memory consists of, and what to do next.",
    .children = argp_children,
};

static int print_json(const struct summary *summary) {
    struct json_writer writer;
    if (json_writer_open(&writer, stdout) < 0)
        return failure_print("%s", strerror(ENOMEM));
    json_writer_open_map(&writer);
    process_list_add_json(&writer, summary->reader, 0);
    births_report_add_json(&writer, "born", summary->reader);
    summary_json_add(&writer, summary);
    json_writer_close_map(&writer);
    int error = json_writer_close(&writer);
    return error < 0 ? failure_print("cannot write JSON: %s", strerror(-error)) : 0;
}

static void print_text(const struct summary *summary) {
    struct terminal terminal;
    terminal_open(&terminal, stdout);
    births_report_print(&terminal, summary->reader, NULL);
    summary_text_print(&terminal, summary);
    text_report_print_completeness(&terminal, summary->reader, NULL);
}

static int summarize(const void *input, char *const *files, int count) {
    const struct summary_options *options = input;
    struct dump_reader *reader;
    struct summary summary;
    const struct dump_report_stacks stacks = {.native = SHOWN_NATIVE_BY_OWNER};
    if (dump_report_read_shown(&reader, files, count, &options->selection, stacks) != 0)
        return 1;
    progress_say("counting the blocks");
    int error = summary_open(&summary, reader), status = 0;
    if (error == 0)
        summary_advice_give(&summary);
    progress_end();
    if (error < 0)
        status = failure_print("%s", strerror(-error));
    else if (options->json)
        status = print_json(&summary);
    else
        print_text(&summary);
    summary_close(&summary);
    dump_reader_close(reader);
    return status;
}

static int run(int argc, char **argv) {
    struct summary_options options = {0};
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    int status =
        selection_report(&options.selection, options.json, summarize, &options);
    return status != 0 ? status : command_close_output();
}

const struct command command_summary = {"summary",
                                        "show a program's memory on one screen", run};
