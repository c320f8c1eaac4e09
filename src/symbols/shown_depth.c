/* SPDX-License-Identifier: MIT */
#include "symbols/shown_depth.h"

#include <errno.h>
#include <stdlib.h>

#include "base/limits.h"

/* The most frames in all stacks; a stack is never cut below MIN_CUT. */
static const uint64_t max_frames = (uint64_t)1 << 22;
enum { MIN_CUT = 64 };

/* Returns the depth of each stack. The caller frees the array; NULL if there is no
 * memory. Parents come before their children. */
static uint32_t *measure(const struct dump_reader *reader) {
    uint32_t *depths = calloc(reader->stack_count + 1, sizeof *depths);
    for (size_t id = 1; depths != NULL && id < reader->stack_count; id++)
        depths[id] = depths[reader->stacks[id].parent] + 1;
    return depths;
}

static uint64_t count_frames(const struct dump_reader *reader, const uint32_t *depths) {
    uint64_t count = 0;
    for (size_t i = 0; i < reader->site_count; i++) {
        uint32_t depth = depths[reader->sites[i].stack];
        count += limits_window(depth, reader->header.nframe);
    }
    return count;
}

int shown_depth_limit(struct dump_reader *reader) {
    uint32_t *depths = measure(reader);
    if (depths == NULL)
        return -ENOMEM;
    uint64_t count = count_frames(reader, depths);
    free(depths);
    if (count <= max_frames || reader->header.nframe <= MIN_CUT)
        return 0;
    uint64_t share = reader->header.nframe * max_frames / count;
    reader->header.nframe = share > MIN_CUT ? (uint32_t)share : MIN_CUT;
    reader->cut_frames = reader->header.nframe;
    return 0;
}
