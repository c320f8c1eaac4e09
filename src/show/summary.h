/* SPDX-License-Identifier: MIT */
/* A dump on one screen: how the program ended, its peak, what holds most, the largest
 * blocks, their sizes, what the resident memory consists of, and what to do next.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "leak/leak_report.h"
#include "profile/statistics.h"
#include "show/resident.h"

enum {
    SUMMARY_TOP = 5, /* lines of each list, and largest blocks */
    SUMMARY_CLASSES = 8,
    SUMMARY_ADVICE_SIZE = 480,
};

/* What lines are ranked by. */
enum summary_view {
    SUMMARY_NOW, /* see PROFILE_NOW */
    SUMMARY_PEAK,
    SUMMARY_ALLOCATED, /* all that was ever allocated */
    SUMMARY_VIEWS,
};

/* What was not allocated by imports: the blocks whose stacks have frames, none of them
 * an import. The profile shares everything but the weights with that of the view. */
struct summary_later {
    struct profile profile;
    struct grouping grouping; /* by line */
    struct statistics top;    /* only the first entry is in order */
};

/* Blocks of one size that one line holds. */
struct summary_block {
    uint64_t size;
    uint64_t count;
    uint32_t stack;
};

struct summary {
    const struct dump_reader *reader;
    struct frame_names names;
    struct profile profiles[SUMMARY_VIEWS];
    struct grouping groupings[SUMMARY_VIEWS];  /* by line */
    struct statistics tops[SUMMARY_VIEWS];     /* the first SUMMARY_TOP are in order */
    struct summary_later later[SUMMARY_VIEWS]; /* of SUMMARY_NOW and SUMMARY_PEAK */
    struct weight imports; /* SUMMARY_NOW: the blocks with an import on the stack */
    struct summary_block largest[SUMMARY_TOP];
    size_t largest_count;
    struct weight classes[SUMMARY_CLASSES]; /* see summary_class_limit */
    struct resident rss;
    struct leak_report leaks;         /* empty if only some births are reported */
    char advice[SUMMARY_ADVICE_SIZE]; /* set by summary_advice_give */
};

/* 0 or -ENOMEM; must be closed in both cases. The reader must outlive it. */
must_check int summary_open(struct summary *summary, const struct dump_reader *reader);

void summary_close(struct summary *summary);

/* The largest block size in a class; UINT64_MAX for the last one. */
uint64_t summary_class_limit(size_t number);
