/* SPDX-License-Identifier: MIT */
#include "cli/stop_signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

static const uint64_t second = 1000000000;
static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

static sigset_t blocked; /* by stop_signals_open */
static bool is_open, asked;
static int asked_by;

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * second + (uint64_t)time.tv_nsec;
}

/* A signal that is blocked is kept for us even where it is ignored, as SIGHUP is by
 * nohup(1). */
static bool is_ignored(int number) {
    struct sigaction action;
    return sigaction(number, NULL, &action) < 0 || action.sa_handler == SIG_IGN;
}

void stop_signals_open(void) {
    sigemptyset(&blocked);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (!is_ignored(signals[i]))
            sigaddset(&blocked, signals[i]);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    is_open = true;
    asked = false;
}

static void wait_until(uint64_t end) {
    for (;;) {
        uint64_t time = now(), left = time < end ? end - time : 0;
        struct timespec wait = {.tv_sec = (time_t)(left / second),
                                .tv_nsec = (long)(left % second)};
        int number =
            is_open ? sigtimedwait(&blocked, NULL, &wait) : nanosleep(&wait, NULL);
        asked = is_open && number > 0;
        if (asked)
            asked_by = number;
        if (asked || left == 0)
            return;
    }
}

bool stop_signals_wait(uint64_t time) {
    if (!asked)
        wait_until(now() + time);
    return asked && is_open;
}

void stop_signals_end(void) {
    int number = asked ? asked_by : 0;
    stop_signals_close();
    if (number != 0)
        raise(number);
}

void stop_signals_close(void) {
    if (is_open)
        sigprocmask(SIG_UNBLOCK, &blocked, NULL);
    is_open = false;
    asked = false;
}
