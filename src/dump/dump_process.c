/* SPDX-License-Identifier: MIT */
#include "dump/dump_process.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool another_boot(const struct tracemalloc_dump_header *header) {
    char boot_id[sizeof header->boot_id + 1] = "";
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    if (file == NULL)
        return false;
    bool known = fscanf(file, "%40s", boot_id) == 1 && header->boot_id[0] != '\0';
    fclose(file);
    return known && strncmp(boot_id, header->boot_id, sizeof header->boot_id) != 0;
}

/* Field 3, 20 and 22 of /proc/PID/stat (proc(5)): a process that was not waited for has
 * state Z and one thread. */
static bool another_or_dead(const char *stat, uint64_t process_start) {
    char state;
    long threads;
    unsigned long long start;
    const char *end = strrchr(stat, ')'); /* the name before may hold anything */
    if (end == NULL || sscanf(end + 1,
                              " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                              "%*s %*s %*s %ld %*s %llu",
                              &state, &threads, &start) != 3)
        return false;
    return start != process_start || (strchr("ZXx", state) != NULL && threads <= 1);
}

bool dump_process_is_gone(const struct tracemalloc_dump_header *header) {
    if (header->pid == 0 || header->pid > INT_MAX || another_boot(header))
        return true;
    if (kill((pid_t)header->pid, 0) != 0 && errno == ESRCH)
        return true;
    char path[40], stat[1024];
    snprintf(path, sizeof path, "/proc/%u/stat", header->pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false; /* of another user, where /proc hides them */
    size_t length = fread(stat, 1, sizeof stat - 1, file);
    fclose(file);
    stat[length] = '\0';
    return another_or_dead(stat, header->process_start);
}
