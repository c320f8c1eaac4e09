/* SPDX-License-Identifier: MIT */
#include "control/request.h"

#include <errno.h>
#include <stdbool.h>

#include "tracemalloc_dump.h"

enum { MAGIC = 0xa7, MAGIC_SHIFT = 24, KIND_SHIFT = 16, SAMPLE_SHIFT = 32 };

uint64_t request_encode(struct request request) {
    return (uint64_t)request.sample << SAMPLE_SHIFT | (uint64_t)MAGIC << MAGIC_SHIFT |
           (uint64_t)request.kind << KIND_SHIFT | request.nframe;
}

static bool is_sample(uint32_t sample) {
    return sample <= TRACEMALLOC_DUMP_MAX_SAMPLE_DISTANCE ||
           sample == REQUEST_SAMPLE_NONE;
}

int request_decode(uint64_t value, struct request *out) {
    uint32_t bits = (uint32_t)value;
    uint32_t kind = bits >> KIND_SHIFT & 0xff;
    uint32_t sample = (uint32_t)(value >> SAMPLE_SHIFT);
    uint16_t nframe = (uint16_t)bits;
    if (bits >> MAGIC_SHIFT != MAGIC || kind < REQUEST_STOP || kind > REQUEST_TYPES)
        return -EINVAL;
    if ((nframe != 0) != (kind == REQUEST_START))
        return -EINVAL;
    if (!is_sample(sample) || (sample != 0 && kind != REQUEST_START))
        return -EINVAL;
    *out = (struct request){(enum request_kind)kind, nframe, sample};
    return 0;
}
