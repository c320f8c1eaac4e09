/* SPDX-License-Identifier: MIT */
/* One dump at one moment: how many bytes and blocks each stack holds in each domain.
 *
 * For offline code; allocates; one thread at a time. The weights are those of the
 * sites, except at the peak, which the dump keeps per stack only (see
 * tracemalloc-dump(5)).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"
#include "report/frame_names.h"

enum profile_moment {
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
    uint32_t *code_names;   /* name of each code object's file */
    uint32_t *module_names; /* name of each module's path */
    struct weight *tallies; /* by tally */
    struct weight total;
};

/* Weighs a dump. Reader and names stay the caller's and outlive the profile. 0,
 * -ENOMEM, or -ENODATA for the exit of a program that was not finalized. */
must_check int profile_open(struct profile *profile, const struct dump_reader *reader,
                            struct frame_names *names, enum profile_moment moment);

void profile_close(struct profile *profile);

/* Sums the tallies again, after some were set to 0. */
void profile_add_up(struct profile *profile);

/* Blocks of one site at a moment that is not the peak. */
uint32_t profile_site_count(const struct dump_reader *reader,
                            const struct tracemalloc_dump_site *site,
                            enum profile_moment moment);

/* The frame at a node; that of the empty stack is `<unknown>`, line 0. */
static inline struct frame profile_frame(const struct profile *profile,
                                         uint32_t stack) {
    const struct tracemalloc_dump_stack *node = &profile->reader->stacks[stack];
    if ((node->code & TRACEMALLOC_DUMP_NATIVE) != 0)
        return (struct frame){
            profile->module_names[node->code & ~TRACEMALLOC_DUMP_NATIVE], 0};
    return (struct frame){profile->code_names[node->code], node->line};
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
