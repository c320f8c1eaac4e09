/* SPDX-License-Identifier: MIT */
#include "trace/memory_use.h"

#include <string.h>

#include "base/io.h"
#include "base/process.h"
#include "base/sys.h"
#include "trace/memory_limit.h"
#include "tracemalloc_dump.h"

enum { MAX_LIMITS = 8, PATH_SIZE = 4096 + 512, STAT_SIZE = 8192 };

struct known_limit {
    struct memory_limit limit;
    const struct memory_limit_files *files; /* of a group */
    size_t directory_length;                /* with the slash */
    char path[PATH_SIZE];                   /* of a group's file */
};

static struct known_limit limits[MAX_LIMITS];
static unsigned count;

/* What has no room is an outer group, whose limit is rarely the nearest. */
static void add(const struct memory_limit *limit, const struct memory_limit_files *of,
                const char *path) {
    if (count == MAX_LIMITS)
        return;
    struct known_limit *known = &limits[count++];
    known->limit = *limit;
    known->files = of;
    if (of == NULL)
        return;
    strcpy(known->path, path);
    known->directory_length = strlen(path) - strlen(of->limit);
}

void memory_use_find_limits(void) {
    count = 0;
    memory_limit_each(process_memory_read().resident, add);
}

static void set_file(struct known_limit *known, const char *file) {
    strcpy(known->path + known->directory_length, file);
}

/* File pages cost the kernel more to sum up: they are asked for only if it matters. */
static uint64_t read_group(struct known_limit *known, unsigned percent) {
    static char text[STAT_SIZE];
    set_file(known, known->files->used);
    uint64_t used = memory_limit_number(known->path);
    if (used < known->limit.bytes / 100 * percent)
        return used;
    set_file(known, "memory.stat");
    if (io_read_file(known->path, text, sizeof text) <= 0)
        return used;
    uint64_t pages = memory_limit_number_after(text, known->files->inactive) +
                     memory_limit_number_after(text, known->files->active);
    return used > pages ? used - pages : 0;
}

/* The part of the limit that is in use. */
static double share(uint64_t used, uint64_t limit) {
    return limit != 0 ? (double)used / (double)limit : -1;
}

static void consider(struct memory_use *nearest, struct memory_limit limit,
                     uint64_t used) {
    if (share(used, limit.bytes) <= share(nearest->used, nearest->limit))
        return;
    nearest->used = used;
    nearest->limit = limit.bytes;
    nearest->source = limit.source;
}

static void consider_resource(struct memory_use *nearest, uint32_t source,
                              uint64_t used) {
    struct memory_limit limit = {memory_limit_of_resource(source), source};
    consider(nearest, limit, used);
}

struct memory_use memory_use_read(unsigned percent) {
    struct process_memory own = process_memory_read();
    struct memory_use nearest = {.resident = own.resident};
    if (!sys_confined)
        memory_limit_open();
    consider_resource(&nearest, TRACEMALLOC_DUMP_LIMIT_AS, own.addresses);
    consider_resource(&nearest, TRACEMALLOC_DUMP_LIMIT_DATA, own.data);
    for (unsigned i = 0; i < count; i++)
        consider(&nearest, limits[i].limit,
                 limits[i].files != NULL ? read_group(&limits[i], percent)
                                         : own.resident);
    return nearest;
}
