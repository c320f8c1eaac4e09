/* SPDX-License-Identifier: MIT */
/* A request to a traced process, as the value that comes with a signal (sigqueue(3),
 * si_value.sival_ptr).
 *
 *    63               32 31      24 23      16 15               0
 *    | sample           | magic   | kind     | nframe          |
 *
 * A signal without such a value, as kill(1) sends it, is no request: it stops a process
 * that traces and starts one that does not. Pure functions; any thread, also signal
 * handlers.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"

/* The signal of requests unless TRACEMALLOC_SIGNAL names another: a real-time signal,
 * which queues and carries a value, far from both ends of their range, where programs
 * take theirs. */
enum { REQUEST_DEFAULT_SIGNAL = 53 };

enum request_kind {
    REQUEST_STOP = 1,
    REQUEST_START = 2,
    REQUEST_CLEAR = 3,
    REQUEST_DETACH = 4, /* of a process that was attached to */
    REQUEST_TYPES = 5,  /* a census of the types of live objects */
};

/* Of a start without a distance in bytes. */
#define REQUEST_SAMPLE_DEFAULT 0u      /* TRACEMALLOC_SAMPLE of the process */
#define REQUEST_SAMPLE_NONE UINT32_MAX /* every block is recorded */

struct request {
    enum request_kind kind;
    uint16_t nframe; /* frames of a traceback, 1 or more, if it is a start; else 0 */
    uint32_t sample; /* of a start: a mean distance in bytes, or one of the above */
};

uint64_t request_encode(struct request request);

/* 0, or -EINVAL if the value is no request. */
must_check int request_decode(uint64_t value, struct request *out);
