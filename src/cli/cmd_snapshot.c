/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "dump/dump_reader.h"
#include "output/failure.h"
#include "output/new_file.h"
#include "output/terminal_text.h"
#include "process/process_request.h"
#include "process/snapshot_copy.h"

struct arguments {
    pid_t pid;
    const char *output; /* NULL: the default name */
};

static const struct argp_option argp_options[] = {
    {"output", 'o', "FILE", 0,
     "Name of the copy, a new file (default: tracemalloc.PID.snapshot.dump, with a "
     "suffix if that exists)",
     0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct arguments *arguments = state->input;
    if (key != 'o')
        return arguments_parse_pid(key, argument, state, &arguments->pid);
    arguments->output = argument;
    return 0;
}

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "PID",
    .doc = "Copies the current dump of a process, and prints the name of the copy. The "
           "process is not disturbed.",
};

static int write_copy(void *input, int fd) {
    return snapshot_copy(input, fd);
}

/* Without `output`, `path` is set to the name of the copy. */
static int copy_to(struct target *target, const char *output,
                   char path[NEW_FILE_PATH_SIZE]) {
    if (output != NULL)
        return new_file_write(output, write_copy, &target->dump);
    snprintf(path, NEW_FILE_PATH_SIZE, "tracemalloc.%d.snapshot.dump",
             (int)target->pid);
    return new_file_write_next(path, write_copy, &target->dump);
}

static int snapshot(struct target *target, const struct arguments *arguments) {
    char path[NEW_FILE_PATH_SIZE] = "";
    if (!target_is_tracing(target))
        return failure_print("process %d is not being traced", (int)target->pid);
    if (target->dump.is_memory)
        return failure_print("the dump of process %d was deleted: %s", (int)target->pid,
                             target->dump.path);
    int error = copy_to(target, arguments->output, path);
    const char *name = arguments->output != NULL ? arguments->output : path;
    if (error == -EUCLEAN)
        return failure_print("process %d: %s", (int)target->pid,
                             dump_reader_strerror(-EFBIG));
    if (error < 0)
        return failure_print("cannot write %s: %s", name, strerror(-error));
    terminal_text_line(stdout, name);
    return 0;
}

static int run(int argc, char **argv) {
    struct arguments arguments = {0};
    struct target target;
    argp_parse(&argp, argc, argv, 0, NULL, &arguments);
    if (target_open(&target, arguments.pid) != 0)
        return 1;
    int status = snapshot(&target, &arguments);
    target_close(&target);
    return status != 0 ? status : command_close_output();
}

const struct command command_snapshot = {"snapshot",
                                         "copy the dump of a running process", run};
