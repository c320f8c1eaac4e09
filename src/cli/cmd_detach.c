/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cli/command.h"
#include "cli/target_command.h"
#include "output/failure.h"
#include "output/terminal_text.h"

static const char doc[] =
    "Ends the tracing of a process that was attached to, seals its dump and "
    "prints the dump's name. The process goes on as before: nothing stands in "
    "front of its functions any more.";

/* The signal is the last that the process gives back. */
static bool has_ended(struct target *target) {
    return live_dump_refresh(&target->dump) == 0 &&
           target->dump.header.state == TRACEMALLOC_DUMP_STOPPED &&
           !target_listens(target);
}

/* What has no name goes away with the tracing. */
static bool has_left(struct target *target) {
    live_dump_close(&target->dump);
    return live_dump_open(&target->dump, &target->status) == 0 &&
           !target_is_tracing(target) && !target_listens(target);
}

static int detach(struct target *target) {
    bool has_file = target_is_tracing(target) && !target->dump.is_memory;
    if (target_is_tracing(target) && target->dump.header.loaded_late == 0)
        return failure_print("process %d was started with the library: tracemalloc "
                             "stop %d",
                             (int)target->pid, (int)target->pid);
    int status = target_request(target, (struct request){.kind = REQUEST_DETACH},
                                has_file ? has_ended : has_left);
    if (status == 0 && has_file)
        terminal_text_line(stdout, target->dump.path);
    return status;
}

static int run(int argc, char **argv) {
    return target_command_run(argc, argv, doc, detach);
}

const struct command command_detach = {
    "detach", "end the tracing of a process that was attached to", run};
