/* SPDX-License-Identifier: MIT */
#include "hooks/bootstrap.h"

#include <stdatomic.h>
#include <stdint.h>

enum { POOL_SIZE = 128 << 10, ALIGNMENT = 16 };

static _Alignas(ALIGNMENT) unsigned char pool[POOL_SIZE];
static _Atomic size_t used;

/* | size, in 16 bytes | block, rounded up to 16 | */
void *bootstrap_allocate(size_t size) {
    if (size > POOL_SIZE)
        return NULL;
    size_t whole = ALIGNMENT + ((size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1));
    size_t offset = atomic_fetch_add(&used, whole);
    if (offset + whole > POOL_SIZE)
        return NULL;
    *(size_t *)(void *)(pool + offset) = size;
    return pool + offset + ALIGNMENT;
}

bool bootstrap_owns(const void *block) {
    return (uintptr_t)block - (uintptr_t)pool < POOL_SIZE;
}

size_t bootstrap_size(const void *block) {
    return *(const size_t *)(const void *)((const unsigned char *)block - ALIGNMENT);
}
