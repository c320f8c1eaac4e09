/* SPDX-License-Identifier: MIT */
/* One dump at one moment: how many bytes and blocks each stack holds in each domain.
 *
 * For offline code; allocates; one thread at a time. The weights are the sums of the
 * buckets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"
#include "dump/frame_names.h"

enum profile_point {
    PROFILE_NOW,       /* live; at_exit for a program that was finalized */
    PROFILE_PEAK,      /* when most bytes were live */
    PROFILE_EXIT,      /* when the runtime was marked as finalizing */
    PROFILE_END,       /* live, to the very end */
    PROFILE_ALLOCATED, /* no moment: all that was ever allocated */
};

struct weight {
    uint64_t size; /* bytes */
    uint64_t count;
};

/* A frame as the reports show it: equal frames are equal numbers, in all profiles of
 * one name table. */
struct frame {
    uint32_t name; /* in the name table */
    uint32_t line;
};

struct profile {
    const struct dump_reader *reader;
    const struct frame_names *names;
    uint32_t *code_names;     /* name of each code object's file */
    uint32_t *function_names; /* and its own, the empty text where it has none */
    uint32_t *module_names;   /* name of each module's path */
    struct weight *sites;     /* by site */
    struct weight total;
};

/* Weighs a dump. Reader and names stay the caller's and outlive the profile. 0,
 * -ENOMEM, or -ENODATA for the exit of a program that was not finalized. */
must_check int profile_open(struct profile *profile, const struct dump_reader *reader,
                            struct frame_names *names, enum profile_point point);

void profile_close(struct profile *profile);

/* Sums the sites again, after some were set to 0. */
void profile_add_up(struct profile *profile);

/* What each site ever allocated: an array by site, to be freed, or NULL when there is
 * no memory. */
struct weight *profile_allocated(const struct dump_reader *reader);

/* Blocks of one bucket at a moment; not for PROFILE_ALLOCATED. */
uint32_t profile_bucket_count(const struct dump_reader *reader,
                              const struct tracemalloc_dump_bucket *bucket,
                              enum profile_point point);

/* The code object at a node; none (0) for native frames that have no code object yet
 * (see report/shown_stacks.h). */
static inline uint32_t profile_code(const struct profile *profile, uint32_t stack) {
    uint32_t code = profile->reader->stacks[stack].code;
    return (code & TRACEMALLOC_DUMP_NATIVE) != 0 ? 0 : code;
}

/* The native frame at a node, or NULL. */
static inline const struct dump_native *profile_native(const struct profile *profile,
                                                       uint32_t stack) {
    return dump_reader_native(profile->reader, profile_code(profile, stack));
}

/* The frame at a node; that of the empty stack is `<unknown>`, line 0. */
static inline struct frame profile_frame(const struct profile *profile,
                                         uint32_t stack) {
    uint32_t code = profile_code(profile, stack);
    return (struct frame){profile->code_names[code],
                          code == 0 ? 0 : profile->reader->stacks[stack].line};
}

/* The name of the function at a node; empty where there is none. */
struct dump_text profile_function(const struct profile *profile, uint32_t stack);

static inline struct dump_text profile_filename(const struct profile *profile,
                                                struct frame frame) {
    return profile->names->texts[frame.name];
}

/* Bytes and blocks of each domain: an array by index of domain, to be freed, or NULL
 * when there is no memory. */
struct weight *profile_domains(const struct profile *profile);
