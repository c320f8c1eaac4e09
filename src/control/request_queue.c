/* SPDX-License-Identifier: MIT */
#include "control/request_queue.h"

#include <signal.h>
#include <string.h>

#include "base/sys.h"

enum { MASK_SIZE = 8 };

static uint64_t enter(struct request_queue *queue) {
    uint64_t all = ~UINT64_C(0), before = 0;
    sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, MASK_SIZE);
    lock_take(&queue->lock);
    return before;
}

static void leave(struct request_queue *queue, uint64_t before) {
    lock_release(&queue->lock);
    sys_call(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, MASK_SIZE);
}

/* A signal without a value (control/request.h). */
static bool is_toggle(struct request request) {
    return request.kind == 0;
}

static void merge(struct request_queue *queue, struct request request) {
    struct request *last = &queue->requests[queue->count - 1];
    if (is_toggle(*last) && is_toggle(request))
        queue->count--;
    else if (request.kind == REQUEST_STOP || request.kind == REQUEST_START)
        *last = request;
}

void request_queue_add(struct request_queue *queue, struct request request) {
    lock_take(&queue->lock);
    if (queue->count < REQUEST_QUEUE_CAPACITY)
        queue->requests[queue->count++] = request;
    else
        merge(queue, request);
    lock_release(&queue->lock);
}

bool request_queue_begin(struct request_queue *queue) {
    uint64_t before = enter(queue);
    bool begun = !queue->is_served && queue->count > 0;
    queue->is_served |= begun;
    leave(queue, before);
    return begun;
}

bool request_queue_next(struct request_queue *queue, struct request *out) {
    uint64_t before = enter(queue);
    bool found = queue->count > 0;
    if (found) {
        *out = queue->requests[0];
        queue->count--;
        memmove(queue->requests, queue->requests + 1,
                queue->count * sizeof *queue->requests);
    }
    queue->is_served = found;
    leave(queue, before);
    return found;
}

void request_queue_reset(struct request_queue *queue) {
    queue->is_served = false;
    queue->count = 0;
    lock_fork(&queue->lock);
    lock_release(&queue->lock);
}
