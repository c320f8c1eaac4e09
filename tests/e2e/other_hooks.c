/* SPDX-License-Identifier: MIT */
/* Preloaded after the tracer, this library stands in front of libc too, and calls libc
 * by another name of the function, or by another function, as such libraries do. */
#undef _FILE_OFFSET_BITS
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define visible __attribute__((visibility("default"), noinline))

static volatile int called;

visible int count_calls(void) {
    return called;
}

int __sigaction(int number, const struct sigaction *action, struct sigaction *old);

visible int sigaction(int number, const struct sigaction *action,
                      struct sigaction *old) {
    called++;
    return __sigaction(number, action, old);
}

static sighandler_t set(int number, sighandler_t handler, int flags) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags}, old;
    called++;
    return sigaction(number, &action, &old) != 0 ? SIG_ERR : old.sa_handler;
}

visible sighandler_t signal(int number, sighandler_t handler) {
    return set(number, handler, SA_RESTART);
}

visible sighandler_t sysv_signal(int number, sighandler_t handler) {
    return set(number, handler, (int)(SA_RESETHAND | SA_NODEFER));
}

visible int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit) {
    called++;
    return setrlimit(resource, (const struct rlimit *)limit);
}

visible int prlimit(pid_t pid, enum __rlimit_resource resource,
                    const struct rlimit *limit, struct rlimit *old) {
    called++;
    return prlimit64(pid, resource, (const struct rlimit64 *)limit,
                     (struct rlimit64 *)old);
}
