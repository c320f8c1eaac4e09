/* SPDX-License-Identifier: MIT */
#include "tracing/agent.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "base/limits.h"
#include "control/request_queue.h"
#include "event/event.h"
#include "hooks/signal_action.h"
#include "tracing/interpreter.h"
#include "tracing/traced_process.h"
#include "tracing/tracing.h"

static struct agent_options agent;
static struct request_queue queue = {.lock = {.rank = LOCK_REQUESTS}};
static uint32_t queue_pid; /* of the process whose requests the queue holds */

/* A request that cannot be carried out gets no answer: the command compares the state
 * before and after. */
static void carry_out(struct request request) {
    switch (request.kind) {
    case REQUEST_STOP:
        tracing_stop();
        break;
    case REQUEST_START:
        interpreter_trace(request.nframe, request.sample);
        break;
    case REQUEST_CLEAR:
        tracing_clear();
        break;
    case REQUEST_TYPES:
        tracing_take_census();
        break;
    case REQUEST_DETACH:
        if (agent.detach != NULL)
            agent.detach();
        break;
    default: /* a plain signal */
        if (tracing_is_on())
            tracing_stop();
        else
            interpreter_trace(agent.nframe, REQUEST_SAMPLE_DEFAULT);
    }
}

/* In a child of fork the queue holds its parent's requests. */
static void renew_queue(void) {
    if (queue_pid != traced_process.pid)
        request_queue_reset(&queue);
    queue_pid = traced_process.pid;
}

static void carry_out_all(void) {
    struct request request;
    renew_queue();
    if (request_queue_begin(&queue))
        while (request_queue_next(&queue, &request))
            carry_out(request);
}

static void handle(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)context;
    struct request request = {0};
    int saved_errno = errno;
    if ((info->si_code == SI_QUEUE &&
         request_decode((uint64_t)info->si_value.sival_ptr, &request) < 0) ||
        !traced_process_is_own())
        return;
    struct thread_state *self = thread_state_get();
    renew_queue();
    request_queue_add(&queue, request);
    if (self->in_tracer) {
        event_do_request = carry_out_all;
        self->request_deferred = self->has_deferred = true;
    } else
        carry_out_all();
    errno = saved_errno;
}

/* Does not block SIGBUS: another process may truncate the dump meanwhile. */
static void arrange(const struct sigaction *program, struct sigaction *ours) {
    (void)program;
    ours->sa_flags = SA_SIGINFO | SA_RESTART;
    sigfillset(&ours->sa_mask);
    sigdelset(&ours->sa_mask, SIGBUS);
}

static void signal_taken(void) {
    tracing_set_signal(0);
}

void agent_listen(const struct agent_options *options) {
    static const struct signal_cover cover = {handle, arrange, signal_taken};
    int number = options->signal != 0 ? (int)options->signal : REQUEST_DEFAULT_SIGNAL;
    agent = *options;
    queue_pid = traced_process.pid;
    if (agent.nframe == 0)
        agent.nframe = DEFAULT_NFRAME;
    if (signal_action_cover(number, &cover) == 0)
        tracing_set_signal((uint32_t)number);
}
