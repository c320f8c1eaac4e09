/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/process_request.h"
#include "cli/snapshot_copy.h"

enum { SUFFIXES = 10000 };

struct arguments {
    pid_t pid;
    const char *output; /* NULL: the default name */
};

static const struct argp_option argp_options[] = {
    {"output", 'o', "FILE", 0,
     "Name of the copy, a new file (default tracemalloc.PID.snapshot.dump with the "
     "next free "
     "suffix)",
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
    .doc = "Copies the dump of a process as it is at this moment, and prints the "
           "copy's name. "
           "The process is not asked, and does not notice.",
};

static int create(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return fd < 0 ? -errno : fd;
}

static int create_default(pid_t pid, char *path, size_t size) {
    int length = snprintf(path, size, "tracemalloc.%d.snapshot.dump", (int)pid);
    int fd = create(path);
    for (int suffix = 1; fd == -EEXIST && suffix < SUFFIXES; suffix++) {
        snprintf(path + length, size - (size_t)length, ".%d", suffix);
        fd = create(path);
    }
    return fd;
}

static void block_endings(sigset_t *before) {
    sigset_t endings;
    sigemptyset(&endings);
    sigaddset(&endings, SIGINT);
    sigaddset(&endings, SIGTERM);
    sigaddset(&endings, SIGHUP);
    sigaddset(&endings, SIGQUIT);
    sigprocmask(SIG_BLOCK, &endings, before);
}

/* Nothing is left of a copy that was not finished: a signal that would end the process
 * has to wait until then. */
static int copy_to(struct target *target, const struct arguments *arguments, char *path,
                   size_t size) {
    sigset_t before;
    block_endings(&before);
    int fd = arguments->output != NULL ? create(arguments->output)
                                       : create_default(arguments->pid, path, size);
    int status = fd < 0 ? fd : snapshot_copy(&target->dump, fd);
    if (fd >= 0 && close(fd) < 0 && status == 0)
        status = -errno;
    if (fd >= 0 && status < 0)
        unlink(arguments->output != NULL ? arguments->output : path);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}

static int snapshot(struct target *target, const struct arguments *arguments) {
    char path[64] = "";
    if (!target_is_tracing(target))
        return command_fail("process %d is not being traced", (int)target->pid);
    if (target->dump.is_memory)
        return command_fail("the dump of process %d was deleted: %s", (int)target->pid,
                            target->dump.path);
    int status = copy_to(target, arguments, path, sizeof path);
    const char *name = arguments->output != NULL ? arguments->output : path;
    if (status < 0)
        return command_fail("cannot write %s: %s", name, strerror(-status));
    puts(name);
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
