/* SPDX-License-Identifier: MIT */
#include "dump/dump_copy.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/vfs.h>

#include "base/io.h"
#include "base/machine.h"
#include "base/sys.h"
#include "dump/dump_growth.h"
#include "dump/dump_name.h"

enum { STEP = 1 << 20 }; /* bytes whose pages may be in memory, twice */

static uint64_t used_bytes(const struct tracemalloc_dump_section *entry) {
    return machine_whole_pages(entry->count * entry->entry_size);
}

/* The disk writes the last step while the one before it is dropped. Where the file
 * system cannot do so, the kernel drops the pages when it needs them. */
static void drop_pages(int fd, uint64_t offset, uint64_t length) {
    sys_call(SYS_sync_file_range, fd, offset, length, SYNC_FILE_RANGE_WRITE);
    if (offset < STEP)
        return;
    sys_call(SYS_sync_file_range, fd, offset - STEP, STEP,
             SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                 SYNC_FILE_RANGE_WAIT_AFTER);
    sys_call(SYS_fadvise64, fd, offset - STEP, STEP, POSIX_FADV_DONTNEED);
}

static int write_steps(int fd, const unsigned char *bytes, uint64_t length,
                       uint64_t offset, bool spares_memory) {
    if (!spares_memory)
        return io_write_all(fd, bytes, length, offset);
    int error = 0;
    while (length > 0 && error == 0) {
        uint64_t size = length < STEP ? length : STEP;
        error = io_write_all(fd, bytes, size, offset);
        drop_pages(fd, offset, size);
        bytes += size;
        offset += size;
        length -= size;
    }
    return error;
}

static int write_sections(const struct dump_file *file, int fd,
                          struct tracemalloc_dump_header *header, bool spares_memory) {
    uint64_t offset = TRACEMALLOC_DUMP_HEADER_SIZE;
    int error = 0;
    for (unsigned section = 0; section < TRACEMALLOC_DUMP_SECTIONS && error == 0;
         section++) {
        struct tracemalloc_dump_section *entry = &header->sections[section];
        uint64_t length = used_bytes(entry);
        memset(entry->extents, 0, sizeof entry->extents);
        entry->extent_count = length != 0;
        if (length == 0)
            continue;
        entry->extents[0] = (struct tracemalloc_dump_extent){offset, length};
        error = dump_growth_check(file, offset + length);
        if (error == 0)
            error = write_steps(fd, file->base[section], length, offset, spares_memory);
        offset += length;
    }
    header->file_size = offset;
    if (error == 0)
        error = io_write_all(fd, header, TRACEMALLOC_DUMP_HEADER_SIZE, 0);
    return error;
}

/* Fills a new file; removes it if that fails. */
static int fill(const struct dump_file *file, int fd, const char *path,
                const struct dump_copy *copy) {
    struct tracemalloc_dump_header *header =
        sys_mmap(NULL, TRACEMALLOC_DUMP_HEADER_SIZE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int error = sys_failed(header) ? -ENOMEM : 0;
    if (error == 0) {
        memcpy(header, file->header, TRACEMALLOC_DUMP_HEADER_SIZE);
        header->state = TRACEMALLOC_DUMP_SNAPSHOT;
        header->end_time = copy->end_time;
        header->reached_percent = copy->reached_percent;
        header->reached_bytes = copy->reached_bytes;
        error = write_sections(file, fd, header, copy->spares_memory);
        sys_munmap(header, TRACEMALLOC_DUMP_HEADER_SIZE);
    }
    if (error < 0)
        sys_call(SYS_unlinkat, AT_FDCWD, path, 0);
    return error;
}

int dump_copy_to(const struct dump_file *file, const char *path,
                 const struct dump_copy *copy) {
    int fd = sys_open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fd;
    int error = fill(file, fd, path, copy);
    sys_close(fd);
    return error;
}

static bool is_in_memory(int fd) {
    struct statfs system;
    return sys_call(SYS_fstatfs, fd, &system) == 0 &&
           (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC);
}

static uint64_t copy_size(const struct dump_file *file) {
    uint64_t size = TRACEMALLOC_DUMP_HEADER_SIZE;
    for (unsigned section = 0; section < TRACEMALLOC_DUMP_SECTIONS; section++)
        size += used_bytes(&file->header->sections[section]);
    return size;
}

int dump_copy_to_free_name(const struct dump_file *file, const char *name,
                           const struct dump_copy *copy, uint64_t room,
                           char path[PATH_MAX]) {
    int fd = dump_name_create(path, name);
    if (fd < 0)
        return fd;
    int error = 0;
    if (is_in_memory(fd) && copy_size(file) > room) {
        error = -ENOMEM;
        sys_call(SYS_unlinkat, AT_FDCWD, path, 0);
    } else {
        error = fill(file, fd, path, copy);
    }
    sys_close(fd);
    return error;
}
