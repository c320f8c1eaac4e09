/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <stdio.h>

#include "base/limits.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "control/options.h"
#include "output/failure.h"
#include "output/terminal_text.h"
#include "process/process_request.h"

enum { KEY_SAMPLE = 0x100 };

struct arguments {
    pid_t pid;
    uint16_t nframe;
    uint32_t sample;
};

static const struct argp_option argp_options[] = {
    {"frames", 'n', "N", 0, ARGUMENTS_FRAMES_HELP, 0},
    {"sample", KEY_SAMPLE, "BYTES", OPTION_ARG_OPTIONAL,
     "Record a sample, one in BYTES (default " OPTIONS_SAMPLE "; 0: every block)", 0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct arguments *arguments = state->input;
    switch (key) {
    case 'n':
        arguments->nframe =
            (uint16_t)arguments_parse_number(argument, 1, MAX_NFRAME, "frames", state);
        return 0;
    case KEY_SAMPLE:
        arguments->sample = arguments_parse_sample(&argument, state);
        if (arguments->sample == 0)
            arguments->sample = REQUEST_SAMPLE_NONE;
        return 0;
    default:
        return arguments_parse_pid(key, argument, state, &arguments->pid);
    }
}

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "PID",
    .doc = "Starts tracing a process that has the library loaded and is not being "
           "traced, and prints the name of its new dump.",
};

static bool is_tracing(struct target *target) {
    live_dump_close(&target->dump);
    return live_dump_open(&target->dump, &target->status) == 0 &&
           target_is_tracing(target);
}

static int start(struct target *target, const struct arguments *arguments) {
    if (target_is_tracing(target))
        return failure_print("process %d is already being traced", (int)target->pid);
    int status = target_request(
        target, (struct request){REQUEST_START, arguments->nframe, arguments->sample},
        is_tracing);
    if (status == 0)
        terminal_text_line(stdout, target->dump.path);
    return status;
}

static int run(int argc, char **argv) {
    struct arguments arguments = {0, DEFAULT_NFRAME, REQUEST_SAMPLE_DEFAULT};
    struct target target;
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (target_open(&target, arguments.pid) != 0)
        return 1;
    int status = start(&target, &arguments);
    target_close(&target);
    return status != 0 ? status : command_close_output();
}

const struct command command_start = {"start", "start tracing a process", run};
