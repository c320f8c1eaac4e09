/* SPDX-License-Identifier: MIT */
#include <argp.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "output/failure.h"
#include "process/process_request.h"

static error_t parse(int key, char *argument, struct argp_state *state) {
    return arguments_parse_pid(key, argument, state, state->input);
}

static const struct argp argp = {
    .parser = parse,
    .args_doc = "PID",
    .doc = "Discards what was recorded of a process so far. Tracing continues in the "
           "same dump.",
};

static bool is_cleared(struct target *target) {
    return live_dump_refresh(&target->dump) == 0 &&
           target->dump.header.cleared != target->cleared;
}

static int clear(struct target *target) {
    if (!target_is_tracing(target))
        return failure_print("process %d is not being traced", (int)target->pid);
    return target_request(target, (struct request){.kind = REQUEST_CLEAR}, is_cleared);
}

static int run(int argc, char **argv) {
    struct target target;
    pid_t pid = 0;
    argp_parse(&argp, argc, argv, 0, NULL, &pid);
    if (target_open(&target, pid) != 0)
        return 1;
    int status = clear(&target);
    target_close(&target);
    return status;
}

const struct command command_clear = {
    "clear", "discard what was recorded of a process so far", run};
