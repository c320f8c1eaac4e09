/* SPDX-License-Identifier: MIT */
#include "tracing/agent.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "control/request.h"
#include "event/record.h"
#include "hooks/signal_action.h"
#include "tracing/interpreter.h"
#include "tracing/tracing.h"

enum { DEFAULT_NFRAME = 25 };

static struct agent_options agent;
static struct request put_off;

static void toggle(void) {
    if (tracing_is_on())
        tracing_stop();
    else
        interpreter_trace(agent.nframe);
}

/* Nobody can be told of a request that does not fit: the command looks at the state
 * before and after. */
static void obey(struct request request) {
    switch (request.kind) {
    case REQUEST_STOP:
        tracing_stop();
        break;
    case REQUEST_START:
        interpreter_trace(request.nframe);
        break;
    case REQUEST_CLEAR:
        tracing_clear();
        break;
    default:
        toggle();
    }
}

static void obey_put_off(void) {
    obey(put_off);
}

static void handle(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)context;
    struct request request = {0};
    int saved = errno;
    if (info->si_code == SI_QUEUE &&
        request_decode(info->si_value.sival_int, &request) < 0)
        return;
    struct thread_state *self = thread_state_get();
    if (self->inside) {
        put_off = request;
        record_request = obey_put_off;
        self->request_put_off = self->put_off = true;
    } else
        obey(request);
    errno = saved;
}

/* SIGBUS is not blocked: the dump may be cut off meanwhile. */
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
    if (agent.nframe == 0)
        agent.nframe = DEFAULT_NFRAME;
    if (signal_action_cover(number, &cover) == 0)
        tracing_set_signal((uint32_t)number);
}
