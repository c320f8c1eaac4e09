/* SPDX-License-Identifier: MIT */
#include "dump/dump_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "base/machine.h"
#include "dump/dump_sections.h"

/* Writes a section as one extent at *end, and advances *end. */
static int write_section(struct tracemalloc_dump_section *out,
                         const struct dump_section_row *row, const void *entries,
                         size_t count, int fd, uint64_t *end) {
    uint64_t size = count * row->entry_size;
    *out = (struct tracemalloc_dump_section){
        .entry_size = row->entry_size,
        .extent_count = size > 0,
        .count = count,
        .extents = {{*end, machine_whole_pages(size)}},
    };
    uint64_t offset = *end;
    *end += out->extents[0].length;
    return io_write_all(fd, entries, size, offset);
}

/* In a file, a process that was killed has the state TRACING. */
static struct tracemalloc_dump_process *
copy_processes(const struct dump_reader *reader) {
    struct tracemalloc_dump_process *copy = calloc(reader->process_count, sizeof *copy);
    for (size_t i = 0; copy != NULL && i < reader->process_count; i++) {
        copy[i] = reader->processes[i];
        if (copy[i].state == DUMP_READER_KILLED)
            copy[i].state = TRACEMALLOC_DUMP_TRACING;
        else if (copy[i].state == DUMP_READER_UNKNOWN)
            copy[i].state = TRACEMALLOC_DUMP_SNAPSHOT;
    }
    return copy;
}

/* `written` is a shallow copy of the dump, whose header describes the file written. */
static int write_sections(struct dump_reader *written, int fd) {
    struct tracemalloc_dump_header *header = &written->header;
    int error = 0;
    for (unsigned id = 0; id < TRACEMALLOC_DUMP_SECTIONS; id++)
        header->sections[id] = (struct tracemalloc_dump_section){0};
    header->file_size = TRACEMALLOC_DUMP_HEADER_SIZE;
    for (unsigned i = 0; i < TRACEMALLOC_DUMP_SECTIONS_USED && error == 0; i++) {
        const struct dump_section_row *row = &dump_sections[i];
        error = write_section(
            &header->sections[row->id], row, *dump_sections_entries(written, row),
            *dump_sections_count(written, row), fd, &header->file_size);
    }
    if (error == 0 && ftruncate(fd, (off_t)header->file_size) != 0)
        error = -errno;
    return error;
}

int dump_writer_write(const struct dump_reader *reader, int fd) {
    struct dump_reader written = *reader;
    written.processes = copy_processes(reader);
    if (written.processes == NULL)
        return -ENOMEM;
    written.header.lost[TRACEMALLOC_DUMP_LOST_DAMAGE] +=
        reader->damaged + reader->missing;
    int error = write_sections(&written, fd);
    free(written.processes);
    return error < 0 ? error
                     : io_write_all(fd, &written.header, sizeof written.header, 0);
}
