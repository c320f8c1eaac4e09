/* SPDX-License-Identifier: MIT */
/* Preloaded before a library that was built with the address sanitizer. Our hooks come
 * before the sanitizer's own, so that blocks are seen at all, and the sanitizer
 * allocates while it starts, when instrumented code cannot run: until then it serves
 * itself. */
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

void *__interceptor_malloc(size_t size);
void *__interceptor_calloc(size_t count, size_t size);
void *__interceptor_realloc(void *block, size_t size);
void __interceptor_free(void *block);

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
}
