/* SPDX-License-Identifier: MIT */
#include "control/request.h"

#include <errno.h>

enum { MAGIC = 0xa7, MAGIC_SHIFT = 24, KIND_SHIFT = 16 };

int request_encode(struct request request) {
    uint32_t value = (uint32_t)MAGIC << MAGIC_SHIFT |
                     (uint32_t)request.kind << KIND_SHIFT | request.nframe;
    return (int)value;
}

int request_decode(int value, struct request *out) {
    uint32_t bits = (uint32_t)value;
    uint32_t kind = bits >> KIND_SHIFT & 0xff;
    uint16_t nframe = (uint16_t)bits;
    if (bits >> MAGIC_SHIFT != MAGIC || kind < REQUEST_STOP || kind > REQUEST_DETACH)
        return -EINVAL;
    if ((nframe != 0) != (kind == REQUEST_START))
        return -EINVAL;
    *out = (struct request){(enum request_kind)kind, nframe};
    return 0;
}
