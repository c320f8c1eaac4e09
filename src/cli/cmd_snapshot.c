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
    bool types;
};

enum { OPTION_TYPES = 0x100, CENSUS_TRIES = 3 };

static const struct argp_option argp_options[] = {
    {"output", 'o', "FILE", 0,
     "Name of the copy, a new file (default: tracemalloc.PID.snapshot.dump, with a "
     "suffix if that exists)",
     0},
    {"types", OPTION_TYPES, NULL, 0,
     "Count the live objects by type first, for stats -g type: the process stands "
     "still for about 0.1 s per million objects",
     0},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    struct arguments *arguments = state->input;
    switch (key) {
    case 'o':
        arguments->output = argument;
        return 0;
    case OPTION_TYPES:
        arguments->types = true;
        return 0;
    default:
        return arguments_parse_pid(key, argument, state, &arguments->pid);
    }
}

static const struct argp argp = {
    .options = argp_options,
    .parser = parse,
    .args_doc = "PID",
    .doc = "Copies the current dump of a process, and prints the name of the copy. The "
           "process is not disturbed, unless its objects are counted by type.",
};

static bool is_counted(struct target *target) {
    return live_dump_refresh(&target->dump) == 0 &&
           target->dump.header.census_number != target->census;
}

/* Returns 1. */
static int explain_refusal(const struct target *target) {
    int pid = (int)target->pid;
    switch (target->dump.header.census_refused) {
    case TRACEMALLOC_DUMP_REFUSED_VERSION:
        return failure_print("process %d: the objects of its interpreter cannot be "
                             "counted by type",
                             pid);
    case TRACEMALLOC_DUMP_REFUSED_READING:
        return failure_print("process %d: it may not read its own memory, so its "
                             "objects cannot be counted by type",
                             pid);
    case TRACEMALLOC_DUMP_REFUSED_FINALIZED:
        return failure_print("process %d is ending, and its objects are being "
                             "destroyed",
                             pid);
    default:
        return failure_print("process %d: there is no memory to count its objects by "
                             "type, or no room in its dump",
                             pid);
    }
}

static int take_census(struct target *target) {
    target->census = target->dump.header.census_number;
    if (target_request(target, (struct request){.kind = REQUEST_TYPES}, is_counted) !=
        0)
        return 1;
    return target->dump.header.census_refused == 0 ? 0 : explain_refusal(target);
}

/* What is to be copied. */
struct source {
    struct target *target;
    bool types;
};

/* A process drops its census when it reclaims buckets: if that happens before they are
 * copied, all is done again. */
static int write_copy(void *input, int fd) {
    const struct source *source = input;
    struct target *target = source->target;
    for (int i = 1;; i++) {
        int error = snapshot_copy(&target->dump, fd);
        if (error < 0 || !source->types || target->dump.header.census_time != 0)
            return error;
        if (i == CENSUS_TRIES || take_census(target) != 0)
            return -EAGAIN;
    }
}

/* Without `output`, `path` is set to the name of the copy. */
static int copy_to(struct source *source, const char *output,
                   char path[NEW_FILE_PATH_SIZE]) {
    if (output != NULL)
        return new_file_write(output, write_copy, source);
    snprintf(path, NEW_FILE_PATH_SIZE, "tracemalloc.%d.snapshot.dump",
             (int)source->target->pid);
    return new_file_write_next(path, write_copy, source);
}

static int explain(const struct target *target, const char *name, int error) {
    int pid = (int)target->pid;
    if (error == -EUCLEAN)
        return failure_print("process %d: %s", pid, dump_reader_strerror(-EFBIG));
    if (error == -EAGAIN)
        return failure_print("process %d changed while it was copied: try again", pid);
    return failure_print("cannot write %s: %s", name, strerror(-error));
}

static int snapshot(struct target *target, const struct arguments *arguments) {
    char path[NEW_FILE_PATH_SIZE] = "";
    struct source source = {target, arguments->types};
    if (!target_is_tracing(target))
        return failure_print("process %d is not being traced", (int)target->pid);
    if (target->dump.is_memory)
        return failure_print("the dump of process %d was deleted: %s", (int)target->pid,
                             target->dump.path);
    if (arguments->types && take_census(target) != 0)
        return 1;
    int error = copy_to(&source, arguments->output, path);
    const char *name = arguments->output != NULL ? arguments->output : path;
    if (error < 0)
        return explain(target, name, error);
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
