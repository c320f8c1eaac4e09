/* SPDX-License-Identifier: MIT */
/* Requests that wait to be carried out, in the order in which they came.
 *
 * Added by signal handlers on any thread, carried out by one thread at a time: the
 * first that can. The lock is held for a few instructions, by threads that have
 * all signals blocked, so that a handler never waits for its own thread.
 */
#pragma once

#include <stdbool.h>

#include "base/lock.h"
#include "control/request.h"

enum { REQUEST_QUEUE_ROOM = 32 };

struct request_queue {
    struct lock lock;
    bool is_served; /* a thread is at it; protected by lock, as the next two */
    uint32_t count;
    struct request requests[REQUEST_QUEUE_ROOM];
};

/* From signal handlers, with all signals blocked. If the queue is full, two plain
 * signals cancel each other out, a request to stop or start replaces the last one, and
 * others are dropped. */
void request_queue_add(struct request_queue *queue, struct request request);

/* Whether the caller is to carry out what waits, until request_queue_next is false.
 * Another thread may be doing so already. */
bool request_queue_begin(struct request_queue *queue);
bool request_queue_next(struct request_queue *queue, struct request *out);

/* In the child of a fork, whose requests those are not. */
void request_queue_reset(struct request_queue *queue);
