/* SPDX-License-Identifier: MIT */
/* Preloaded before a library that was built with the address sanitizer. Our hooks come
 * before the sanitizer's own, so that blocks are seen at all, and the sanitizer
 * allocates while it starts, when instrumented code cannot run: until then it serves
 * itself. What else it calls then, and the library hooks, goes to libc by another name
 * or to the kernel. */
#include <dlfcn.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>

void *__interceptor_malloc(size_t size);
void *__interceptor_calloc(size_t count, size_t size);
void *__interceptor_realloc(void *block, size_t size);
void __interceptor_free(void *block);

int __pthread_key_create(pthread_key_t *key, void (*destructor)(void *));

static int kernel_setrlimit(__rlimit_resource_t resource, const struct rlimit *limit) {
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"((long)SYS_setrlimit), "D"((long)resource), "S"(limit)
                     : "rcx", "r11", "memory");
    return (int)result;
}

static int (*next_setrlimit)(__rlimit_resource_t,
                             const struct rlimit *) = kernel_setrlimit;
static int (*next_key)(pthread_key_t *, void (*)(void *)) = __pthread_key_create;
static void *(*next_malloc)(size_t) = __interceptor_malloc;
static void *(*next_calloc)(size_t, size_t) = __interceptor_calloc;
static void *(*next_realloc)(void *, size_t) = __interceptor_realloc;
static void (*next_free)(void *) = __interceptor_free;

void *malloc(size_t size) {
    return next_malloc(size);
}

void *calloc(size_t count, size_t size) {
    return next_calloc(count, size);
}

void *realloc(void *block, size_t size) {
    return next_realloc(block, size);
}

void free(void *block) {
    next_free(block);
}

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit) {
    return next_setrlimit(resource, limit);
}

int pthread_key_create(pthread_key_t *key, void (*destructor)(void *)) {
    return next_key(key, destructor);
}

static void resolve(void *place, const char *name) {
    void *symbol = dlsym(RTLD_NEXT, name);
    memcpy(place, &symbol, sizeof symbol);
}

/* The first library that is preloaded is the last to start. */
__attribute__((constructor)) static void pass_on(void) {
    resolve(&next_malloc, "malloc");
    resolve(&next_calloc, "calloc");
    resolve(&next_realloc, "realloc");
    resolve(&next_free, "free");
    resolve(&next_setrlimit, "setrlimit");
    resolve(&next_key, "pthread_key_create");
}
