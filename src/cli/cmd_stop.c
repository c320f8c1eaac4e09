/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <stdio.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "output/failure.h"
#include "output/terminal_text.h"
#include "process/process_request.h"

static error_t parse(int key, char *argument, struct argp_state *state) {
    return arguments_parse_pid(key, argument, state, state->input);
}

static const struct argp argp = {
    .parser = parse,
    .args_doc = "PID",
    .doc =
        "Stops tracing a process, completes its dump and prints the dump's name. The "
        "process goes on; `tracemalloc start` traces it again.",
};

static bool is_stopped(struct target *target) {
    return live_dump_refresh(&target->dump) == 0 &&
           target->dump.header.state == TRACEMALLOC_DUMP_STOPPED;
}

/* A dump that is a memory file of the process disappears when tracing stops. */
static bool has_no_dump(struct target *target) {
    live_dump_close(&target->dump);
    return live_dump_open(&target->dump, &target->status) == 0 && target->dump.fd < 0;
}

static int stop(struct target *target) {
    if (!target_is_tracing(target))
        return failure_print("process %d is not being traced", (int)target->pid);
    bool nameless = target->dump.is_memory;
    int status = target_request(target, (struct request){.kind = REQUEST_STOP},
                                nameless ? has_no_dump : is_stopped);
    if (status == 0 && !nameless)
        terminal_text_line(stdout, target->dump.path);
    return status;
}

static int run(int argc, char **argv) {
    struct target target;
    pid_t pid = 0;
    argp_parse(&argp, argc, argv, 0, NULL, &pid);
    if (target_open(&target, pid) != 0)
        return 1;
    int status = stop(&target);
    target_close(&target);
    return status != 0 ? status : command_close_output();
}

const struct command command_stop = {"stop", "stop tracing a process", run};
