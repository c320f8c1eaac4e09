/* SPDX-License-Identifier: MIT */
#include "cli/target_command.h"

#include <argp.h>

#include "cli/arguments.h"
#include "cli/command.h"

static error_t parse(int key, char *argument, struct argp_state *state) {
    return arguments_parse_pid(key, argument, state, state->input);
}

int target_command_run(int argc, char **argv, const char *doc,
                       int (*act)(struct target *target)) {
    const struct argp argp = {.parser = parse, .args_doc = "PID", .doc = doc};
    struct target target;
    pid_t pid = 0;
    argp_parse(&argp, argc, argv, 0, NULL, &pid);
    if (target_open(&target, pid) != 0)
        return 1;
    int status = act(&target);
    target_close(&target);
    return status != 0 ? status : command_close_output();
}
