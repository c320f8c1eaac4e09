/* SPDX-License-Identifier: MIT */
#include "hooks/libc_real.h"

#include <dlfcn.h>
#include <stddef.h>

#include "hooks/loaded_late.h"

struct libc_real libc_real;

static thread_local_fixed bool resolving;

#define FUNCTION(name)                                                                 \
    { #name, offsetof(struct libc_real, name) }
static const struct {
    const char *name;
    size_t offset;
} functions[] = {
    FUNCTION(malloc),
    FUNCTION(calloc),
    FUNCTION(realloc),
    FUNCTION(reallocarray),
    FUNCTION(free),
    FUNCTION(posix_memalign),
    FUNCTION(aligned_alloc),
    FUNCTION(memalign),
    FUNCTION(valloc),
    FUNCTION(pvalloc),
    FUNCTION(malloc_usable_size),
    FUNCTION(mmap),
    FUNCTION(munmap),
    FUNCTION(mremap),
    FUNCTION(getenv),
    FUNCTION(pthread_key_create),
    FUNCTION(_exit),
    FUNCTION(_Exit),
    FUNCTION(quick_exit),
    FUNCTION(execve),
    FUNCTION(execvpe),
    FUNCTION(execveat),
    FUNCTION(fexecve),
    FUNCTION(setuid),
    FUNCTION(seteuid),
    FUNCTION(setreuid),
    FUNCTION(setresuid),
    FUNCTION(setgid),
    FUNCTION(setegid),
    FUNCTION(setregid),
    FUNCTION(setresgid),
    FUNCTION(setgroups),
    FUNCTION(initgroups),
    FUNCTION(setfsuid),
    FUNCTION(setfsgid),
    FUNCTION(chroot),
    FUNCTION(unshare),
    FUNCTION(setns),
    FUNCTION(setrlimit),
    FUNCTION(setrlimit64),
    FUNCTION(prlimit),
    FUNCTION(prlimit64),
    FUNCTION(prctl),
    FUNCTION(capset),
    FUNCTION(sigaction),
    FUNCTION(strerrordesc_np),
};
#undef FUNCTION

static void *find(const char *name) {
    return loaded_late ? loaded_late_find(name) : dlsym(RTLD_NEXT, name);
}

/* RTLD_NEXT keeps a library that is preloaded after ours working. Two threads may do
 * this at once, with the same result; the first calls come before there is a second
 * thread. */
bool libc_real_resolve(void) {
    if (resolving)
        return false;
    resolving = true;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        *(void **)(void *)((char *)&libc_real + functions[i].offset) =
            find(functions[i].name);
    __atomic_store_n(&libc_real.resolved, true, __ATOMIC_RELEASE);
    resolving = false;
    return true;
}
