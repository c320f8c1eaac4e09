/* SPDX-License-Identifier: MIT */
#include "trace/memory_limit.h"

#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>

#include "base/io.h"
#include "base/sys.h"
#include "tracemalloc_dump.h"

enum { PATH_SIZE = 4096 + 512 };

/* What the kernel calls no limit, in cgroups of version 1. */
static const uint64_t unlimited = (uint64_t)1 << 60;

static uint64_t limit_as, limit_data;

static uint64_t resource(int which) {
    uint64_t limit[2] = {0};
    if (sys_call(SYS_prlimit64, 0, which, NULL, limit) < 0 || limit[0] >= unlimited)
        return 0;
    return limit[0];
}

void memory_limit_open(void) {
    limit_as = resource(RLIMIT_AS);
    limit_data = resource(RLIMIT_DATA);
}

static void take(struct memory_limit *least, uint64_t bytes, uint32_t source) {
    if (bytes != 0 && bytes < unlimited && (least->bytes == 0 || bytes < least->bytes))
        *least = (struct memory_limit){bytes, source};
}

/* `max`, as version 2 says for none, is no number. */
static uint64_t number_at(const char *text) {
    uint64_t number = 0;
    while (*text == ' ')
        text++;
    while (*text >= '0' && *text <= '9' && number < unlimited)
        number = number * 10 + (uint64_t)(*text++ - '0');
    return number;
}

static size_t join(char *path, size_t used, const char *text, size_t length) {
    if (used + length >= PATH_SIZE)
        return PATH_SIZE;
    memcpy(path + used, text, length);
    path[used + length] = '\0';
    return used + length;
}

static uint64_t read_number(const char *mount, const char *group, size_t length,
                            const char *file) {
    static char path[PATH_SIZE];
    char text[32];
    size_t used = join(path, 0, mount, strlen(mount));
    used = join(path, used, group, length);
    used = join(path, used, "/", 1);
    used = join(path, used, file, strlen(file));
    if (used >= PATH_SIZE || io_read_file(path, text, sizeof text) <= 0)
        return 0;
    return number_at(text);
}

/* In a container the mount may be the group's own directory, whatever the group is
 * called outside. */
uint64_t memory_limit_of_group(const char *mount, const char *group, const char *file) {
    struct memory_limit least = {0};
    size_t length = strlen(group);
    for (;;) {
        take(&least, read_number(mount, group, length, file), 0);
        if (length == 0)
            return least.bytes;
        do
            length--;
        while (length > 0 && group[length] != '/');
    }
}

/* Whether a comma-separated list has the controller of memory. */
static bool has_memory(const char *list) {
    static const char name[] = "memory";
    for (; list != NULL; list = strchr(list, ',')) {
        list += *list == ',';
        size_t length = strcspn(list, ",");
        if (length == sizeof name - 1 && memcmp(list, name, length) == 0)
            return true;
    }
    return false;
}

/* ID:CONTROLLERS:PATH (proc(5)); version 2 has no controllers. */
static uint64_t limit_of_line(char *line) {
    char *list = strchr(line, ':');
    char *group = list != NULL ? strchr(list + 1, ':') : NULL;
    if (group == NULL)
        return 0;
    *list++ = *group++ = '\0';
    if (*list == '\0')
        return memory_limit_of_group("/sys/fs/cgroup", group, "memory.max");
    return has_memory(list) ? memory_limit_of_group("/sys/fs/cgroup/memory", group,
                                                    "memory.limit_in_bytes")
                            : 0;
}

static void take_groups(struct memory_limit *least) {
    static char text[PATH_SIZE];
    if (io_read_file("/proc/self/cgroup", text, sizeof text) <= 0)
        return;
    for (char *line = text, *next; *line != '\0'; line = next) {
        next = line + strcspn(line, "\n");
        if (*next != '\0')
            *next++ = '\0';
        take(least, limit_of_line(line), TRACEMALLOC_DUMP_LIMIT_CGROUP);
    }
}

static void take_machine(struct memory_limit *least, uint64_t resident) {
    static const char name[] = "\nMemAvailable:";
    char text[256];
    if (io_read_file("/proc/meminfo", text, sizeof text) <= 0)
        return;
    const char *found = strstr(text, name);
    uint64_t available = found != NULL ? number_at(found + sizeof name - 1) * 1024 : 0;
    if (available > 0)
        take(least, available + resident, TRACEMALLOC_DUMP_LIMIT_MACHINE);
}

struct memory_limit memory_limit_read(uint64_t resident) {
    struct memory_limit least = {0};
    take_groups(&least);
    take(&least, limit_as, TRACEMALLOC_DUMP_LIMIT_AS);
    take(&least, limit_data, TRACEMALLOC_DUMP_LIMIT_DATA);
    take_machine(&least, resident);
    return least;
}
