/* SPDX-License-Identifier: MIT */
#include "process/snapshot_copy.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "dump/dump_sections.h"
#include "output/copied_rights.h"

enum { CHUNK = 1 << 20 };

struct copy {
    struct live_dump *dump;
    struct tracemalloc_dump_header header; /* of the copy */
    int out;
    char *chunk;
};

static bool is_interrupted(void) {
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM) ||
           sigismember(&pending, SIGHUP) || sigismember(&pending, SIGQUIT);
}

/* A file that is shorter than its header says gives a short copy, which the reader will
 * tell. */
static int copy_range(struct copy *copy, uint64_t offset, uint64_t length) {
    while (length > 0) {
        size_t size = length < CHUNK ? (size_t)length : CHUNK;
        ssize_t got = pread(copy->dump->fd, copy->chunk, size,
                            (off_t)(copy->dump->base + offset));
        if (got <= 0)
            return got < 0 ? -errno : 0;
        int status = io_write_all(copy->out, copy->chunk, (size_t)got, offset);
        if (status < 0)
            return status;
        if (is_interrupted())
            return -EINTR;
        offset += (uint64_t)got;
        length -= (uint64_t)got;
    }
    return 0;
}

static int copy_extents(struct copy *copy,
                        const struct tracemalloc_dump_section *section) {
    uint64_t left = section->count * section->entry_size;
    int status = 0;
    for (uint32_t i = 0; i < section->extent_count && i < TRACEMALLOC_DUMP_EXTENTS;
         i++) {
        uint64_t length = section->extents[i].length;
        if (status == 0)
            status = copy_range(copy, section->extents[i].offset,
                                length < left ? length : left);
        left -= length < left ? length : left;
    }
    return status;
}

static int copy_section(struct copy *copy, unsigned id) {
    int status = live_dump_refresh(copy->dump);
    if (status < 0)
        return status;
    copy->header.sections[id] = copy->dump->header.sections[id];
    return copy_extents(copy, &copy->header.sections[id]);
}

static int copy_sections(struct copy *copy) {
    int status = 0;
    for (size_t i = 0; i < TRACEMALLOC_DUMP_SECTIONS_USED && status == 0; i++)
        status = copy_section(copy, dump_sections[i].id);
    return status;
}

/* A copy by root belongs to the dump's owner, as the dump does. */
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
    if (ftruncate(copy->out, (off_t)header->file_size) < 0)
        return -errno;
    return io_write_all(copy->out, header, sizeof *header, 0);
}

int snapshot_copy(struct live_dump *dump, int out) {
    struct copy copy = {.dump = dump, .out = out, .chunk = malloc(CHUNK)};
    if (copy.chunk == NULL)
        return -ENOMEM;
    int status = live_dump_refresh(dump);
    copy.header = dump->header;
    if (status == 0)
        status = copy_sections(&copy);
    if (status == 0)
        status = give(&copy);
    if (status == 0)
        status = finish(&copy);
    free(copy.chunk);
    return status;
}
