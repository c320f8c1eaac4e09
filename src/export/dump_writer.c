/* SPDX-License-Identifier: MIT */
#include "export/dump_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096 };

struct section {
    const void *entries;
    size_t entry_size;
    size_t count;
};

static int write_all(int fd, const void *bytes, size_t size, uint64_t offset) {
    const char *at = bytes;
    while (size > 0) {
        ssize_t written = pwrite(fd, at, size, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? -errno : -EIO;
        at += written;
        offset += (uint64_t)written;
        size -= (size_t)written;
    }
    return 0;
}

/* One extent for each section; *end moves on behind it. */
static int write_section(struct tracemalloc_dump_section *out,
                         const struct section *section, int fd, uint64_t *end) {
    uint64_t size = section->count * section->entry_size;
    *out = (struct tracemalloc_dump_section){
        .entry_size = (uint32_t)section->entry_size,
        .extent_count = size > 0,
        .count = section->count,
        .extents = {{*end, (size + PAGE - 1) / PAGE * PAGE}},
    };
    uint64_t offset = *end;
    *end += out->extents[0].length;
    return write_all(fd, section->entries, size, offset);
}

/* A process that was traced when it was killed is still TRACING in a file. */
static struct tracemalloc_dump_process *
copy_processes(const struct dump_reader *reader) {
    struct tracemalloc_dump_process *copy = calloc(reader->process_count, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < reader->process_count; i++) {
        copy[i] = reader->processes[i];
        if (copy[i].state == DUMP_READER_KILLED)
            copy[i].state = TRACEMALLOC_DUMP_TRACING;
    }
    return copy;
}

static int write_sections(const struct dump_reader *reader,
                          struct tracemalloc_dump_header *header,
                          const struct tracemalloc_dump_process *processes, int fd) {
    const struct section sections[TRACEMALLOC_DUMP_SECTIONS] = {
        [TRACEMALLOC_DUMP_STRINGS] = {reader->strings, 1, reader->string_bytes},
        [TRACEMALLOC_DUMP_CODE] = {reader->code, sizeof *reader->code,
                                   reader->code_count},
        [TRACEMALLOC_DUMP_STACKS] = {reader->stacks, sizeof *reader->stacks,
                                     reader->stack_count},
        [TRACEMALLOC_DUMP_TALLIES] = {reader->tallies, sizeof *reader->tallies,
                                      reader->tally_count},
        [TRACEMALLOC_DUMP_SITES] = {reader->sites, sizeof *reader->sites,
                                    reader->site_count},
        [TRACEMALLOC_DUMP_DOMAINS] = {reader->domains, sizeof *reader->domains,
                                      reader->domain_count},
        [TRACEMALLOC_DUMP_MODULES] = {reader->modules, sizeof *reader->modules,
                                      reader->module_count},
        [TRACEMALLOC_DUMP_SYMBOLS] = {reader->symbols, sizeof *reader->symbols,
                                      reader->symbol_count},
        [TRACEMALLOC_DUMP_TIMELINE] = {reader->timeline, sizeof *reader->timeline,
                                       reader->timeline_count},
        [TRACEMALLOC_DUMP_PROCESSES] = {processes, sizeof *processes,
                                        reader->process_count},
    };
    int error = 0;
    header->file_size = TRACEMALLOC_DUMP_HEADER_SIZE;
    for (int id = 0; id < TRACEMALLOC_DUMP_SECTIONS && error == 0; id++)
        error =
            write_section(&header->sections[id], &sections[id], fd, &header->file_size);
    if (error == 0 && ftruncate(fd, (off_t)header->file_size) != 0)
        error = -errno;
    return error;
}

int dump_writer_write(const struct dump_reader *reader, int fd) {
    struct tracemalloc_dump_header header = reader->header;
    struct tracemalloc_dump_process *processes = copy_processes(reader);
    if (processes == NULL)
        return -ENOMEM;
    header.lost[TRACEMALLOC_DUMP_LOST_DAMAGE] += reader->damaged + reader->missing;
    int error = write_sections(reader, &header, processes, fd);
    free(processes);
    return error < 0 ? error : write_all(fd, &header, sizeof header, 0);
}
