/* SPDX-License-Identifier: MIT */
#include "process/live_dump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char library_name[] = "libtracemalloc.so";

/* One line of /proc/PID/maps. */
struct mapping {
    uint64_t start, end, offset;
    char permissions[5];
    unsigned long inode;
    char *path; /* part of the line */
};

static bool parse_mapping(char *line, struct mapping *out) {
    int at = 0;
    if (sscanf(line, "%lx-%lx %4s %lx %*s %lu %n", &out->start, &out->end,
               out->permissions, &out->offset, &out->inode, &at) < 5)
        return false;
    out->path = line + at;
    out->path[strcspn(out->path, "\n")] = '\0';
    return at > 0;
}

/* The kernel escapes a newline in a name as \012. */
static void unescape(char *path) {
    char *out = path;
    for (; *path != '\0'; out++)
        if (strncmp(path, "\\012", 4) == 0) {
            *out = '\n';
            path += 4;
        } else {
            *out = *path++;
        }
    *out = '\0';
}

static bool is_library(const struct mapping *mapping) {
    const char *slash = strrchr(mapping->path, '/');
    return slash != NULL &&
           strncmp(slash + 1, library_name, sizeof library_name - 1) == 0;
}

static bool may_be_dump(const struct mapping *mapping) {
    return strcmp(mapping->permissions, "rw-s") == 0 && mapping->offset == 0 &&
           mapping->inode != 0 && mapping->path[0] == '/';
}

static bool is_live(const struct live_dump *dump,
                    const struct process_status *process) {
    const struct tracemalloc_dump_header *header = &dump->header;
    return memcmp(header->magic, TRACEMALLOC_DUMP_MAGIC, sizeof header->magic) == 0 &&
           header->byte_order == TRACEMALLOC_DUMP_BYTE_ORDER &&
           header->version == TRACEMALLOC_DUMP_VERSION &&
           header->pid == process->own_pid && header->process_start == process->start &&
           header->state == TRACEMALLOC_DUMP_TRACING;
}

int live_dump_refresh(struct live_dump *dump) {
    ssize_t got =
        pread(dump->fd, &dump->header, sizeof dump->header, (off_t)dump->base);
    if (got < 0)
        return -errno;
    return (size_t)got == sizeof dump->header ? 0 : -EIO;
}

/* Opening a device may have side effects, so the type of the file is checked first. */
static int open_regular(const char *path) {
    char link[64];
    struct stat status;
    int found = open(path, O_PATH | O_CLOEXEC);
    if (found < 0)
        return -1;
    int fd = -1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", found);
    if (fstat(found, &status) == 0 && S_ISREG(status.st_mode))
        fd = open(link, O_RDONLY | O_CLOEXEC);
    close(found);
    return fd;
}

static bool try_open(struct live_dump *dump, const struct process_status *process,
                     int fd, uint64_t base) {
    dump->fd = fd;
    dump->base = base;
    if (fd >= 0 && live_dump_refresh(dump) == 0 && is_live(dump, process))
        return true;
    if (fd >= 0)
        close(fd);
    dump->fd = -1;
    return false;
}

/* The path may name a different file here than in the process (chroot, container), and
 * the file may have been deleted. Several ways are tried; the header shows whether the
 * file is the right one. */
static bool open_dump(struct live_dump *dump, const struct process_status *process,
                      const struct mapping *mapping) {
    char path[64], root[32 + 4096];
    int pid = (int)process->pid;
    snprintf(path, sizeof path, "/proc/%d/map_files/%lx-%lx", pid, mapping->start,
             mapping->end);
    if (try_open(dump, process, open_regular(path), 0) ||
        try_open(dump, process, open_regular(mapping->path), 0))
        return true;
    snprintf(root, sizeof root, "/proc/%d/root%s", pid, mapping->path);
    if (try_open(dump, process, open_regular(root), 0))
        return true;
    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    dump->is_memory =
        try_open(dump, process, open(path, O_RDONLY | O_CLOEXEC), mapping->start);
    return dump->is_memory;
}

static void try_mapping(struct live_dump *dump, const struct process_status *process,
                        char *line) {
    struct mapping mapping;
    if (!parse_mapping(line, &mapping))
        return;
    unescape(mapping.path);
    if (may_be_dump(&mapping) && open_dump(dump, process, &mapping))
        dump->path = strdup(mapping.path);
}

/* Files are opened only if the process has the library loaded. The library's mapping
 * may come after the dump's, so the mappings are read twice. */
static bool has_library(FILE *maps) {
    char *line = NULL;
    size_t size = 0;
    bool found = false;
    struct mapping mapping;
    while (!found && getline(&line, &size, maps) > 0)
        found = parse_mapping(line, &mapping) && is_library(&mapping);
    free(line);
    return found;
}

static void scan_mappings(struct live_dump *dump, const struct process_status *process,
                          FILE *maps) {
    char *line = NULL;
    size_t size = 0;
    while (dump->fd < 0 && getline(&line, &size, maps) > 0)
        try_mapping(dump, process, line);
    free(line);
}

int live_dump_open(struct live_dump *dump, const struct process_status *process) {
    char path[64];
    *dump = (struct live_dump){.fd = -1};
    snprintf(path, sizeof path, "/proc/%d/maps", (int)process->pid);
    FILE *maps = fopen(path, "re");
    if (maps == NULL)
        return errno == ENOENT ? -ESRCH : -errno;
    dump->loaded = has_library(maps);
    if (dump->loaded) {
        rewind(maps);
        scan_mappings(dump, process, maps);
    }
    int error = ferror(maps) ? -ESRCH : 0;
    fclose(maps);
    return error;
}

void live_dump_close(struct live_dump *dump) {
    if (dump->fd >= 0)
        close(dump->fd);
    free(dump->path);
    *dump = (struct live_dump){.fd = -1};
}
