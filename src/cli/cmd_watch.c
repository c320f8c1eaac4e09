/* SPDX-License-Identifier: MIT */
#include <argp.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/watch_loop.h"

enum {
    OPTION_ONCE = 0x100,
    OPTION_EVERY,
    OPTION_JSON,
    OPTION_WAIT,
    DEFAULT_ROWS = 20,
};

static const uint64_t default_interval = 2000000000;

static const struct argp_option argp_options[] = {
    {"once", OPTION_ONCE, NULL, 0, "Print the table once, and exit", 0},
    {"every", OPTION_EVERY, "INTERVAL", 0,
     "Read the dumps every INTERVAL, from 1s to 1d (default: 2s)", 0},
    {"limit", 'l', "LIMIT", 0,
     "With --once, print at most LIMIT lines, or 'all' (default: 20)", 0},
    {"json", OPTION_JSON, NULL, 0, "Print JSON, one document a line for each dump", 0},
    {"wait", OPTION_WAIT, NULL, 0, "Wait for the first dump if there is none", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct watch_options *options = state->input;
    switch (key) {
    case OPTION_ONCE:
        options->once = true;
        return 0;
    case OPTION_EVERY:
        options->interval = arguments_parse_interval(argument, state);
        return 0;
    case OPTION_JSON:
        options->json = true;
        return 0;
    case OPTION_WAIT:
        options->waits = true;
        return 0;
    case 'l':
        options->limit = arguments_parse_limit(argument, state);
        return 0;
    case ARGP_KEY_ARG:
        if (options->path != NULL)
            arguments_error(state, "more than one directory given");
        options->path = argument;
        return 0;
    case ARGP_KEY_NO_ARGS:
        arguments_error(state, "no directory given");
        return 0;
    case ARGP_KEY_END:
        if (options->once && options->waits)
            arguments_error(state, "--once does not wait");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "DIRECTORY",
    .doc = "Watches the dumps that many processes write into a directory: which of "
           "them run, how the others ended, what each holds, and which line leaks. The "
           "processes are not disturbed.\v"
           "On a terminal, the arrow keys scroll and q quits. Elsewhere a line is "
           "printed for each dump, and again when its process ends or begins to leak.",
};

static int run(int argc, char **argv) {
    struct watch_options options = {.interval = default_interval,
                                    .limit = DEFAULT_ROWS};
    argp_parse(&argp, argc, argv, 0, NULL, &options);
    return watch_loop_run(&options);
}

const struct command command_watch = {
    "watch", "watch the dumps of many processes in a directory", run};
