/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/selection_options.h"
#include "cli/top_loop.h"
#include "output/failure.h"
#include "process/watched.h"
#include "show/text_report.h"

enum {
    OPTION_ONCE = 0x100,
    OPTION_ALL_FRAMES,
    OPTION_TEMPORARY,
};
enum { DEFAULT_ROWS = 20, MAX_DELAY = 3600 };

struct top_options {
    const char *name; /* of the process or the file */
    struct top_settings settings;
    bool once;
    size_t limit; /* rows printed with --once */
};

static const struct argp_option argp_options[] = {
    {"once", OPTION_ONCE, NULL, 0, "Print what the screen would show, and exit", 0},
    {"limit", 'l', "LIMIT", 0,
     "With --once, print at most LIMIT lines, or 'all' (default: 20)", 0},
    {"temporary", OPTION_TEMPORARY, NULL, 0,
     "Show the blocks that were freed before their thread allocated another one, since "
     "the start",
     0},
    {"all-frames", OPTION_ALL_FRAMES, NULL, 0, "Show the frames of imports too", 0},
    {"delay", 'd', "SECONDS", 0, "Update the screen every SECONDS (default: 1)", 0},
    {0},
};

static const struct argp_child argp_children[] = {
    {.argp = &selection_shown_argp}, {.argp = &selection_born_argp}, {0}};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct top_options *options = state->input;
    switch (key) {
    case OPTION_ONCE:
        options->once = true;
        return 0;
    case OPTION_TEMPORARY:
        options->settings.selection.point = PROFILE_TEMPORARY;
        return 0;
    case ARGP_KEY_END:
        selection_check(&options->settings.selection, state);
        return 0;
    case OPTION_ALL_FRAMES:
        options->settings.selection.shows_imports = true;
        return 0;
    case 'l':
        options->limit = arguments_parse_limit(argument, state);
        return 0;
    case 'd':
        options->settings.delay =
            arguments_parse_number(argument, 1, MAX_DELAY, "seconds", state);
        return 0;
    case ARGP_KEY_ARG:
        if (options->name != NULL)
            arguments_error(state, "more than one process or dump given");
        options->name = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        arguments_error(state, "no process id or dump given");
        return 0;
    case ARGP_KEY_INIT:
        state->child_inputs[0] = state->child_inputs[1] = &options->settings.selection;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "PID|FILE",
    .doc = "Shows what a program holds while it runs, from its live dump: totals, the "
           "allocation rate, and the top lines. The process is not disturbed.\v"
           "Keys: s sorts by the next column, g groups by file, line or traceback, / "
           "filters, space pauses, the arrow keys select a line, Enter shows its "
           "traceback, q quits. If the output is not a terminal, --once is implied.",
    .children = argp_children,
};

static int print_once(struct top_loop *loop, size_t limit) {
    struct terminal terminal;
    int error = top_loop_refresh(loop);
    if (error < 0)
        return top_loop_explain(loop, error);
    terminal_open(&terminal, stdout);
    struct top_view view = top_loop_view(loop);
    view.rows = limit;
    top_report_print(&terminal, &view);
    text_report_print_completeness(&terminal, view.profile->reader, NULL);
    return command_close_output();
}

static int run(int argc, char **argv) {
    struct top_options options = {
        .limit = DEFAULT_ROWS,
        .settings = {.delay = 1},
    };
    struct watched watched;
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    if (watched_open(&watched, options.name) != 0)
        return 1;
    struct top_loop loop;
    if (top_loop_open(&loop, &watched, options.settings) < 0) {
        watched_close(&watched);
        return failure_print("%s", strerror(ENOMEM));
    }
    bool once = options.once || !isatty(STDOUT_FILENO) || !isatty(STDIN_FILENO);
    int status = once ? print_once(&loop, options.limit) : top_loop_run(&loop);
    top_loop_close(&loop);
    watched_close(&watched);
    return status;
}

const struct command command_top = {"top", "watch what a running program holds", run};
