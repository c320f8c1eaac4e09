/* SPDX-License-Identifier: MIT */
#include "process/memory_map.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collection/array.h"

enum {
    MAX_NAME = 64,             /* of which the rest of a path does not matter */
    MAX_GUARD = 1 << 20,       /* bytes below a stack */
    HEAP_ALIGNMENT = 64 << 20, /* of the heaps of libc's arenas */
    LINE = 8192,
};

struct mapping {
    uint64_t start, end, inode;
    char permissions[5];
    char name[MAX_NAME];
    uint64_t rss, anonymous, dirty, swap;
};

struct mappings {
    struct mapping *entries;
    size_t count, capacity;
};

static bool starts_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

/* `7f12a000-7f12b000 rw-p 00000000 08:01 1234   /a/path` */
static bool parse_mapping(const char *line, struct mapping *mapping) {
    int name = 0;
    *mapping = (struct mapping){0};
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*s %*s %" SCNu64 " %n",
               &mapping->start, &mapping->end, mapping->permissions, &mapping->inode,
               &name) != 4)
        return false;
    snprintf(mapping->name, sizeof mapping->name, "%s", name > 0 ? line + name : "");
    mapping->name[strcspn(mapping->name, "\n")] = '\0';
    return true;
}

/* `Rss:     1234 kB`. */
static void parse_field(const char *line, struct mapping *mapping) {
    const struct {
        const char *name;
        uint64_t *value;
    } fields[] = {{"Rss:", &mapping->rss},
                  {"Anonymous:", &mapping->anonymous},
                  {"Private_Dirty:", &mapping->dirty},
                  {"Shared_Dirty:", &mapping->dirty},
                  {"Swap:", &mapping->swap}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (starts_with(line, fields[i].name))
            *fields[i].value += strtoull(line + strlen(fields[i].name), NULL, 10) << 10;
}

static int add_mapping(struct mappings *mappings, const struct mapping *mapping) {
    if (array_reserve(&mappings->entries, &mappings->capacity, mappings->count + 1,
                      sizeof *mapping) < 0)
        return -ENOMEM;
    mappings->entries[mappings->count++] = *mapping;
    return 0;
}

static int read_mappings(struct mappings *mappings, FILE *file) {
    char line[LINE];
    struct mapping mapping;
    int error = 0;
    while (error == 0 && fgets(line, sizeof line, file) != NULL) {
        if (parse_mapping(line, &mapping))
            error = add_mapping(mappings, &mapping);
        else if (mappings->count > 0)
            parse_field(line, &mappings->entries[mappings->count - 1]);
    }
    return error == 0 && ferror(file) ? -EIO : error;
}

static bool is_private(const struct mapping *mapping) {
    return mapping->permissions[3] == 'p';
}

static bool is_inaccessible(const struct mapping *mapping) {
    return starts_with(mapping->permissions, "---");
}

static bool is_anonymous(const struct mapping *mapping) {
    return is_private(mapping) && mapping->inode == 0 &&
           (mapping->name[0] == '\0' || starts_with(mapping->name, "[anon"));
}

static const struct mapping *before(const struct mappings *mappings, size_t i) {
    const struct mapping *entry = &mappings->entries[i];
    return i > 0 && entry[-1].end == entry->start ? entry - 1 : NULL;
}

static const struct mapping *behind(const struct mappings *mappings, size_t i) {
    const struct mapping *entry = &mappings->entries[i];
    return i + 1 < mappings->count && entry[1].start == entry->end ? entry + 1 : NULL;
}

/* A file of which a part is executable. */
static bool is_module(const struct mappings *mappings, const struct mapping *mapping) {
    for (size_t i = 0; mapping->inode != 0 && i < mappings->count; i++)
        if (mappings->entries[i].inode == mapping->inode &&
            mappings->entries[i].permissions[2] == 'x')
            return true;
    return false;
}

/* What a module's data goes on with. */
static bool is_bss(const struct mappings *mappings, size_t i) {
    const struct mapping *data = before(mappings, i);
    return data != NULL && data->permissions[1] == 'w' && is_private(data) &&
           is_module(mappings, data);
}

static bool is_stack(const struct mappings *mappings, size_t i) {
    const struct mapping *guard = before(mappings, i);
    return guard != NULL && is_anonymous(guard) && is_inaccessible(guard) &&
           guard->end - guard->start <= MAX_GUARD;
}

/* The bytes at the end of a mapping that are heaps of arenas: from a multiple of the
 * alignment on, to the reserve above. What is mapped below, and full heaps above, are
 * one mapping with it. */
static uint64_t arena_bytes(const struct mappings *mappings, size_t i) {
    const struct mapping *heap = &mappings->entries[i], *rest = behind(mappings, i);
    uint64_t reserve = rest != NULL && is_inaccessible(rest) ? rest->end : heap->end;
    uint64_t start =
        (heap->start + HEAP_ALIGNMENT - 1) / HEAP_ALIGNMENT * HEAP_ALIGNMENT;
    if (start >= heap->end || reserve - start < HEAP_ALIGNMENT)
        return 0;
    bool is_whole = (reserve - start) % HEAP_ALIGNMENT == 0;
    bool is_first = start == heap->start && heap->end - start < HEAP_ALIGNMENT;
    return is_whole || is_first ? heap->end - start : 0;
}

static void add_anonymous(struct memory_map *map, const struct mappings *mappings,
                          size_t i) {
    uint64_t rss = mappings->entries[i].rss;
    uint64_t arenas = arena_bytes(mappings, i);
    if (is_bss(mappings, i)) {
        map->modules += rss;
    } else if (arenas > 0) {
        uint64_t heap = arenas < rss ? arenas : rss;
        map->heap += heap;
        map->anonymous += rss - heap;
        map->arena_count += (unsigned)((arenas + HEAP_ALIGNMENT - 1) / HEAP_ALIGNMENT);
    } else if (is_stack(mappings, i)) {
        map->stacks += rss;
        map->stack_count++;
    } else {
        map->anonymous += rss;
    }
}

static bool is_shared_memory(const struct mapping *mapping) {
    return starts_with(mapping->name, "/dev/shm/") ||
           starts_with(mapping->name, "/memfd:") ||
           starts_with(mapping->name, "/SYSV") ||
           starts_with(mapping->name, "/dev/zero");
}

static void add_file(struct memory_map *map, const struct mappings *mappings,
                     const struct mapping *mapping) {
    if (is_module(mappings, mapping)) {
        map->modules += mapping->rss;
    } else if (is_shared_memory(mapping)) {
        map->shared += mapping->rss;
        if (starts_with(mapping->name, "/dev/zero"))
            map->shared_anonymous += mapping->rss;
    } else {
        uint64_t dirty = is_private(mapping) ? mapping->anonymous : mapping->dirty;
        dirty = dirty < mapping->rss ? dirty : mapping->rss;
        map->shared += dirty;
        map->files += mapping->rss - dirty;
    }
}

static void add(struct memory_map *map, const struct mappings *mappings, size_t i,
                uint64_t dump_inode) {
    const struct mapping *mapping = &mappings->entries[i];
    map->whole += mapping->rss;
    map->swapped += mapping->swap;
    if (starts_with(mapping->name, "[heap]")) {
        map->heap += mapping->rss;
    } else if (starts_with(mapping->name, "[stack")) {
        map->stacks += mapping->rss;
        map->stack_count++;
    } else if (is_anonymous(mapping)) {
        add_anonymous(map, mappings, i);
    } else if (strstr(mapping->name, "/libtracemalloc.so") != NULL ||
               (dump_inode != 0 && mapping->inode == dump_inode)) {
        map->tracer += mapping->rss;
    } else {
        add_file(map, mappings, mapping);
    }
}

int memory_map_read(struct memory_map *map, pid_t pid, uint64_t dump_inode) {
    struct mappings mappings = {0};
    char path[40];
    *map = (struct memory_map){0};
    snprintf(path, sizeof path, "/proc/%d/smaps", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -errno;
    int error = read_mappings(&mappings, file);
    for (size_t i = 0; error == 0 && i < mappings.count; i++)
        add(map, &mappings, i, dump_inode);
    fclose(file);
    free(mappings.entries);
    return error;
}
