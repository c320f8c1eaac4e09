/* SPDX-License-Identifier: MIT */
#include "process/oom_counter.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Where a version of cgroups counts: as `oom_kill N` in this file of the group's
 * directory, which is in `mount`. */
static const struct counter {
    const char *mount;
    const char *file;
} unified = {"/sys/fs/cgroup", "memory.events"},
  legacy = {"/sys/fs/cgroup/memory", "memory.oom_control"};

static int64_t read_count(const char *path) {
    char line[128];
    long long count = -1;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -1;
    while (fgets(line, sizeof line, file) != NULL)
        sscanf(line, "oom_kill %lld", &count);
    fclose(file);
    return count;
}

/* In a container, the mounted directory may be the group's own, whatever the group is
 * called outside. */
static int64_t count_at(const struct counter *counter, const char *group) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s%s/%s", counter->mount, group, counter->file);
    int64_t count = read_count(path);
    if (count >= 0)
        return count;
    snprintf(path, sizeof path, "%s/%s", counter->mount, counter->file);
    return read_count(path);
}

/* Parses ID:CONTROLLERS:PATH (proc(5)). In cgroups v2, the id is 0 and there are no
 * controllers. */
static int64_t count_of_line(char *line) {
    char *controllers = strchr(line, ':');
    char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
    if (group == NULL)
        return -1;
    *group++ = '\0';
    group[strcspn(group, "\n")] = '\0';
    if (strcmp(group, "/") == 0)
        *group = '\0';
    if (strncmp(line, "0:", 2) == 0)
        return count_at(&unified, group);
    bool is_memory = strcmp(controllers + 1, "memory") == 0;
    return is_memory ? count_at(&legacy, group) : -1;
}

int64_t oom_counter_read(void) {
    char line[PATH_MAX + 64];
    int64_t count = -1;
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (file == NULL)
        return -1;
    while (count < 0 && fgets(line, sizeof line, file) != NULL)
        count = count_of_line(line);
    fclose(file);
    return count;
}
