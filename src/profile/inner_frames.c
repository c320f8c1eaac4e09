/* SPDX-License-Identifier: MIT */
#include "profile/inner_frames.h"

#include <assert.h>

bool inner_frames_is_native(const struct dump_reader *reader, uint32_t stack) {
    assert(stack < reader->stack_count);
    uint32_t code = reader->stacks[stack].code;
    return (code & TRACEMALLOC_DUMP_NATIVE) != 0 ||
           dump_reader_native(reader, code) != NULL;
}

void inner_frames_count(const struct dump_reader *reader, const struct weight *weights,
                        uint32_t *frames) {
    for (size_t i = 0; i < reader->site_count; i++)
        if (weights == NULL || weights[i].count > 0)
            frames[reader->sites[i].stack] = 1;
    /* Callees come after their callers. */
    for (size_t id = reader->stack_count; id-- > 1;) {
        uint32_t caller = reader->stacks[id].parent;
        uint32_t count = frames[id];
        if (count > 0 && !inner_frames_is_native(reader, caller))
            count++;
        if (count > frames[caller])
            frames[caller] = count;
    }
}
