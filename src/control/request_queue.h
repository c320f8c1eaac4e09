/* SPDX-License-Identifier: MIT */
/* Requests that have not been carried out yet, in the order in which they came.
 *
 * Signal handlers on any thread add them; one thread at a time carries them out, the
 * first that can. A thread holds the lock for a few instructions and with all signals
 * blocked, so that a handler never waits for its own thread.
 */
#pragma once

#include <stdbool.h>

#include "base/lock.h"
#include "control/request.h"

enum { REQUEST_QUEUE_CAPACITY = 32 };

struct request_queue {
    struct lock lock;
    bool is_served; /* a thread is carrying them out; protected by lock, as the rest */
    uint32_t count;
    struct request requests[REQUEST_QUEUE_CAPACITY];
};

/* From signal handlers, with all signals blocked. If the queue is full, two plain
 * signals cancel each other out, a request to stop or start replaces the last one, and
 * others are dropped. */
void request_queue_add(struct request_queue *queue, struct request request);

/* Whether the caller has to carry out the requests, until request_queue_next returns
 * false. It does not if the queue is empty or another thread is at work already. */
bool request_queue_begin(struct request_queue *queue);
bool request_queue_next(struct request_queue *queue, struct request *out);

/* In the child of a fork: the requests are its parent's, and so are the threads that
 * held the lock. */
void request_queue_reset(struct request_queue *queue);
