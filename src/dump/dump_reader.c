/* SPDX-License-Identifier: MIT */
#include "dump/dump_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dump/dump_check.h"
#include "dump/dump_process.h"
#include "dump/dump_sections.h"

/* Any file may claim free_budget bytes; beyond that, MAX_COMPRESSION times the space
 * allocated to it on disk, which is less than its size if it has holes or the file
 * system compresses. */
static const uint64_t free_budget = (uint64_t)128 << 20;
enum { MAX_COMPRESSION = 16, BLOCK_UNIT = 512 };

/* What dump_reader_strerror says of the last dump of another version. */
static _Thread_local char version_text[160];

struct loader {
    int fd;
    uint64_t file_size;
    uint64_t budget;                       /* bytes that may still be read */
    struct tracemalloc_dump_header before; /* the header before the buckets were read */
    struct dump_reader *reader;
};

/* Reads `size` bytes, or up to the end of the file. Returns the bytes read, or
 * -errno. */
static ssize_t read_at(int fd, void *buffer, size_t size, uint64_t offset) {
    size_t done = 0;
    while (done < size) {
        ssize_t got =
            pread(fd, (char *)buffer + done, size - done, (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    return (ssize_t)done;
}

static int measure_file(struct loader *loader, struct stat *status) {
    if (fstat(loader->fd, status) != 0)
        return -errno;
    if (S_ISDIR(status->st_mode))
        return -EISDIR;
    if (!S_ISREG(status->st_mode))
        return -EINVAL;
    loader->file_size = (uint64_t)status->st_size;
    loader->reader->owner = status->st_uid;
    loader->reader->group = status->st_gid;
    loader->reader->mode = status->st_mode & 0777;
    return 0;
}

/* Refuses another version of the format. Its dumps name the version of the library that
 * wrote them, from version 2 on. */
static int refuse_version(const struct tracemalloc_dump_header *header) {
    char writer[TRACEMALLOC_DUMP_VERSION_SIZE] = "";
    if (header->version >= 2)
        memcpy(writer, header->library_version, sizeof writer - 1);
    bool is_known = writer[0] != '\0';
    snprintf(version_text, sizeof version_text,
             "a dump in format %" PRIu32 "%s%s, and this command reads format %d: "
             "use %s%s",
             header->version, is_known ? " of libtracemalloc " : "", writer,
             TRACEMALLOC_DUMP_VERSION,
             is_known ? "tracemalloc " : "the version that wrote it", writer);
    return -EPROTONOSUPPORT;
}

static int check_header(const struct tracemalloc_dump_header *header) {
    if (header->byte_order != TRACEMALLOC_DUMP_BYTE_ORDER)
        return header->byte_order == __builtin_bswap32(TRACEMALLOC_DUMP_BYTE_ORDER)
                   ? -ENOTSUP
                   : -EUCLEAN;
    if (header->version != TRACEMALLOC_DUMP_VERSION)
        return refuse_version(header);
    for (int id = 0; id < TRACEMALLOC_DUMP_SECTIONS; id++)
        if (header->sections[id].extent_count > TRACEMALLOC_DUMP_EXTENTS)
            return -EUCLEAN;
    return 0;
}

static int read_header(struct loader *loader) {
    struct tracemalloc_dump_header *header = &loader->reader->header;
    struct stat status;
    int error = measure_file(loader, &status);
    if (error < 0)
        return error;
    memset(header, 0, sizeof *header);
    ssize_t length = read_at(loader->fd, header, sizeof *header, 0);
    if (length < 0)
        return (int)length;
    if (memcmp(header->magic, TRACEMALLOC_DUMP_MAGIC, sizeof header->magic) != 0)
        return -EBADMSG;
    if ((size_t)length < sizeof *header)
        return -EUCLEAN;
    return check_header(header);
}

uint64_t dump_reader_budget(uint64_t blocks) {
    uint64_t on_disk = blocks * BLOCK_UNIT * MAX_COMPRESSION;
    return on_disk > free_budget ? on_disk : free_budget;
}

static int grant_budget(struct loader *loader) {
    struct stat status;
    int error = measure_file(loader, &status);
    if (error < 0)
        return error;
    loader->budget = dump_reader_budget((uint64_t)status.st_blocks);
    return 0;
}

/* How many bytes of an extent are in the file. */
static uint64_t extent_bytes(const struct loader *loader,
                             const struct tracemalloc_dump_extent *extent) {
    if (extent->offset >= loader->file_size)
        return 0;
    uint64_t rest = loader->file_size - extent->offset;
    return extent->length < rest ? extent->length : rest;
}

/* How many bytes of a section are in the file, up to the first truncated extent:
 * entries after it would have wrong indices. */
static uint64_t section_bytes(const struct loader *loader,
                              const struct tracemalloc_dump_section *section) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < section->extent_count; i++) {
        uint64_t bytes = extent_bytes(loader, &section->extents[i]);
        if (__builtin_add_overflow(sum, bytes, &sum))
            return UINT64_MAX;
        if (bytes < section->extents[i].length)
            break;
    }
    return sum;
}

/* Fills `buffer` from the chain of extents. Returns the bytes read, or -errno. */
static ssize_t read_extents(const struct loader *loader,
                            const struct tracemalloc_dump_section *section,
                            char *buffer, size_t size) {
    size_t done = 0;
    for (uint32_t i = 0; i < section->extent_count && done < size; i++) {
        uint64_t bytes = extent_bytes(loader, &section->extents[i]);
        size_t wanted = bytes < size - done ? (size_t)bytes : size - done;
        ssize_t got =
            read_at(loader->fd, buffer + done, wanted, section->extents[i].offset);
        if (got < 0)
            return got;
        done += (size_t)got;
        if ((size_t)got < wanted)
            break;
    }
    return (ssize_t)done;
}

/* Returns how many entries of a section can be read, or -errno. */
static int64_t count_entries(struct loader *loader,
                             const struct dump_section_row *row) {
    const struct tracemalloc_dump_section *section =
        &loader->reader->header.sections[row->id];
    if (section->count > 0 && section->entry_size != row->entry_size)
        return -EUCLEAN;
    uint64_t present = section_bytes(loader, section) / row->entry_size;
    present = present < section->count ? present : section->count;
    if (present > loader->budget / row->entry_size)
        return -EFBIG;
    loader->budget -= present * row->entry_size;
    return (int64_t)present;
}

/* The process writes a peak when the bytes begin to fall. If they have not yet, the
 * peak is now. */
static void end_peak(struct tracemalloc_dump_header *header) {
    uint64_t bytes = header->python_bytes + header->native_bytes;
    if (bytes > header->peak_bytes) {
        header->peak_bytes = bytes;
        header->peak_number = ++header->stamp;
    }
    if (header->python_bytes > header->python_peak_bytes)
        header->python_peak_bytes = header->python_bytes;
}

/* The meaning of buckets depends on these fields of the header, as they were before the
 * buckets were read. */
static void restore_header(const struct loader *loader) {
    struct tracemalloc_dump_header *header = &loader->reader->header;
    header->finalized = loader->before.finalized;
    header->python_bytes = loader->before.python_bytes;
    header->native_bytes = loader->before.native_bytes;
    header->peak_number = loader->before.peak_number;
    header->stamp = loader->before.stamp;
    header->peak_bytes = loader->before.peak_bytes;
    header->python_peak_bytes = loader->before.python_peak_bytes;
}

/* Reads the header again, then the entries of a section, with DUMP_CHECK_SPARE zeroed
 * entries after them. */
static int load_section(struct loader *loader, const struct dump_section_row *row) {
    int error = read_header(loader);
    if (error < 0)
        return error;
    int64_t present = count_entries(loader, row);
    if (present < 0)
        return (int)present;
    if (row->id == TRACEMALLOC_DUMP_BUCKETS) {
        loader->before = loader->reader->header;
        end_peak(&loader->before);
    }
    void *entries = calloc((size_t)present + DUMP_CHECK_SPARE, row->entry_size);
    if (entries == NULL)
        return -ENOMEM;
    *dump_sections_entries(loader->reader, row) = entries;
    struct tracemalloc_dump_section section = loader->reader->header.sections[row->id];
    ssize_t length =
        read_extents(loader, &section, entries, (size_t)present * row->entry_size);
    if (length < 0)
        return (int)length;
    size_t count = (size_t)length / row->entry_size;
    *dump_sections_count(loader->reader, row) = count;
    loader->reader->missing += section.count - count;
    return 0;
}

static int load_sections(struct loader *loader) {
    int error = 0;
    for (size_t i = 0; i < TRACEMALLOC_DUMP_SECTIONS_USED && error == 0; i++)
        error = load_section(loader, &dump_sections[i]);
    return error;
}

/* A process that ends normally updates the header first, so the header is read again
 * after checking the process: if the process is gone and the header still says TRACING,
 * it was killed. */
static int find_state(struct loader *loader) {
    struct dump_reader *reader = loader->reader;
    enum dump_process_state process = dump_process_find(&reader->header, loader->fd);
    int error = read_header(loader);
    if (error < 0)
        return error;
    restore_header(loader);
    reader->state = reader->header.state;
    if (reader->state == 0 || reader->state > TRACEMALLOC_DUMP_SIGNAL) {
        reader->damaged++;
        reader->state = TRACEMALLOC_DUMP_TRACING;
    }
    if (reader->state == TRACEMALLOC_DUMP_TRACING && process != DUMP_PROCESS_RUNS)
        reader->state =
            process == DUMP_PROCESS_IS_GONE ? DUMP_READER_KILLED : DUMP_READER_UNKNOWN;
    return 0;
}

static int load(struct loader *loader) {
    int error = read_header(loader);
    if (error == 0)
        error = grant_budget(loader);
    if (error == 0)
        error = load_sections(loader);
    if (error == 0)
        error = find_state(loader);
    if (error == 0)
        error = dump_check(loader->reader);
    return error;
}

int dump_reader_open_fd(struct dump_reader **reader, int fd) {
    struct loader loader = {.fd = fd, .reader = calloc(1, sizeof **reader)};
    if (loader.reader == NULL)
        return -ENOMEM;
    int error = load(&loader);
    if (error < 0) {
        dump_reader_close(loader.reader);
        return error;
    }
    *reader = loader.reader;
    return 0;
}

int dump_reader_open(struct dump_reader **reader, const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return -errno;
    int error = dump_reader_open_fd(reader, fd);
    close(fd);
    return error;
}

const char *dump_reader_strerror(int error) {
    switch (-error) {
    case EINVAL:
        return "not a regular file";
    case EBADMSG:
        return "not a dump of libtracemalloc";
    case ENOTSUP:
        return "a dump of a machine with another byte order";
    case EPROTONOSUPPORT:
        return version_text;
    case EUCLEAN:
        return "a dump with a damaged header";
    case EFBIG:
        return "a damaged dump: it claims to be larger than the file";
    default:
        return strerror(-error);
    }
}

void dump_reader_close(struct dump_reader *reader) {
    if (reader == NULL)
        return;
    for (size_t i = 0; i < TRACEMALLOC_DUMP_SECTIONS_USED; i++)
        free(*dump_sections_entries(reader, &dump_sections[i]));
    free((void *)reader->natives);
    free((void *)reader->recorded);
    free((void *)reader->details);
    free(reader->births.epochs);
    free(reader);
}
