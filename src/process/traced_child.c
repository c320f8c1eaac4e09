/* SPDX-License-Identifier: MIT */
#include "process/traced_child.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include "process/live_dump.h"
#include "process/process_status.h"

enum { MAX_EXAMINED = 256 };

static bool is_traced(pid_t pid) {
    struct process_status process;
    struct live_dump dump;
    if (process_status_read(pid, &process) < 0 || live_dump_open(&dump, &process) < 0)
        return false;
    bool found = dump.fd >= 0;
    live_dump_close(&dump);
    return found;
}

static bool listens(pid_t pid) {
    struct process_status process;
    struct live_dump dump;
    if (process_status_read(pid, &process) < 0 || live_dump_open(&dump, &process) < 0)
        return false;
    bool loaded = dump.loaded;
    live_dump_close(&dump);
    return loaded &&
           process_status_catches(&process, process_status_request_signal(pid));
}

/* Appends the children of a process's main thread, up to MAX_EXAMINED in all. */
static size_t add_children(pid_t parent, pid_t *pids, size_t count) {
    char path[64];
    int child;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent, (int)parent);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return count;
    while (count < MAX_EXAMINED && fscanf(file, "%d", &child) == 1)
        pids[count++] = (pid_t)child;
    fclose(file);
    return count;
}

static pid_t find(pid_t parent, bool (*is_meant)(pid_t pid)) {
    pid_t pids[MAX_EXAMINED] = {parent};
    size_t count = 1;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && is_meant(pids[i]))
            return pids[i];
        count = add_children(pids[i], pids, count);
    }
    return -ESRCH;
}

pid_t traced_child_find(pid_t parent) {
    return find(parent, is_traced);
}

pid_t traced_child_find_listening(pid_t parent) {
    return find(parent, listens);
}
