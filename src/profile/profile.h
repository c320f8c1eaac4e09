/* SPDX-License-Identifier: MIT */
/* One dump at one point in time: how many bytes and blocks each stack holds in each
 * domain.
 *
 * For offline code; allocates; one thread at a time. The weight of a site is the sum of
 * its buckets; if they are of a sampled process, it is an estimate.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"
#include "dump/frame_names.h"
#include "profile/weight.h"

enum profile_point {
    PROFILE_NOW,       /* PROFILE_EXIT if the program was finalized, else PROFILE_END */
    PROFILE_PEAK,      /* when the most bytes were live */
    PROFILE_EXIT,      /* when the runtime began to finalize */
    PROFILE_END,       /* live now, or when the process ended */
    PROFILE_ALLOCATED, /* no point in time: everything that was ever allocated */
    /* What of that was freed before its thread allocated another block; nothing where
     * blocks were sampled. */
    PROFILE_TEMPORARY,
    /* When the objects were counted by type; blocks of Python's own domain alone. */
    PROFILE_CENSUS,
};

/* A frame as the reports show it. Profiles with one name table have equal numbers for
 * equal frames. */
struct frame {
    uint32_t name; /* in the name table */
    uint32_t line;
};

struct profile {
    const struct dump_reader *reader;
    const struct frame_names *names;
    uint32_t *code_names;     /* by code object: name id of its file */
    uint32_t *function_names; /* by code object: name id of its name, which may be
                                 empty */
    uint32_t *module_names;   /* by module: name id of its path */
    uint32_t *type_names;     /* by type: name id */
    struct weight *sites;     /* by site */
    struct weight total;
};

/* Sums the buckets of a dump. Reader and names belong to the caller and must outlive
 * the profile. 0, -ENOMEM, or -ENODATA for PROFILE_EXIT of a program that was not
 * finalized, or PROFILE_CENSUS of a dump without one. */
must_check int profile_open(struct profile *profile, const struct dump_reader *reader,
                            struct frame_names *names, enum profile_point point);

void profile_close(struct profile *profile);

/* Updates the total after some sites were set to 0. */
void profile_update_total(struct profile *profile);

/* Returns an array by site: all that it ever allocated. The caller frees it; NULL if
 * there is no memory. */
struct weight *profile_allocated(const struct dump_reader *reader);

/* What an entry of the census stands for: nothing if its blocks are not selected. */
struct weight profile_census_weight(const struct dump_reader *reader, size_t entry);

/* Blocks recorded in one bucket at a point in time, and the blocks that they stand for;
 * not for PROFILE_ALLOCATED, PROFILE_TEMPORARY and PROFILE_CENSUS. */
uint32_t profile_bucket_count(const struct dump_reader *reader,
                              const struct tracemalloc_dump_bucket *bucket,
                              enum profile_point point);
struct weight profile_bucket_weight(const struct dump_reader *reader,
                                    const struct tracemalloc_dump_bucket *bucket,
                                    enum profile_point point);

/* The code object of a stack's most recent frame; 0 for a native frame that was not
 * given one yet (see symbols/shown_stacks.h). */
static inline uint32_t profile_code(const struct profile *profile, uint32_t stack) {
    assert(stack < profile->reader->stack_count);
    uint32_t code = profile->reader->stacks[stack].code;
    return (code & TRACEMALLOC_DUMP_NATIVE) != 0 ? 0 : code;
}

/* The most recent frame of a stack if it is native, else NULL. */
static inline const struct dump_native *profile_native(const struct profile *profile,
                                                       uint32_t stack) {
    return dump_reader_native(profile->reader, profile_code(profile, stack));
}

/* The most recent frame of a stack; `<unknown>`, line 0, for the empty stack. */
static inline struct frame profile_frame(const struct profile *profile,
                                         uint32_t stack) {
    uint32_t code = profile_code(profile, stack);
    return (struct frame){profile->code_names[code],
                          code == 0 ? 0 : profile->reader->stacks[stack].line};
}

/* The name of the function of a stack's most recent frame; empty if it has none. */
struct dump_text profile_function(const struct profile *profile, uint32_t stack);

static inline struct dump_text profile_filename(const struct profile *profile,
                                                struct frame frame) {
    return profile->names->texts[frame.name];
}

/* Returns an array by index of domain: its bytes and blocks. The caller frees it; NULL
 * if there is no memory. */
struct weight *profile_domains(const struct profile *profile);
