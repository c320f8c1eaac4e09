/* SPDX-License-Identifier: MIT */
/* Lines that grow, as they were found in one process of one dump, and the entries that
 * they are shown as. For offline code. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leak/leak_judge.h"
#include "leak/leak_path.h"

/* One line. */
struct leak_line {
    struct leak_judgement judgement;
    uint32_t own;    /* frame: the innermost of the program's own */
    uint32_t named;  /* frame: the one to name */
    uint32_t stack;  /* of most survivors */
    uint32_t caller; /* frame that called the named one for most; 0: none */
    double caller_share;
    bool is_sampled;
    uint64_t live_bytes, live_blocks;
    uint64_t freed_late; /* blocks */
    unsigned oldest;     /* epoch of birth of the oldest live block */
    uint64_t born[TRACEMALLOC_DUMP_MAX_EPOCHS]; /* live blocks */
    uint32_t leader; /* index of the line whose entry this one is in */
};

struct leak_lines {
    const struct profile *profile;
    struct leak_paths paths;
    struct leak_time time;
    struct leak_line *lines; /* leaders first, the worst first */
    size_t count;
    size_t capacity;
};
