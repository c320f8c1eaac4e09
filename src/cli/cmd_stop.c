/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/command.h"
#include "cli/target_command.h"
#include "output/failure.h"
#include "output/terminal_text.h"

static const char doc[] =
    "Stops tracing a process, completes its dump and prints the dump's name. The "
    "process goes on; `tracemalloc start` traces it again.";

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
    return target_command_run(argc, argv, doc, stop);
}

const struct command command_stop = {"stop", "stop tracing a process", run};
