/* SPDX-License-Identifier: MIT */
#include "process/snapshot_copy.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "dump/dump_reader.h"
#include "dump/dump_sections.h"
#include "output/copied_rights.h"

enum { CHUNK = 1 << 20 };

struct copy {
    struct live_dump *dump;
    struct tracemalloc_dump_header header; /* of the copy */
    int out;
    char *chunk;
    uint64_t budget; /* bytes that may still be copied */
};

static bool is_interrupted(void) {
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM) ||
           sigismember(&pending, SIGHUP) || sigismember(&pending, SIGQUIT);
}

/* Finds the next data at or after *start: sets *start to its beginning and *stop to its
 * end, neither beyond `end`; both to `end` if there is none. A file system that does
 * not report holes has data everywhere. */
static void find_data(int fd, uint64_t *start, uint64_t *stop, uint64_t end) {
    off_t data = lseek(fd, (off_t)*start, SEEK_DATA);
    if (data < 0 && errno == ENXIO) {
        *start = *stop = end;
        return;
    }
    off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
    if (data >= 0)
        *start = (uint64_t)data < end ? (uint64_t)data : end;
    *stop = hole < 0 || (uint64_t)hole > end ? end : (uint64_t)hole;
}

static int copy_data(struct copy *copy, uint64_t start, uint64_t stop) {
    while (start < stop) {
        size_t size = stop - start < CHUNK ? (size_t)(stop - start) : CHUNK;
        ssize_t got = pread(copy->dump->fd, copy->chunk, size, (off_t)start);
        if (got <= 0)
            return got < 0 ? -errno : 0;
        int error = io_write_all(copy->out, copy->chunk, (size_t)got, start);
        if (error < 0)
            return error;
        if (is_interrupted())
            return -EINTR;
        start += (uint64_t)got;
    }
    return 0;
}

/* If the file is shorter than its header claims, so is the copy, which its reader
 * reports. Holes are not copied, and do not count towards the budget. */
static int copy_range(struct copy *copy, uint64_t offset, uint64_t length) {
    uint64_t end;
    if (__builtin_add_overflow(offset, length, &end) || end > INT64_MAX)
        return -EUCLEAN;
    while (offset < end) {
        uint64_t stop;
        find_data(copy->dump->fd, &offset, &stop, end);
        if (stop - offset > copy->budget)
            return -EUCLEAN;
        copy->budget -= stop - offset;
        int error = copy_data(copy, offset, stop);
        if (error < 0)
            return error;
        offset = stop;
    }
    return 0;
}

static int copy_extents(struct copy *copy,
                        const struct tracemalloc_dump_section *section) {
    uint64_t left = section->count * section->entry_size;
    int error = 0;
    for (uint32_t i = 0; i < section->extent_count && i < TRACEMALLOC_DUMP_EXTENTS;
         i++) {
        uint64_t length = section->extents[i].length;
        if (error == 0)
            error = copy_range(copy, section->extents[i].offset,
                               length < left ? length : left);
        left -= length < left ? length : left;
    }
    return error;
}

static int copy_section(struct copy *copy, unsigned id) {
    int error = live_dump_refresh(copy->dump);
    if (error < 0)
        return error;
    copy->header.sections[id] = copy->dump->header.sections[id];
    return copy_extents(copy, &copy->header.sections[id]);
}

static int copy_sections(struct copy *copy) {
    int error = 0;
    for (size_t i = 0; i < TRACEMALLOC_DUMP_SECTIONS_USED && error == 0; i++)
        error = copy_section(copy, dump_sections[i].id);
    return error;
}

/* If root makes the copy, it is given to the dump's owner. */
static int give(struct copy *copy) {
    struct stat status;
    if (fstat(copy->dump->fd, &status) != 0)
        return -errno;
    const struct copied_rights rights = {status.st_uid, status.st_gid, 0};
    if (!copied_rights_give(copy->out, &rights))
        copy->header.foreign = 1;
    return 0;
}

static int finish(struct copy *copy) {
    struct tracemalloc_dump_header *header = &copy->header;
    header->file_size = copy->dump->header.file_size;
    header->state = TRACEMALLOC_DUMP_SNAPSHOT;
    header->end_time = process_clock();
    header->request_signal = 0;
    /* The process may have dropped its census meanwhile. */
    header->census_time = copy->dump->header.census_time;
    if (ftruncate(copy->out, (off_t)header->file_size) < 0)
        return -errno;
    return io_write_all(copy->out, header, sizeof *header, 0);
}

int snapshot_copy(struct live_dump *dump, int out) {
    struct copy copy = {.dump = dump, .out = out, .chunk = malloc(CHUNK)};
    if (copy.chunk == NULL)
        return -ENOMEM;
    struct stat file;
    int error = fstat(dump->fd, &file) == 0 ? live_dump_refresh(dump) : -errno;
    copy.header = dump->header;
    if (error == 0)
        copy.budget = dump_reader_budget((uint64_t)file.st_blocks);
    if (error == 0)
        error = copy_sections(&copy);
    if (error == 0)
        error = give(&copy);
    if (error == 0)
        error = finish(&copy);
    free(copy.chunk);
    return error;
}
