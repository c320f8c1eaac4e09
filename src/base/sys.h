/* SPDX-License-Identifier: MIT */
/* System calls of the tracer itself: its own hooks do not see them, and errno is
 * unchanged.
 *
 * All return what the kernel returns: 0 or more, or -errno. Any thread, also inside a
 * hook and in a signal handler; they allocate nothing. The library keeps no descriptor:
 * it opens, uses and closes a file within one function.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/compiler.h"

/* The program filters its system calls (seccomp), and one that only the tracer makes
 * may kill it: the tracer opens no file any more. Set once, before the filter
 * begins. */
extern internal bool sys_confined;

static inline long sys_result(long result, int saved) {
    if (result == -1) {
        result = -errno;
        errno = saved;
    }
    return result;
}

#define sys_call(...)                                                                  \
    __extension__({                                                                    \
        int sys_saved = errno;                                                         \
        sys_result(syscall(__VA_ARGS__), sys_saved);                                   \
    })

static inline void *sys_mmap(void *address, size_t length, int protection, int flags,
                             int fd, uint64_t offset) {
    return (void *)sys_call(SYS_mmap, address, length, protection, flags, fd, offset);
}

/* Whether a pointer that sys_mmap or sys_mremap returned is -errno instead: errno is at
 * most 4095 (MAX_ERRNO of the kernel). */
static inline bool sys_failed(const void *pointer) {
    return (uintptr_t)pointer >= (uintptr_t)-4095;
}

/* As fstat(2), which glibc before 2.33 has by another name only. */
static inline int sys_fstat(int fd, struct stat *status) {
    return (int)sys_call(SYS_fstat, fd, status);
}

static inline int sys_munmap(void *address, size_t length) {
    return (int)sys_call(SYS_munmap, address, length);
}

static inline void *sys_mremap(void *address, size_t old_length, size_t length,
                               int flags, void *to) {
    return (void *)sys_call(SYS_mremap, address, old_length, length, flags, to);
}

static inline int sys_madvise(void *address, size_t length, int advice) {
    return (int)sys_call(SYS_madvise, address, length, advice);
}

/* -EPERM if the program filters its system calls. */
static inline int sys_open(const char *path, int flags, unsigned mode) {
    if (sys_confined)
        return -EPERM;
    return (int)sys_call(SYS_openat, AT_FDCWD, path, flags, mode);
}

static inline int sys_close(int fd) {
    return (int)sys_call(SYS_close, fd);
}

static inline int sys_getpid(void) {
    return (int)sys_call(SYS_getpid);
}
