/* SPDX-License-Identifier: MIT */
/* What one screen tells of a dump: how it ended, its peak, what holds most, the largest
 * blocks, their sizes, what is behind the resident memory, and where to look next.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "profile/statistics.h"

enum {
    SUMMARY_TOP = 5, /* lines of each list, and largest blocks */
    SUMMARY_CLASSES = 8,
    SUMMARY_ADVICE_SIZE = 320,
};

/* What the lines are ranked by. */
enum summary_view {
    SUMMARY_NOW, /* at exit, for a program that was finalized */
    SUMMARY_PEAK,
    SUMMARY_ALLOCATED, /* ever */
    SUMMARY_VIEWS,
};

/* What was allocated after the modules were loaded: the blocks whose stacks have
 * frames, and run through no import. Its profile shares all but the weights with that
 * of the view. */
struct summary_later {
    struct profile profile;
    struct grouping grouping; /* by line */
    struct statistics top;    /* the first in order */
};

/* Blocks of one size that one traceback holds. */
struct summary_block {
    uint64_t size;
    uint64_t count;
    uint32_t stack;
};

/* What the resident memory is made of, at the last moment when the heap was as it is
 * told of. Parts may be more than the whole: memory that was never touched, or went to
 * swap. Bytes. */
struct summary_rss {
    uint64_t whole; /* 0 where it is not known, as for several processes */
    uint64_t python;
    uint64_t arenas_free; /* held by the interpreter's arenas, in no block */
    uint64_t libc;
    uint64_t mmap;
    uint64_t tracer; /* its tables and the dump's pages */
};

struct summary {
    const struct dump_reader *reader;
    struct frame_names names;
    struct profile profiles[SUMMARY_VIEWS];
    struct grouping groupings[SUMMARY_VIEWS];  /* by line */
    struct statistics tops[SUMMARY_VIEWS];     /* the first SUMMARY_TOP in order */
    struct summary_later later[SUMMARY_VIEWS]; /* only now and at the peak */
    struct weight imports; /* now: what stacks hold that run through an import */
    struct summary_block largest[SUMMARY_TOP];
    size_t largest_count;
    struct weight classes[SUMMARY_CLASSES]; /* see summary_class_limit */
    struct summary_rss rss;
    char advice[SUMMARY_ADVICE_SIZE]; /* of summary_advice_give, or empty */
};

/* 0 or -ENOMEM; to be closed in both cases. The reader outlives it. */
must_check int summary_open(struct summary *summary, const struct dump_reader *reader);

void summary_close(struct summary *summary);

/* The largest size that a class holds; UINT64_MAX for the last. */
uint64_t summary_class_limit(size_t number);

/* What of the resident memory none of the parts explains. */
uint64_t summary_rss_rest(const struct summary_rss *rss);
