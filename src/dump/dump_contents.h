/* SPDX-License-Identifier: MIT */
/* A dump that was opened: its sections as arrays of the structs of tracemalloc_dump.h.
 *
 * Only dump/, merge/ and symbols/ fill or change one; other code reads it through a
 * pointer to const. Each id in it names an entry that is there, and parents come before
 * their children. The sections are described in dump_sections.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_history.h"
#include "tracemalloc_dump.h"

/* States beside those of enum tracemalloc_dump_state: TRACING in the file, but the
 * process is gone, or cannot be seen from here. */
enum { DUMP_READER_KILLED = 100, DUMP_READER_UNKNOWN = 101 };

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
    bool is_interpreter; /* stands for frames of the interpreter; no address */
};

struct dump_reader {
    /* As it was last read. Its bytes and its peak are what they were before the buckets
     * were read, and the peak is ended: where the bytes were at their maximum, it is
     * the one that was not yet written. */
    struct tracemalloc_dump_header header;
    uint32_t state;    /* enum tracemalloc_dump_state, or one of the above */
    uint32_t owner;    /* of the file: a user's number */
    uint32_t group;    /* of the file */
    uint32_t mode;     /* rights to the file; of a merged one, those to all its dumps */
    bool hides_source; /* no lines of source are shown: set by the command */
    uint64_t damaged;  /* entries that named what is not there */
    uint64_t missing;  /* entries counted that the file does not hold */

    struct tracemalloc_dump_bucket *buckets; /* counts are 0 where damaged */
    size_t bucket_count;
    struct tracemalloc_dump_site *sites;
    size_t site_count;
    struct tracemalloc_dump_stack *stacks; /* at least the empty one */
    size_t stack_count;
    struct tracemalloc_dump_code *code; /* at least the empty one */
    size_t code_count;
    struct tracemalloc_dump_domain *domains; /* at least one */
    size_t domain_count;
    struct tracemalloc_dump_module *modules;
    size_t module_count;
    struct tracemalloc_dump_timeline_sample *timeline;
    size_t timeline_count;
    /* By process, and by time; at most TRACEMALLOC_DUMP_MAX_EPOCHS of each. */
    struct tracemalloc_dump_epoch *epochs;
    size_t epoch_count;
    /* At least one, the header's. Their state may be one of ours too. */
    struct tracemalloc_dump_process *processes;
    size_t process_count;
    struct tracemalloc_dump_symbol *symbols; /* in order */
    size_t symbol_count;
    char *strings; /* see dump_reader_text */
    size_t string_bytes;

    /* Code from `first_native` on is that of native frames: none as it was read, see
     * report/native_frames.h. */
    const struct dump_native *natives;
    size_t native_count;
    uint32_t first_native;
    /* By site: the node of the native frame that stands for it beneath its stack,
     * or 0; NULL as it was read, see symbols/shown_stacks.h. */
    const uint32_t *details;
    /* What stacks were cut to, for all of their frames are too many to be shown; 0
     * where they were not. */
    uint32_t cut_frames;

    /* By site: its stack with the frames that are folded in the one it has. NULL:
     * nothing is folded, see profile/import_frames.h. */
    const uint32_t *recorded;
};

/* The index of the site that a bucket counts for. */
static inline uint32_t dump_bucket_site(const struct tracemalloc_dump_bucket *bucket) {
    return bucket->site & ~TRACEMALLOC_DUMP_NOT_PYTHON;
}

/* The epochs of a process. */
static inline struct dump_epochs dump_reader_epochs(const struct dump_reader *reader,
                                                    uint32_t process) {
    struct dump_epochs epochs = {0};
    size_t first = 0, end = reader->epoch_count;
    while (first < end) {
        size_t middle = (first + end) / 2;
        if (reader->epochs[middle].process < process)
            first = middle + 1;
        else
            end = middle;
    }
    epochs.entries = reader->epochs + first;
    while (first + epochs.count < reader->epoch_count &&
           epochs.entries[epochs.count].process == process)
        epochs.count++;
    return epochs;
}

/* The blocks that a bucket held at the peak. */
static inline uint32_t dump_bucket_peak(const struct tracemalloc_dump_header *header,
                                        const struct tracemalloc_dump_bucket *bucket) {
    return dump_history_is_older(bucket->stamp, header->peak_number)
               ? bucket->live
               : bucket->peak_live;
}

/* The stack of a site with all its frames. */
static inline uint32_t dump_reader_recorded(const struct dump_reader *reader,
                                            size_t site) {
    return reader->recorded != NULL ? reader->recorded[site]
                                    : reader->sites[site].stack;
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
