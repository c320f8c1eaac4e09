/* SPDX-License-Identifier: MIT */
/* A dump as the command reads it: sections as arrays of the structs of
 * tracemalloc_dump.h.
 *
 * For offline code, any thread, no locks; allocates. A dump is data from a stranger: it
 * is copied into private memory, so that nobody can change or cut it underneath, and
 * every id in it is checked once, while it is opened. Afterwards each id names an entry
 * that is there, and parents come before their children. What was wrong is emptied or
 * replaced, and counted in `damaged`.
 *
 * A live dump changes while it is read. Sections are read from what refers to what is
 * referred to (sites, tallies, stacks, code, strings), each with a count taken just
 * before, so that nothing refers to an entry too new to be seen.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "tracemalloc_dump.h"

/* A state beside those of enum tracemalloc_dump_state: TRACING in the file, but the
 * process is gone. */
enum { DUMP_READER_KILLED = 100 };

/* Bytes that `dump_reader` owns, followed by a NUL. They may hold NULs too. */
struct dump_text {
    const char *bytes;
    size_t length;
};

/* A frame of native code, as a code object. */
struct dump_native {
    uint64_t address; /* ELF virtual address */
    uint32_t module;
    uint32_t loading; /* of the module's file, by number: it may be unloaded, and loaded
                         again as another module */
    bool has_source;  /* the code's file name is one of a source file */
};

struct dump_reader {
    /* As it was last read. Its bytes and its peak are what they were before the sites
     * were read, and the peak is ended: where the bytes were at their maximum, it is
     * the one that was not yet written. */
    struct tracemalloc_dump_header header;
    uint32_t state;   /* enum tracemalloc_dump_state, or KILLED */
    uint64_t damaged; /* entries that named what is not there */
    uint64_t missing; /* entries counted that the file does not hold */

    const struct tracemalloc_dump_site *sites; /* counts are 0 where damaged */
    size_t site_count;
    const struct tracemalloc_dump_tally *tallies;
    size_t tally_count;
    const struct tracemalloc_dump_stack *stacks; /* at least the empty one */
    size_t stack_count;
    const struct tracemalloc_dump_code *code; /* at least the empty one */
    size_t code_count;
    const struct tracemalloc_dump_domain *domains; /* at least one */
    size_t domain_count;
    const struct tracemalloc_dump_module *modules;
    size_t module_count;
    const struct tracemalloc_dump_moment *timeline;
    size_t timeline_count;
    /* At least one, the header's. Their state may be KILLED too. */
    const struct tracemalloc_dump_process *processes;
    size_t process_count;
    const struct tracemalloc_dump_symbol *symbols; /* in order */
    size_t symbol_count;
    const char *strings; /* see dump_reader_text */
    size_t string_bytes;

    /* Code from `first_native` on is that of native frames: none as it was read, see
     * report/native_frames.h. */
    const struct dump_native *natives;
    size_t native_count;
    uint32_t first_native;
};

/* Opens and checks the dump at `path`, a regular file; never waits for a FIFO. 0, or
 * -errno: beside those of open(2) -EISDIR, -EINVAL for what is no file, -EBADMSG for
 * what is no dump, -ENOTSUP for a dump of another version, -EUCLEAN for a damaged
 * header, -EFBIG when it claims more than it holds, -ENOMEM. */
must_check int dump_reader_open(struct dump_reader **reader, const char *path);

/* The same for an open file, which stays open. */
must_check int dump_reader_open_fd(struct dump_reader **reader, int fd);

/* In words, for the errors of dump_reader_open. */
const char *dump_reader_strerror(int error);

/* NULL is allowed. */
void dump_reader_close(struct dump_reader *reader);

/* The index of the tally that a site counts for. */
static inline uint32_t dump_site_tally(const struct tracemalloc_dump_site *site) {
    return site->tally & ~TRACEMALLOC_DUMP_NOT_PYTHON;
}

/* The blocks that a site held at the peak. */
static inline uint32_t dump_site_peak(const struct tracemalloc_dump_header *header,
                                      const struct tracemalloc_dump_site *site) {
    return site->peak_number == header->peak_number ? site->peak_live : site->live;
}

/* The native frame that a code object stands for, or NULL. */
static inline const struct dump_native *
dump_reader_native(const struct dump_reader *reader, uint32_t code) {
    uint32_t number = code - reader->first_native;
    return number < reader->native_count ? &reader->natives[number] : NULL;
}

/* The text of an id that stands in the dump. */
static inline struct dump_text dump_reader_text(const struct dump_reader *reader,
                                                tracemalloc_dump_string id) {
    struct dump_text text = {.bytes = reader->strings + id + sizeof(uint32_t)};
    uint32_t length;
    __builtin_memcpy(&length, reader->strings + id, sizeof length);
    text.length = length;
    return text;
}
