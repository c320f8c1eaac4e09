/* SPDX-License-Identifier: MIT */
/* The dumps of processes that are watched, of their descendants, and of those that came
 * and ended in the meantime.
 *
 * Processes are found in /proc, and dumps in the directories of those that are known:
 * by the PID of the parent, the run, or the same process. Offline code, one thread;
 * allocates. The processes are not disturbed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "process/container_id.h"

struct family_process {
    pid_t pid;      /* in this PID namespace */
    uint64_t start; /* clock ticks since boot */
};

struct family_dump {
    int fd; /* -1 once it is finished */
    dev_t device;
    ino_t inode;
    char *name;
    char container[CONTAINER_ID_SIZE];
    /* Of its header. */
    uint32_t pid;
    uint64_t start_time, process_start, pid_namespace, run_id;
};

struct family_directory {
    int fd;
    dev_t device;
    ino_t inode;
};

/* Empty when all zeros. */
struct process_family {
    struct family_process *processes; /* that run */
    size_t process_count, process_capacity;
    struct family_dump *dumps; /* finished ones too */
    size_t dump_count, dump_capacity;
    struct family_directory *directories;
    size_t directory_count, directory_capacity;
    bool scanned;
};

/* Adds a process by its id, or a dump by its file. 0, or 1 after failure_print. */
must_check int process_family_add(struct process_family *family, const char *name);

/* Finds what came since; the first time, without dumps that ended before. 0 or
 * -ENOMEM. */
must_check int process_family_scan(struct process_family *family);

/* Whether a process may still allocate. */
bool process_family_lives(const struct process_family *family);

/* Closes a dump, which is not reported again. */
void process_family_finish(struct family_dump *dump);

void process_family_close(struct process_family *family);
