/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/dump_report.h"
#include "cli/process_report.h"
#include "cli/selection_options.h"
#include "output/failure.h"
#include "output/progress.h"
#include "profile/statistics.h"
#include "show/births_report.h"
#include "show/process_list.h"
#include "show/text_report.h"
#include "show/tree_report.h"

enum { OPTION_INVERTED = 0x100, OPTION_THRESHOLD };

struct tree_options {
    struct selection selection;
    bool inverted;
    double share; /* threshold */
};

static const struct argp_option argp_options[] = {
    {"inverted", OPTION_INVERTED, NULL, 0,
     "Start from the lines that hold the memory, and show their callers", 0},
    {"threshold", OPTION_THRESHOLD, "PERCENT", 0,
     "Fold calls with a smaller share of all bytes (default: 1)", 0},
    {0},
};

static double parse_threshold(const char *text, struct argp_state *state) {
    double share = arguments_parse_share(text, state);
    return share > TREE_REPORT_MIN_SHARE ? share : TREE_REPORT_MIN_SHARE;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct tree_options *options = state->input;
    switch (key) {
    case OPTION_INVERTED:
        options->inverted = true;
        return 0;
    case OPTION_THRESHOLD:
        options->share = parse_threshold(argument, state);
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->selection;
        return 0;
    default:
        return selection_parse_files(&options->selection, key, state);
    }
}

static const struct argp_child children[] = {{&selection_argp, 0, NULL, 0}, {0}};

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "FILE...",
    .doc = "Prints the tree of calls that hold the memory, each with its share. Calls "
           "with a share below a threshold are folded.",
    .children = children,
};

static const char *point_text(const struct profile *profile,
                              const struct tree_options *options) {
    static const char *const texts[] = {
        [PROFILE_PEAK] = "at the peak",
        [PROFILE_EXIT] = "at exit",
        [PROFILE_END] = "at the very end",
        [PROFILE_TEMPORARY] = "freed before their thread allocated another",
    };
    static const char *const several[] = {
        [PROFILE_NOW] = "each process at its own end",
        [PROFILE_PEAK] = "each process at its own peak",
        [PROFILE_EXIT] = "each process at its exit",
        [PROFILE_END] = "each process at its very end",
        [PROFILE_TEMPORARY] = "freed before their thread allocated another",
    };
    if (profile->reader->process_count > 1 && !options->selection.by_process)
        return several[options->selection.point];
    if (options->selection.point != PROFILE_NOW)
        return texts[options->selection.point];
    return profile->reader->header.finalized != 0 ? "at exit" : "now";
}

static void print_total(const struct terminal *terminal, const struct profile *profile,
                        const struct tree_options *options) {
    char size[40];
    statistics_format_size(size, sizeof size, (double)profile->total.size, false);
    terminal_print_line(terminal, TERMINAL_STRONG, "%s in %" PRIu64 " blocks, %s%s",
                        size, profile->total.count, point_text(profile, options),
                        options->inverted ? "; each line with its callers beneath"
                                          : "");
}

static int print_tree(const struct terminal *terminal, const struct profile *profile,
                      const struct tree_options *options) {
    struct call_tree tree;
    int error = options->inverted
                    ? call_tree_open_inverted(&tree, profile, options->share)
                    : call_tree_open(&tree, profile, options->share);
    if (error < 0)
        return failure_print("%s", strerror(-error));
    progress_end();
    print_total(terminal, profile, options);
    tree_report_print(terminal, &tree);
    call_tree_close(&tree);
    return 0;
}

static int print_process(const struct terminal *terminal,
                         const struct dump_reader *reader, struct frame_names *names,
                         const struct tree_options *options, uint32_t process) {
    struct profile profile = {0};
    int status = dump_report_aggregate(&profile, reader, names, &options->selection,
                                       options->selection.files[0]);
    if (status == 0) {
        process_list_keep(&profile, process);
        process_report_print_title(terminal, reader, process);
        status = print_tree(terminal, &profile, options);
        fputc('\n', terminal->out);
    }
    profile_close(&profile);
    return status;
}

static int print_processes(const struct terminal *terminal,
                           const struct profile *profile, struct frame_names *names,
                           const struct tree_options *options) {
    struct process_share *shares = process_list_shares(profile);
    if (shares == NULL)
        return failure_print("%s", strerror(ENOMEM));
    progress_end();
    int status = 0;
    for (size_t i = 0; i < profile->reader->process_count && status == 0; i++)
        status =
            print_process(terminal, profile->reader, names, options, shares[i].process);
    free(shares);
    return status;
}

static int print(const struct dump_reader *reader, const struct tree_options *options) {
    struct terminal terminal;
    struct frame_names names;
    struct profile profile = {0};
    terminal_open(&terminal, stdout);
    int status =
        frame_names_open(&names) < 0 ? failure_print("%s", strerror(ENOMEM)) : 0;
    progress_say("counting the blocks");
    if (status == 0)
        status = dump_report_aggregate(&profile, reader, &names, &options->selection,
                                       options->selection.files[0]);
    if (status == 0) {
        progress_end();
        births_report_print(&terminal, reader, NULL);
        status = options->selection.by_process
                     ? print_processes(&terminal, &profile, &names, options)
                     : print_tree(&terminal, &profile, options);
    }
    if (status == 0)
        text_report_print_completeness(&terminal, reader, NULL);
    profile_close(&profile);
    frame_names_close(&names);
    return status;
}

static int run(int argc, char **argv) {
    struct tree_options options = {.share = 0.01};
    struct dump_reader *reader;
    selection_open(&options.selection);
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    /* The inverted tree shows only frames within the limit, whose lines are certain. */
    const struct dump_report_stacks stacks = {
        .native = SHOWN_NATIVE_FOLDED, .whole = !options.inverted, .at_point = true};
    if (dump_report_read_shown(&reader, options.selection.files,
                               options.selection.file_count, &options.selection,
                               stacks) != 0)
        return 1;
    int status = print(reader, &options);
    dump_reader_close(reader);
    return status != 0 ? status : command_close_output();
}

const struct command command_tree = {
    "tree", "show the calls that hold the memory, as a tree", run};
