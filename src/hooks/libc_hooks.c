/* SPDX-License-Identifier: MIT */
/* The malloc family as the program sees it. A hook calls the real function before it
 * records an allocation, and after it has recorded a free. */
#include "hooks/libc_hooks.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "event/event_sampled.h"
#include "hooks/bootstrap.h"
#include "hooks/libc_real.h"

void free_sized(void *block, size_t size);
void free_aligned_sized(void *block, size_t alignment, size_t size);

/* Ends the call of the real allocator, and records its block. */
static always_inline void *end_alloc(struct thread_state *self, void *block,
                                     size_t size) {
    self->in_allocator = false;
    if (likely(block != NULL))
        event_alloc_libc(self, block, size);
    return block;
}

/* The same of a process that samples its blocks: the thread in the call of the real
 * allocator, or NULL if its block is not an event of its own. */
static always_inline struct thread_state *begin_sampled(void) {
    struct thread_state *self = event_idle_thread();
    if (likely(self != NULL))
        self->in_allocator = true;
    return self;
}

static always_inline void *end_sampled(struct thread_state *self, void *block,
                                       size_t size) {
    if (unlikely(self == NULL))
        return block;
    self->in_allocator = false;
    if (unlikely(block != NULL && sampler_is_due(&self->sampler, size)))
        return event_sampled_alloc_libc(self, block, size);
    return block;
}

exported void *malloc(size_t size) {
    if (!libc_real_ready())
        return bootstrap_allocate(size);
    if (unlikely(event_is_sampled())) {
        struct thread_state *caller = begin_sampled();
        return end_sampled(caller, libc_real.malloc(size), size);
    }
    struct thread_state *self = event_thread();
    if (self == NULL)
        return libc_real.malloc(size);
    self->in_allocator = true;
    return end_alloc(self, libc_real.malloc(size), size);
}

exported void *calloc(size_t count, size_t size) {
    size_t whole;
    if (!libc_real_ready())
        return __builtin_mul_overflow(count, size, &whole) ? NULL
                                                           : bootstrap_allocate(whole);
    if (unlikely(event_is_sampled())) {
        struct thread_state *caller = begin_sampled();
        return end_sampled(caller, libc_real.calloc(count, size), count * size);
    }
    struct thread_state *self = event_thread();
    if (self == NULL)
        return libc_real.calloc(count, size);
    self->in_allocator = true;
    return end_alloc(self, libc_real.calloc(count, size), count * size);
}

/* The real realloc does not know a block of the bootstrap pool: copies it. */
static cold_path void *move_from_bootstrap(const void *block, size_t size) {
    size_t old_size = bootstrap_size(block);
    void *moved = malloc(size);
    if (moved != NULL)
        memcpy(moved, block, old_size < size ? old_size : size);
    return moved;
}

/* realloc to 0 bytes frees the block: it returns NULL and leaves errno unchanged. */
static always_inline bool was_freed(const void *moved, size_t size, int before) {
    return moved == NULL && size == 0 && errno == before;
}

static always_inline void *end_realloc(struct thread_state *self, uint32_t bucket,
                                       const void *block, void *moved, size_t size,
                                       bool freed) {
    self->in_allocator = false;
    if (likely(moved != NULL || freed))
        event_realloc_libc_done(self, bucket, moved, size);
    else
        event_realloc_failed(self, block, bucket, EVENT_ANY_THREAD);
    return moved;
}

static always_inline void record_free(void *block) {
    if (unlikely(!event_free(block, EVENT_ANY_THREAD)))
        event_free_slow_path(block, TRACER_LIBC, EVENT_ANY_THREAD);
}

static void *sampled_realloc(void *block, size_t size) {
    struct thread_state *self = event_idle_thread();
    uint32_t bucket = 0;
    if (self == NULL) {
        if (block != NULL)
            record_free(block);
        return libc_real.realloc(block, size);
    }
    if (block != NULL && unlikely(block_map_may_be_sampled((uintptr_t)block)))
        bucket = event_sampled_take(self, block, TRACER_LIBC);
    int before = errno;
    self->in_allocator = true;
    void *moved = libc_real.realloc(block, size);
    if (unlikely(bucket != 0)) {
        self->in_allocator = false;
        if (moved != NULL || was_freed(moved, size, before))
            event_sampled_replaced(self, block, bucket);
        else
            event_realloc_failed(self, block, bucket, EVENT_ANY_THREAD);
    }
    return end_sampled(self, moved, size);
}

exported void *realloc(void *block, size_t size) {
    if (unlikely(!libc_real_ready() || bootstrap_owns(block)))
        return block == NULL ? bootstrap_allocate(size)
                             : move_from_bootstrap(block, size);
    if (unlikely(event_is_sampled()))
        return sampled_realloc(block, size);
    struct thread_state *self = event_thread();
    if (self == NULL) {
        if (block != NULL)
            record_free(block);
        return libc_real.realloc(block, size);
    }
    uint32_t bucket = event_realloc_begin(self, block, TRACER_LIBC, EVENT_ANY_THREAD);
    int before = errno;
    self->in_allocator = true;
    void *moved = libc_real.realloc(block, size);
    return end_realloc(self, bucket, block, moved, size,
                       block != NULL && was_freed(moved, size, before));
}

exported void *reallocarray(void *block, size_t count, size_t size) {
    size_t whole;
    if (__builtin_mul_overflow(count, size, &whole)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, whole);
}

exported void free(void *block) {
    if (unlikely(block == NULL || bootstrap_owns(block)))
        return;
    record_free(block);
    if (libc_real_ready())
        libc_real.free(block);
}

exported void free_sized(void *block, size_t size) {
    (void)size;
    free(block);
}

exported void free_aligned_sized(void *block, size_t alignment, size_t size) {
    (void)alignment;
    (void)size;
    free(block);
}

exported int posix_memalign(void **block, size_t alignment, size_t size) {
    if (!libc_real_ready())
        return ENOMEM;
    if (unlikely(event_is_sampled())) {
        struct thread_state *caller = begin_sampled();
        int failed = libc_real.posix_memalign(block, alignment, size);
        end_sampled(caller, failed == 0 ? *block : NULL, size);
        return failed;
    }
    struct thread_state *self = event_thread();
    if (self == NULL)
        return libc_real.posix_memalign(block, alignment, size);
    self->in_allocator = true;
    int error = libc_real.posix_memalign(block, alignment, size);
    end_alloc(self, error == 0 ? *block : NULL, size);
    return error;
}

static always_inline void *aligned(void *(*real)(size_t, size_t), size_t alignment,
                                   size_t size) {
    if (unlikely(event_is_sampled())) {
        struct thread_state *caller = begin_sampled();
        return end_sampled(caller, real(alignment, size), size);
    }
    struct thread_state *self = event_thread();
    if (self == NULL)
        return real(alignment, size);
    self->in_allocator = true;
    return end_alloc(self, real(alignment, size), size);
}

exported void *aligned_alloc(size_t alignment, size_t size) {
    return libc_real_ready() ? aligned(libc_real.aligned_alloc, alignment, size) : NULL;
}

exported void *memalign(size_t alignment, size_t size) {
    return libc_real_ready() ? aligned(libc_real.memalign, alignment, size) : NULL;
}

static always_inline void *paged(void *(*real)(size_t), size_t size) {
    if (unlikely(event_is_sampled())) {
        struct thread_state *caller = begin_sampled();
        return end_sampled(caller, real(size), size);
    }
    struct thread_state *self = event_thread();
    if (self == NULL)
        return real(size);
    self->in_allocator = true;
    return end_alloc(self, real(size), size);
}

exported void *valloc(size_t size) {
    return libc_real_ready() ? paged(libc_real.valloc, size) : NULL;
}

exported void *pvalloc(size_t size) {
    return libc_real_ready() ? paged(libc_real.pvalloc, size) : NULL;
}

static const void *base_of(const void *address) {
    Dl_info info;
    return dladdr(address, &info) != 0 ? info.dli_fbase : NULL;
}

/* The base of the first object after the executable, in the loader's search order, that
 * defines the function. */
static const void *first_base(const char *name) {
    for (const struct link_map *map = _r_debug.r_map->l_next; map != NULL;
         map = map->l_next) {
        void *object = dlopen(map->l_name, RTLD_NOLOAD | RTLD_LAZY);
        const void *function = object != NULL ? dlsym(object, name) : NULL;
        Dl_info info;
        bool found = function != NULL && dladdr(function, &info) != 0 &&
                     strcmp(info.dli_fname, map->l_name) == 0;
        if (object != NULL)
            dlclose(object);
        if (found)
            return info.dli_fbase;
    }
    return NULL;
}

/* Whether the process calls our function of this name. An executable that takes the
 * function's address has a stub of that name, which is no definition. */
static bool is_ours(const char *name) {
    Dl_info info;
    const ElfW(Sym) *symbol = NULL;
    const void *ours = base_of((const void *)libc_hooks_bypassed);
    const void *function = dlsym(RTLD_DEFAULT, name);
    if (function == NULL ||
        dladdr1(function, &info, (void **)&symbol, RTLD_DL_SYMENT) == 0)
        return true;
    if (symbol == NULL || symbol->st_shndx == SHN_UNDEF)
        return first_base(name) == ours;
    return info.dli_fbase == ours;
}

/* Whether the allocator after ours in the search order has an operator new of its own,
 * which does not call malloc. */
static bool has_own_new(void) {
    const void *function = dlsym(RTLD_DEFAULT, "_Znwm");
    return function != NULL &&
           base_of(function) == base_of((const void *)libc_real.malloc);
}

unsigned libc_hooks_bypassed(void) {
    static const char *const names[] = {"malloc",        "calloc",   "realloc",
                                        "free",          "memalign", "posix_memalign",
                                        "aligned_alloc", "mmap",     "munmap"};
    unsigned count = has_own_new();
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        count += !is_ours(names[i]);
    return count;
}

exported size_t malloc_usable_size(void *block) {
    if (unlikely(bootstrap_owns(block)))
        return bootstrap_size(block);
    return libc_real_ready() ? libc_real.malloc_usable_size(block) : 0;
}
