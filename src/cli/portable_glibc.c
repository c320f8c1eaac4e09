/* SPDX-License-Identifier: MIT */
/* Only in portable builds (-Dportable=true): what the command and the static libraries
 * in it call of libc's newer than 2.17, in the versions or by the means of 2.17. The
 * linker finds these definitions before libc's. They are hidden: no library calls them.
 *
 * The names that a build needs are those that tests/lint/glibc_versions.py reports. */
/* stat and stat64 are two names here. */
#undef _FILE_OFFSET_BITS

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define VERSIONED(name, old, version)                                                  \
    __asm__(".symver versioned_" #name ", " old "@GLIBC_" version);

/* A function that libc had in 2.17, under the version that it had then. */
#if defined(__x86_64__)
#define FORWARDED(name, old, version)                                                  \
    VERSIONED(name, old, version)                                                      \
    __asm__(".pushsection .text\n"                                                     \
            ".globl " #name "\n.hidden " #name "\n.type " #name ", @function\n" #name  \
            ":\n\tjmp versioned_" #name "@PLT\n"                                       \
            ".popsection");
#else
#error "this architecture has no portable build yet"
#endif

FORWARDED(dlclose, "dlclose", "2.2.5")
FORWARDED(dlopen, "dlopen", "2.2.5")
FORWARDED(dlsym, "dlsym", "2.2.5")
FORWARDED(exp, "exp", "2.2.5")
FORWARDED(fcntl64, "fcntl", "2.2.5")
FORWARDED(glob64, "glob64", "2.2.5")
FORWARDED(log, "log", "2.2.5")
FORWARDED(pow, "pow", "2.2.5")
FORWARDED(pthread_once, "pthread_once", "2.2.5")
FORWARDED(pthread_rwlock_destroy, "pthread_rwlock_destroy", "2.2.5")
FORWARDED(pthread_rwlock_init, "pthread_rwlock_init", "2.2.5")
FORWARDED(pthread_rwlock_rdlock, "pthread_rwlock_rdlock", "2.2.5")
FORWARDED(pthread_rwlock_tryrdlock, "pthread_rwlock_tryrdlock", "2.2.5")
FORWARDED(pthread_rwlock_unlock, "pthread_rwlock_unlock", "2.2.5")
FORWARDED(pthread_rwlock_wrlock, "pthread_rwlock_wrlock", "2.2.5")
FORWARDED(timer_create, "timer_create", "2.3.3")
FORWARDED(timer_delete, "timer_delete", "2.3.3")
FORWARDED(timer_settime, "timer_settime", "2.3.3")

#define hidden __attribute__((visibility("hidden")))

/* Until 2.33 these were inline functions around __xstat and its like. */
hidden int fstatat64(int directory, const char *restrict path,
                     struct stat64 *restrict status, int flags) {
    return (int)syscall(SYS_newfstatat, directory, path, status, flags);
}

hidden int stat64(const char *restrict path, struct stat64 *restrict status) {
    return fstatat64(AT_FDCWD, path, status, 0);
}

hidden int lstat64(const char *restrict path, struct stat64 *restrict status) {
    return fstatat64(AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}

hidden int fstat64(int fd, struct stat64 *status) {
    return (int)syscall(SYS_fstat, fd, status);
}

/* 64-bit systems have one struct stat. */
hidden int stat(const char *restrict path, struct stat *restrict status) {
    return (int)syscall(SYS_newfstatat, AT_FDCWD, path, status, 0);
}

hidden int lstat(const char *restrict path, struct stat *restrict status) {
    return (int)syscall(SYS_newfstatat, AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW);
}

hidden int fstat(int fd, struct stat *status) {
    return (int)syscall(SYS_fstat, fd, status);
}

hidden ssize_t getrandom(void *buffer, size_t length, unsigned flags) {
    return syscall(SYS_getrandom, buffer, length, flags);
}

hidden void *reallocarray(void *old, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(old, bytes);
}

/* In glibc before 2.32 the names are an array. */
hidden const char *sigabbrev_np(int number) {
    const char *(*name_of)(int);
    void *found = dlsym(RTLD_NEXT, "sigabbrev_np");
    memcpy(&name_of, &found, sizeof name_of);
    if (found != NULL)
        return name_of(number);
    const char *const *names = dlsym(RTLD_NEXT, "sys_sigabbrev");
    return names != NULL && number > 0 && number < NSIG ? names[number] : NULL;
}

/* The command leaves LC_MESSAGES alone: strerror is as untranslated. */
hidden const char *strerrordesc_np(int number) {
    return strerror(number);
}

/* Before 2.34 the executable brought the function that calls its constructors. */
typedef void constructor(int argc, char **argv, char **environment);
typedef int start_main(int (*main)(int, char **, char **), int argc, char **argv,
                       constructor *init, void (*fini)(void), void (*rtld_fini)(void),
                       void *stack_end);

extern constructor *__init_array_start[] hidden, *__init_array_end[] hidden;
extern void _init(void) hidden;
extern start_main versioned___libc_start_main;
VERSIONED(__libc_start_main, "__libc_start_main", "2.2.5")
hidden start_main __libc_start_main;

static void run_constructors(int argc, char **argv, char **environment) {
    _init();
    for (constructor **i = __init_array_start; i < __init_array_end; i++)
        (*i)(argc, argv, environment);
}

hidden int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv,
                             constructor *init, void (*fini)(void),
                             void (*rtld_fini)(void), void *stack_end) {
    (void)init;
    return versioned___libc_start_main(main, argc, argv, run_constructors, fini,
                                       rtld_fini, stack_end);
}
