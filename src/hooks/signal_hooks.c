/* SPDX-License-Identifier: MIT */
#include "hooks/signal_hooks.h"

#include <errno.h>

#include "hooks/bus_guard.h"
#include "hooks/libc_real.h"

static int handled; /* the signal whose handler is ours; 0: none */
static void (*on_taken)(void);

static bool is_default(int number) {
    struct sigaction now;
    return libc_real.sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_DFL &&
           (now.sa_flags & SA_SIGINFO) == 0;
}

int signal_hooks_handle(int number, void (*handler)(int, siginfo_t *, void *),
                        void (*taken)(void)) {
    struct sigaction action = {.sa_sigaction = handler,
                               .sa_flags = SA_SIGINFO | SA_RESTART};
    if (handled != 0 || !libc_real_ready() || libc_real.sigaction == NULL ||
        !is_default(number))
        return -EBUSY;
    sigfillset(&action.sa_mask);
    if (libc_real.sigaction(number, &action, NULL) != 0)
        return -EBUSY;
    handled = number;
    on_taken = taken;
    return 0;
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
    if (number != handled || handled == 0)
        return libc_real.sigaction(number, action, old);
    struct sigaction hidden = {0};
    if (action == NULL || action->sa_handler == SIG_DFL) {
        if (old != NULL)
            *old = hidden;
        return 0;
    }
    handled = 0;
    on_taken();
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
