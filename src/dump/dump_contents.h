/* SPDX-License-Identifier: MIT */
/* An open dump: its sections as arrays of the structs of tracemalloc_dump.h.
 *
 * Only dump/, merge/ and symbols/ fill or change one; other code reads it through a
 * pointer to const. Every id in it refers to an entry, and parents come before their
 * children. The sections are described in dump_sections.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_history.h"
#include "tracemalloc_dump.h"

/* States in addition to enum tracemalloc_dump_state: the file says TRACING, but the
 * process is gone, or cannot be seen from here. */
enum { DUMP_READER_KILLED = 100, DUMP_READER_UNKNOWN = 101 };

/* Bytes owned by the dump_reader, followed by a NUL. They may contain NULs too. */
struct dump_text {
    const char *bytes;
    size_t length;
};

/* The native frame that a code object represents. */
struct dump_native {
    uint64_t address; /* ELF virtual address */
    uint32_t module;
    uint32_t load_instance; /* differs if the module's file was unloaded and loaded
                               again */
    bool has_source;        /* the code object's file name is a source file */
    bool is_interpreter;    /* represents folded frames of the interpreter; no
                               address */
};

/* Which blocks are reported: those that were born in some epochs. */
struct dump_births {
    uint64_t *epochs;  /* by process: a bit for each of its epochs; NULL: all blocks */
    uint64_t from, to; /* when these epochs begin and end, nanoseconds since 1970 */
    uint64_t shortest; /* of these epochs without each process's last, nanoseconds; */
    uint64_t longest;  /* 0 if there is no other */
    uint64_t unknown;  /* blocks of `<overflow>`, left out since no birth is known */
};

struct dump_reader {
    /* As last read, except that its bytes and peak were read before the buckets, and
     * that the peak includes the present one if that had not been written yet. */
    struct tracemalloc_dump_header header;
    uint32_t state;    /* enum tracemalloc_dump_state, or one of the above */
    uint32_t owner;    /* of the file: user id */
    uint32_t group;    /* of the file: group id */
    uint32_t mode;     /* of the file; if merged, the rights common to all parts */
    bool hides_source; /* set by the command: source lines are not shown */
    uint64_t damaged;  /* invalid entries that were repaired */
    uint64_t missing;  /* entries that the header counts but the file does not have */

    struct tracemalloc_dump_bucket *buckets; /* counts are 0 if damaged */
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
    /* At least one, the header's. `state` may be DUMP_READER_KILLED too. */
    struct tracemalloc_dump_process *processes;
    size_t process_count;
    struct tracemalloc_dump_symbol *symbols; /* by module and address */
    size_t symbol_count;
    struct tracemalloc_dump_type *types; /* at least the one of no object */
    size_t type_count;
    struct tracemalloc_dump_census *census; /* blocks are 0 if damaged */
    size_t census_count;
    char *strings; /* see dump_reader_text */
    size_t string_bytes;

    /* The code objects from `first_native` on represent native frames. There are none
     * until symbols/native_frames.h adds them. */
    const struct dump_native *natives;
    size_t native_count;
    uint32_t first_native;
    /* By site: the stack whose most recent frame is the native function that allocated
     * its blocks, or 0. NULL unless symbols/shown_stacks.h attributed blocks to Python
     * frames. */
    const uint32_t *details;
    /* The depth to which stacks were cut because there were too many frames; 0 if they
     * were not. */
    uint32_t cut_frames;

    /* By site: its recorded stack, before frames were folded. NULL unless
     * profile/import_frames.h folded any. */
    const uint32_t *recorded;

    /* Set by profile/births.h. */
    struct dump_births births;
};

/* The index of a bucket's site. */
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
    if (first == reader->epoch_count)
        return epochs;
    epochs.entries = &reader->epochs[first];
    while (first + epochs.count < reader->epoch_count &&
           epochs.entries[epochs.count].process == process)
        epochs.count++;
    return epochs;
}

/* The recorded stack of a site, with all its frames. */
static inline uint32_t dump_reader_recorded(const struct dump_reader *reader,
                                            size_t site) {
    assert(site < reader->site_count);
    return reader->recorded != NULL ? reader->recorded[site]
                                    : reader->sites[site].stack;
}

/* The mean distance of samples in bytes for the blocks of a site; 0: each one is
 * recorded. */
static inline uint32_t dump_site_distance(const struct dump_reader *reader,
                                          size_t site) {
    assert(site < reader->site_count);
    const struct tracemalloc_dump_site *entry = &reader->sites[site];
    bool is_mapped =
        reader->domains[entry->domain].number == TRACEMALLOC_DUMP_DOMAIN_MMAP;
    return is_mapped ? 0 : reader->processes[entry->process].sample_distance;
}

/* The native frame that a code object represents, or NULL. */
static inline const struct dump_native *
dump_reader_native(const struct dump_reader *reader, uint32_t code) {
    uint32_t number = code - reader->first_native;
    return number < reader->native_count ? &reader->natives[number] : NULL;
}

/* The string with this id, which dump_check has checked. */
static inline struct dump_text dump_reader_text(const struct dump_reader *reader,
                                                tracemalloc_dump_string id) {
    assert(id < reader->string_bytes);
    struct dump_text text = {.bytes = reader->strings + id + sizeof(uint32_t)};
    uint32_t length;
    __builtin_memcpy(&length, reader->strings + id, sizeof length);
    text.length = length;
    return text;
}
