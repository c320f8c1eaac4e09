/* SPDX-License-Identifier: MIT */
#include "preload/agent.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/compiler.h"
#include "control/request.h"
#include "preload/bus_guard.h"
#include "preload/libc_real.h"
#include "preload/record.h"
#include "preload/start.h"
#include "preload/tracing.h"

enum { DEFAULT_NFRAME = 25 };

static struct agent_options agent;
static int listening; /* the signal whose handler is ours; 0: none */
static struct request put_off;

static void toggle(void) {
    if (tracing_is_on())
        tracing_stop();
    else
        start_tracing(agent.nframe);
}

/* Nobody can be told of a request that does not fit: the command looks at the state
 * before and after. */
static void obey(struct request request) {
    switch (request.kind) {
    case REQUEST_STOP:
        tracing_stop();
        break;
    case REQUEST_START:
        start_tracing(request.nframe);
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

static bool is_free(int number) {
    struct sigaction now;
    return libc_real.sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_DFL &&
           (now.sa_flags & SA_SIGINFO) == 0;
}

void agent_listen(const struct agent_options *options) {
    struct sigaction action = {.sa_sigaction = handle,
                               .sa_flags = SA_SIGINFO | SA_RESTART};
    int number = options->signal != 0 ? (int)options->signal : REQUEST_DEFAULT_SIGNAL;
    agent = *options;
    if (agent.nframe == 0)
        agent.nframe = DEFAULT_NFRAME;
    if (listening != 0 || !libc_real_ready() || libc_real.sigaction == NULL ||
        !is_free(number))
        return;
    sigfillset(&action.sa_mask);
    if (libc_real.sigaction(number, &action, NULL) != 0)
        return;
    listening = number;
    tracing_set_signal((uint32_t)number);
}

/* The program does not see our handler; a handler of its own for that signal stays, and
 * requests end. */
exported int sigaction(int number, const struct sigaction *action,
                       struct sigaction *old) {
    if (!libc_real_ready()) {
        errno = EINVAL;
        return -1;
    }
    if (number == SIGBUS)
        return bus_guard_sigaction(action, old);
    if (number != listening || listening == 0)
        return libc_real.sigaction(number, action, old);
    struct sigaction hidden = {0};
    if (action == NULL || action->sa_handler == SIG_DFL) {
        if (old != NULL)
            *old = hidden;
        return 0;
    }
    listening = 0;
    tracing_set_signal(0);
    int status = libc_real.sigaction(number, action, NULL);
    if (status == 0 && old != NULL)
        *old = hidden;
    return status;
}

exported sighandler_t signal(int number, sighandler_t handler) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;
    sigemptyset(&action.sa_mask);
    return sigaction(number, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}
