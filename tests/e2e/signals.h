/* SPDX-License-Identifier: MIT */
/* What the cases of signals.c and signals_cut.c print. */
#pragma once

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define visible __attribute__((visibility("default")))

static inline void say(const char *text, long number) {
    char line[200];
    int length = snprintf(line, sizeof line, "%s %ld\n", text, number);
    if (write(1, line, (size_t)length) != length)
        _exit(99);
}

/* Events of all sizes, so that pages of all sections are touched. */
static inline void allocate(void) {
    void *kept[400];
    for (size_t at = 0; at < 400; at++)
        kept[at] = malloc(at * 7 + 1);
    for (size_t at = 0; at < 400; at++)
        free(realloc(kept[at], at * 11 + 1));
}

static inline sigset_t only(int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    return set;
}

static inline void print_set(const char *text, const sigset_t *set) {
    long bits = 0;
    for (int number = 1; number < 32; number++)
        bits |= sigismember(set, number) == 1 ? 1L << number : 0;
    say(text, bits);
}

static inline void print_mask(const char *text) {
    sigset_t now;
    pthread_sigmask(SIG_SETMASK, NULL, &now);
    print_set(text, &now);
}

static inline void on_signal(int number) {
    say("handler", number);
    print_mask("handler's mask");
    allocate();
}

static inline void print_pending(void) {
    sigset_t pending;
    sigpending(&pending);
    print_set("pending", &pending);
}
