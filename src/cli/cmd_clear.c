/* SPDX-License-Identifier: MIT */
#include "cli/command.h"
#include "cli/target_command.h"
#include "output/failure.h"

static const char doc[] =
    "Discards what was recorded of a process so far. Tracing continues in the "
    "same dump.";

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
    return target_command_run(argc, argv, doc, clear);
}

const struct command command_clear = {
    "clear", "discard what was recorded of a process so far", run};
