/* SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/machine.h"
#include "base/sys.h"

static _Atomic uint64_t mapped;

static void *map(size_t size, int flags) {
    void *memory = sys_mmap(NULL, size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    return sys_failed(memory) ? NULL : memory;
}

void *arena_map(size_t size) {
    size = machine_whole_pages(size);
    void *memory = map(size, 0);
    if (memory != NULL)
        atomic_fetch_add_explicit(&mapped, size, memory_order_relaxed);
    return memory;
}

void *arena_reserve(size_t size) {
    return map(machine_whole_pages(size), MAP_NORESERVE);
}

void arena_clear(void *memory, size_t size) {
    if (sys_madvise(memory, size, MADV_DONTNEED) < 0)
        memset(memory, 0, size);
}

void arena_unmap(void *memory, size_t size) {
    size = machine_whole_pages(size);
    sys_munmap(memory, size);
    atomic_fetch_sub_explicit(&mapped, size, memory_order_relaxed);
}

void *arena_grow(void *memory, size_t old_size, size_t size) {
    old_size = machine_whole_pages(old_size);
    size = machine_whole_pages(size);
    void *grown = sys_mremap(memory, old_size, size, MREMAP_MAYMOVE, NULL);
    if (sys_failed(grown))
        return NULL;
    atomic_fetch_add_explicit(&mapped, size - old_size, memory_order_relaxed);
    return grown;
}

uint64_t arena_bytes(void) {
    return atomic_load_explicit(&mapped, memory_order_relaxed);
}
