/* SPDX-License-Identifier: MIT */
#include "hooks/signal_real.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

static struct signal_real real;
static bool resolved;

static int missing(void) {
    errno = ENOSYS;
    return -1;
}

#define FUNCTION(name)                                                                 \
    { #name, offsetof(struct signal_real, name) }
static const struct {
    const char *name;
    size_t offset;
} functions[] = {
    FUNCTION(sigaction),       FUNCTION(__sigaction),  FUNCTION(signal),
    FUNCTION(bsd_signal),      FUNCTION(ssignal),      FUNCTION(sysv_signal),
    FUNCTION(__sysv_signal),   FUNCTION(sigset),       FUNCTION(sigignore),
    FUNCTION(siginterrupt),    FUNCTION(sigvec),       FUNCTION(sigprocmask),
    FUNCTION(pthread_sigmask), FUNCTION(sigblock),     FUNCTION(sigsetmask),
    FUNCTION(sighold),         FUNCTION(sigrelse),     FUNCTION(setcontext),
    FUNCTION(swapcontext),     FUNCTION(sigsuspend),   FUNCTION(__sigsuspend),
    FUNCTION(sigpause),        FUNCTION(__sigpause),   FUNCTION(__xpg_sigpause),
    FUNCTION(ppoll),           FUNCTION(__ppoll_chk),  FUNCTION(pselect),
    FUNCTION(epoll_pwait),     FUNCTION(epoll_pwait2), FUNCTION(siglongjmp),
    FUNCTION(longjmp),         FUNCTION(_longjmp),     FUNCTION(__longjmp_chk),
    FUNCTION(posix_spawn),     FUNCTION(posix_spawnp), FUNCTION(system),
    FUNCTION(popen),           FUNCTION(sigaltstack),
};
#undef FUNCTION

/* libc keeps sigvec for old programs only: it is not found without its version. */
static void *find(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        found = dlvsym(RTLD_NEXT, name, "GLIBC_2.2.5");
    return found != NULL ? found : (void *)missing;
}

/* Two threads may do this at once, with the same result. */
const struct signal_real *signal_real(void) {
    if (__atomic_load_n(&resolved, __ATOMIC_ACQUIRE))
        return &real;
    int saved_errno = errno;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        *(void **)(void *)((char *)&real + functions[i].offset) =
            find(functions[i].name);
    __atomic_store_n(&resolved, true, __ATOMIC_RELEASE);
    errno = saved_errno;
    return &real;
}

void *signal_real_syscall(void) {
    static void *found;
    void *function = __atomic_load_n(&found, __ATOMIC_RELAXED);
    if (function == NULL)
        __atomic_store_n(&found, function = dlsym(RTLD_NEXT, "syscall"),
                         __ATOMIC_RELAXED);
    return function;
}
