/* SPDX-License-Identifier: MIT */
#include "hooks/libc_real.h"

#include <dlfcn.h>

struct libc_real libc_real;

static thread_local_fixed bool resolving;

/* RTLD_NEXT keeps a library that is preloaded after ours working. */
static void *next(const char *name) {
    return dlsym(RTLD_NEXT, name);
}

static void resolve_memory(void) {
    libc_real.malloc = next("malloc");
    libc_real.calloc = next("calloc");
    libc_real.realloc = next("realloc");
    libc_real.reallocarray = next("reallocarray");
    libc_real.free = next("free");
    libc_real.posix_memalign = next("posix_memalign");
    libc_real.aligned_alloc = next("aligned_alloc");
    libc_real.memalign = next("memalign");
    libc_real.valloc = next("valloc");
    libc_real.pvalloc = next("pvalloc");
    libc_real.malloc_usable_size = next("malloc_usable_size");
    libc_real.mmap = next("mmap");
    libc_real.munmap = next("munmap");
    libc_real.mremap = next("mremap");
}

static void resolve_process(void) {
    libc_real.getenv = next("getenv");
    libc_real.pthread_key_create = next("pthread_key_create");
    libc_real._exit = next("_exit");
    libc_real._Exit = next("_Exit");
    libc_real.quick_exit = next("quick_exit");
    libc_real.execve = next("execve");
    libc_real.execvpe = next("execvpe");
    libc_real.execveat = next("execveat");
    libc_real.fexecve = next("fexecve");
    libc_real.sigaction = next("sigaction");
}

static void resolve_rights(void) {
    libc_real.setuid = next("setuid");
    libc_real.seteuid = next("seteuid");
    libc_real.setreuid = next("setreuid");
    libc_real.setresuid = next("setresuid");
    libc_real.setgid = next("setgid");
    libc_real.setegid = next("setegid");
    libc_real.setregid = next("setregid");
    libc_real.setresgid = next("setresgid");
    libc_real.setgroups = next("setgroups");
    libc_real.initgroups = next("initgroups");
    libc_real.setfsuid = next("setfsuid");
    libc_real.setfsgid = next("setfsgid");
    libc_real.chroot = next("chroot");
    libc_real.unshare = next("unshare");
    libc_real.setns = next("setns");
    libc_real.setrlimit = next("setrlimit");
    libc_real.setrlimit64 = next("setrlimit64");
    libc_real.prlimit = next("prlimit");
    libc_real.prlimit64 = next("prlimit64");
    libc_real.prctl = next("prctl");
    libc_real.capset = next("capset");
}

/* Two threads may do this at once, with the same result; the first calls come before
 * there is a second thread. */
bool libc_real_resolve(void) {
    if (resolving)
        return false;
    resolving = true;
    resolve_memory();
    resolve_process();
    resolve_rights();
    __atomic_store_n(&libc_real.resolved, true, __ATOMIC_RELEASE);
    resolving = false;
    return true;
}
