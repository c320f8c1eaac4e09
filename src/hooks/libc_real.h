/* SPDX-License-Identifier: MIT */
/* The functions of libc, or of a library that is preloaded after ours, that our hooks
 * replace.
 *
 * The first call of any hook, long before our constructor, resolves them all; until
 * dlsym has returned they are NULL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <pthread.h>
#include <sys/types.h>

#include "base/compiler.h"
#include "base/machine.h"

struct sigaction;

struct libc_real {
    bool resolved;
    void *(*malloc)(size_t size);
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *block, size_t size);
    void *(*reallocarray)(void *block, size_t count, size_t size);
    void (*free)(void *block);
    int (*posix_memalign)(void **block, size_t alignment, size_t size);
    void *(*aligned_alloc)(size_t alignment, size_t size);
    void *(*memalign)(size_t alignment, size_t size);
    void *(*valloc)(size_t size);
    void *(*pvalloc)(size_t size);
    size_t (*malloc_usable_size)(void *block);
    void *(*mmap)(void *address, size_t length, int protection, int flags, int fd,
                  off_t offset);
    int (*munmap)(void *address, size_t length);
    void *(*mremap)(void *address, size_t old_length, size_t length, int flags, ...);
    char *(*getenv)(const char *name);
    int (*pthread_key_create)(pthread_key_t *key, void (*destroy)(void *));
    void (*_exit)(int status);
    void (*_Exit)(int status);
    void (*quick_exit)(int status);
    int (*execve)(const char *path, char *const *argv, char *const *environment);
    int (*execvpe)(const char *file, char *const *argv, char *const *environment);
    int (*execveat)(int directory, const char *path, char *const *argv,
                    char *const *environment, int flags);
    int (*fexecve)(int fd, char *const *argv, char *const *environment);
    int (*setuid)(uid_t user);
    int (*seteuid)(uid_t user);
    int (*setreuid)(uid_t real, uid_t effective);
    int (*setresuid)(uid_t real, uid_t effective, uid_t saved);
    int (*setgid)(gid_t group);
    int (*setegid)(gid_t group);
    int (*setregid)(gid_t real, gid_t effective);
    int (*setresgid)(gid_t real, gid_t effective, gid_t saved);
    int (*setgroups)(size_t count, const gid_t *groups);
    int (*initgroups)(const char *user, gid_t group);
    int (*setfsuid)(uid_t user);
    int (*setfsgid)(gid_t group);
    int (*chroot)(const char *path);
    int (*unshare)(int flags);
    int (*setns)(int fd, int kind);
    int (*setrlimit)(unsigned resource, const void *limit);
    int (*setrlimit64)(unsigned resource, const void *limit);
    int (*prlimit)(pid_t pid, unsigned resource, const void *limit, void *old);
    int (*prlimit64)(pid_t pid, unsigned resource, const void *limit, void *old);
    int (*prctl)(int option, ...);
    int (*capset)(void *header, const void *data);
    int (*sigaction)(int number, const struct sigaction *action, struct sigaction *old);
    const char *(*strerrordesc_np)(int error); /* not hooked; NULL before glibc 2.32 */
};

extern internal struct libc_real libc_real;

/* Resolves all. False in a call that dlsym makes meanwhile. */
bool libc_real_resolve(void);

static always_inline bool libc_real_ready(void) {
    return likely(machine_load_published(&libc_real.resolved)) || libc_real_resolve();
}
