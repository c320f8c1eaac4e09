/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/leaks_input.h"
#include "cli/selection_options.h"
#include "leak/leak_report.h"
#include "output/failure.h"
#include "output/progress.h"
#include "show/leaks_json.h"
#include "show/leaks_text.h"
#include "show/limit_use.h"
#include "show/process_list.h"
#include "show/text_report.h"

enum {
    OPTION_JSON = 0x100,
    OPTION_FAIL,
    OPTION_ALL_FRAMES,
    ENTRIES = 3,
    STATUS_VERDICT = 3,
};

struct leaks_options {
    struct selection selection;
    size_t limit;
    bool json, fail, verbose, has_limit;
};

static const struct argp_option argp_options[] = {
    {"json", OPTION_JSON, NULL, 0, "Print JSON", 0},
    {"fail", OPTION_FAIL, NULL, 0, "Exit with status 3 if there is a leak or a backlog",
     0},
    {"verbose", 'v', NULL, 0, "Show all entries, and all lines of each", 0},
    {"limit", 'l', "N", 0, "Show N entries, or `all' (default: 3)", 0},
    {"all-frames", OPTION_ALL_FRAMES, NULL, 0, "Match patterns against all frames", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct leaks_options *options = state->input;
    switch (key) {
    case OPTION_JSON:
        options->json = true;
        return 0;
    case OPTION_FAIL:
        options->fail = true;
        return 0;
    case 'v':
        options->verbose = true;
        return 0;
    case 'l':
        options->limit = arguments_parse_limit(argument, state);
        options->has_limit = true;
        return 0;
    case OPTION_ALL_FRAMES:
        options->selection.filter.all_frames = true;
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->selection;
        return 0;
    default:
        return selection_parse_files(&options->selection, key, state);
    }
}

static const struct argp_child argp_children[] = {{.argp = &selection_pattern_argp},
                                                  {0}};

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .children = argp_children,
    .args_doc = "FILE|PID...",
    .doc = "Names the lines of a program that leak, from its dump or while it runs, "
           "with what speaks for it and against it. No snapshot is needed.",
};

static void print_text(const struct leaks_document *document,
                       const struct leaks_input *input,
                       const struct leaks_options *options) {
    struct terminal terminal;
    terminal_open(&terminal, stdout);
    char several[64], *title = NULL;
    if (document->report->processes == 1)
        title = process_list_title(input->readers[0], 0);
    snprintf(several, sizeof several, "%u processes",
             (unsigned)document->report->processes);
    size_t limit = options->has_limit ? options->limit
                   : options->verbose ? SIZE_MAX
                                      : ENTRIES;
    leaks_text_print(&terminal, document, title != NULL ? title : several, limit,
                     options->verbose);
    free(title);
    for (int i = 0; i < input->count; i++)
        if (input->dumps[i].reader != NULL)
            limit_use_print_end(&terminal, input->dumps[i].reader,
                                input->count > 1 ? input->dumps[i].name : NULL);
    for (int i = 0; i < input->count; i++)
        if (input->dumps[i].reader != NULL)
            text_report_print_completeness(&terminal, input->dumps[i].reader,
                                           input->count > 1 ? input->dumps[i].name
                                                            : NULL);
}

static int print(const struct leak_report *report, const struct leaks_input *input,
                 const struct leaks_options *options) {
    const struct leaks_document document = {
        .report = report,
        .names = &input->names,
        .readers = input->readers,
        .reader_count = input->reader_count,
        .copies = input->copies,
        .copies_count = input->copies_count,
    };
    if (report->untimed > 0)
        failure_note("%u of %u processes have no history", (unsigned)report->untimed,
                     (unsigned)report->processes);
    if (!options->json) {
        print_text(&document, input, options);
        return 0;
    }
    int error = leaks_json_print(stdout, &document);
    return error == 0 ? 0 : failure_print("cannot write JSON: %s", strerror(-error));
}

static int examine(struct leaks_input *input, const struct leaks_options *options) {
    struct leak_report report = {0};
    int status = leaks_input_open(input, &options->selection);
    if (status == 0)
        status = leaks_input_aggregate(input, &options->selection);
    if (status == 0)
        status = leaks_input_report(input, &report);
    if (status == 0)
        status = print(&report, input, options);
    if (status == 0 && options->fail && leak_report_has_verdict(&report))
        status = STATUS_VERDICT;
    leak_report_close(&report);
    return status;
}

static int run(int argc, char **argv) {
    struct leaks_options options = {0};
    struct leaks_input input;
    selection_open(&options.selection);
    options.selection.point = PROFILE_ALLOCATED;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    int status = examine(&input, &options);
    leaks_input_close(&input);
    int closed = command_close_output();
    return status != 0 ? status : closed;
}

const struct command command_leaks = {"leaks", "name the lines that leak", run};
