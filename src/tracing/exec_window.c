/* SPDX-License-Identifier: MIT */
#include "tracing/exec_window.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/sys.h"

enum { MASK_SIZE = 8 };

static const char library_name[] = "libtracemalloc.so";

static uint64_t bit(int number) {
    return UINT64_C(1) << (number - 1);
}

/* A signal beside this one that can be blocked. */
static int neighbour(int number) {
    bool is_last = number == 64 || number + 1 == SIGKILL || number + 1 == SIGSTOP;
    return is_last ? number - 1 : number + 1;
}

static uint64_t change_mask(int how, uint64_t set) {
    uint64_t before = 0;
    sys_call(SYS_rt_sigprocmask, how, &set, &before, MASK_SIZE);
    return before;
}

static bool has_library(char *const environment[]) {
    for (; environment != NULL && *environment != NULL; environment++)
        if (strncmp(*environment, "LD_PRELOAD=", 11) == 0)
            return strstr(*environment, library_name) != NULL;
    return false;
}

bool exec_window_open(int number, char *const environment[]) {
    if (number == 0 || !has_library(environment))
        return false;
    uint64_t before = change_mask(SIG_BLOCK, bit(number));
    if ((before & bit(number)) != 0)
        return false;
    if ((before & bit(neighbour(number))) == 0)
        return true;
    exec_window_close(number);
    return false;
}

void exec_window_close(int number) {
    change_mask(SIG_UNBLOCK, bit(number));
}

/* Accepts every pending signal of this number. */
static void discard(int number) {
    static const struct timespec now;
    uint64_t set = bit(number);
    while (sys_call(SYS_rt_sigtimedwait, &set, NULL, &now, MASK_SIZE) == number)
        continue;
}

void exec_window_leave(int number, bool has_handler) {
    uint64_t mask = change_mask(SIG_BLOCK, 0);
    if ((mask & bit(number)) == 0 || (mask & bit(neighbour(number))) != 0)
        return;
    if (!has_handler)
        discard(number);
    exec_window_close(number);
}
