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

static const struct memory_limit_files files[] = {
    {"/sys/fs/cgroup", "memory.max", "memory.current", "\ninactive_file ",
     "\nactive_file "},
    {"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
     "\ntotal_inactive_file ", "\ntotal_active_file "},
};

uint64_t memory_limit_number(const char *path) {
    char text[32];
    return io_read_file(path, text, sizeof text) > 0 ? number_at(text) : 0;
}

typedef void visitor(void *context, const struct memory_limit_files *of,
                     const char *path, uint64_t limit);

static void visit_one(const struct memory_limit_files *of, const char *group,
                      size_t length, visitor *visit, void *context) {
    static char path[PATH_SIZE];
    size_t used = join(path, 0, of->mount, strlen(of->mount));
    used = join(path, used, group, length);
    used = join(path, used, "/", 1);
    used = join(path, used, of->limit, strlen(of->limit));
    uint64_t limit = used < PATH_SIZE ? memory_limit_number(path) : 0;
    if (limit != 0 && limit < unlimited)
        visit(context, of, path, limit);
}

/* In a container the mount may be the group's own directory, whatever the group is
 * called outside. */
static void visit_group(const struct memory_limit_files *of, const char *group,
                        visitor *visit, void *context) {
    size_t length = strlen(group);
    for (;;) {
        visit_one(of, group, length, visit, context);
        if (length == 0)
            return;
        do
            length--;
        while (length > 0 && group[length] != '/');
    }
}

static void take_group(void *context, const struct memory_limit_files *of,
                       const char *path, uint64_t limit) {
    (void)of;
    (void)path;
    take(context, limit, TRACEMALLOC_DUMP_LIMIT_CGROUP);
}

uint64_t memory_limit_of_group(const char *mount, const char *group, const char *file) {
    struct memory_limit least = {0};
    const struct memory_limit_files of = {.mount = mount, .limit = file};
    visit_group(&of, group, take_group, &least);
    return least.bytes;
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
static void visit_line(char *line, visitor *visit, void *context) {
    char *list = strchr(line, ':');
    char *group = list != NULL ? strchr(list + 1, ':') : NULL;
    if (group == NULL)
        return;
    *list++ = *group++ = '\0';
    if (*list == '\0' || has_memory(list))
        visit_group(&files[*list != '\0'], group, visit, context);
}

static void visit_groups(visitor *visit, void *context) {
    static char text[PATH_SIZE];
    if (io_read_file("/proc/self/cgroup", text, sizeof text) <= 0)
        return;
    for (char *line = text, *next; *line != '\0'; line = next) {
        next = line + strcspn(line, "\n");
        if (*next != '\0')
            *next++ = '\0';
        visit_line(line, visit, context);
    }
}

uint64_t memory_limit_number_after(const char *text, const char *name) {
    const char *found = strstr(text, name);
    return found != NULL ? number_at(found + strlen(name)) : 0;
}

static void take_machine(struct memory_limit *least, uint64_t resident) {
    char text[256];
    if (io_read_file("/proc/meminfo", text, sizeof text) <= 0)
        return;
    uint64_t available = memory_limit_number_after(text, "\nMemAvailable:") * 1024;
    if (available > 0)
        take(least, available + resident, TRACEMALLOC_DUMP_LIMIT_MACHINE);
}

struct memory_limit memory_limit_read(uint64_t resident) {
    struct memory_limit least = {0};
    visit_groups(take_group, &least);
    take(&least, limit_as, TRACEMALLOC_DUMP_LIMIT_AS);
    take(&least, limit_data, TRACEMALLOC_DUMP_LIMIT_DATA);
    take_machine(&least, resident);
    return least;
}

uint64_t memory_limit_of_resource(uint32_t source) {
    return source == TRACEMALLOC_DUMP_LIMIT_AS ? limit_as : limit_data;
}

static void report_group(void *context, const struct memory_limit_files *of,
                         const char *path, uint64_t limit) {
    memory_limit_found **found = context;
    const struct memory_limit group = {limit, TRACEMALLOC_DUMP_LIMIT_CGROUP};
    (*found)(&group, of, path);
}

void memory_limit_each(uint64_t resident, memory_limit_found *found) {
    struct memory_limit machine = {0};
    visit_groups(report_group, &found);
    take_machine(&machine, resident);
    if (machine.bytes != 0)
        found(&machine, NULL, NULL);
}
