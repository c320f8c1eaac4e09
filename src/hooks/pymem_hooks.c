/* SPDX-License-Identifier: MIT */
#include "hooks/pymem_hooks.h"

#include "event/event_sampled.h"

/* PyMemAllocatorDomain and PyMemAllocatorEx of Include/cpython/pymem.h (3.6:
 * Include/pymem.h), unchanged since 3.5. */
enum { DOMAIN_RAW, DOMAIN_MEM, DOMAIN_OBJ, DOMAINS };

struct allocator {
    void *context;
    void *(*malloc)(void *context, size_t size);
    void *(*calloc)(void *context, size_t count, size_t size);
    void *(*realloc)(void *context, void *block, size_t size);
    void (*free)(void *context, void *block);
};

static struct allocator real[DOMAINS];

/* Programs may use the raw domain without the GIL. */
static always_inline enum event_gil gil_of(int domain) {
    return domain == DOMAIN_RAW ? EVENT_ANY_THREAD : EVENT_WITH_GIL;
}

/* The hooks of a process that samples its blocks. */
static always_inline void *sampled_malloc(int domain, void *context, size_t size) {
    struct thread_state *self = event_idle_thread();
    if (unlikely(self == NULL))
        return real[domain].malloc(context, size);
    self->in_allocator = true;
    void *block = real[domain].malloc(context, size);
    self->in_allocator = false;
    if (unlikely(block != NULL && sampler_is_due(&self->sampler, size)))
        return event_sampled_alloc(self, block, size, gil_of(domain));
    return block;
}

static always_inline void *sampled_calloc(int domain, void *context, size_t count,
                                          size_t size) {
    struct thread_state *self = event_idle_thread();
    if (unlikely(self == NULL))
        return real[domain].calloc(context, count, size);
    self->in_allocator = true;
    void *block = real[domain].calloc(context, count, size);
    self->in_allocator = false;
    if (unlikely(block != NULL && sampler_is_due(&self->sampler, count * size)))
        return event_sampled_alloc(self, block, count * size, gil_of(domain));
    return block;
}

static always_inline void *sampled_realloc(int domain, void *context, void *block,
                                           size_t size) {
    struct thread_state *self = event_idle_thread();
    uint32_t bucket = 0;
    if (unlikely(self == NULL))
        return real[domain].realloc(context, block, size);
    if (block != NULL && unlikely(block_map_may_be_sampled((uintptr_t)block)))
        bucket = event_sampled_take(self, block, TRACER_PYTHON);
    self->in_allocator = true;
    void *moved = real[domain].realloc(context, block, size);
    self->in_allocator = false;
    if (unlikely(bucket != 0 && moved == NULL))
        event_realloc_failed(self, block, bucket, gil_of(domain));
    else if (unlikely(bucket != 0))
        event_sampled_replaced(self, block, bucket);
    if (unlikely(moved != NULL && sampler_is_due(&self->sampler, size)))
        return event_sampled_alloc(self, moved, size, gil_of(domain));
    return moved;
}

/* A block that the real allocator made. Returns it. */
static always_inline void *add(struct thread_state *self, void *block, size_t size,
                               enum event_gil gil) {
    if (likely(gate.open == GATE_FAST_PATH_RECENT))
        return event_alloc(&python_recent_layout, self, block, size, gil);
    if (gate.open == GATE_FAST_PATH)
        return event_alloc(&python_walk.layout, self, block, size, gil);
    return event_alloc_slow_path(self, block, size, gil);
}

static always_inline void *exact_malloc(int domain, void *context, size_t size,
                                        struct thread_state *self) {
    if (unlikely(self == NULL))
        return real[domain].malloc(context, size);
    self->in_allocator = true;
    void *block = real[domain].malloc(context, size);
    self->in_allocator = false;
    if (unlikely(block == NULL))
        return NULL;
    return add(self, block, size, gil_of(domain));
}

static always_inline void *exact_calloc(int domain, void *context, size_t count,
                                        size_t size, struct thread_state *self) {
    if (unlikely(self == NULL))
        return real[domain].calloc(context, count, size);
    self->in_allocator = true;
    void *block = real[domain].calloc(context, count, size);
    self->in_allocator = false;
    /* The product does not overflow, or there would be no block. */
    if (unlikely(block == NULL))
        return NULL;
    return add(self, block, count * size, gil_of(domain));
}

static always_inline void *exact_realloc(int domain, void *context, void *block,
                                         size_t size, struct thread_state *self) {
    if (unlikely(self == NULL))
        return real[domain].realloc(context, block, size);
    uint32_t bucket = event_realloc_begin(self, block, TRACER_PYTHON, gil_of(domain));
    self->in_allocator = true;
    void *moved = real[domain].realloc(context, block, size);
    self->in_allocator = false;
    if (unlikely(moved == NULL)) {
        event_realloc_failed(self, block, bucket, gil_of(domain));
        return NULL;
    }
    uint8_t birth = bucket != 0 ? event_realloc_done(self, bucket, gil_of(domain))
                                : (uint8_t)TRACER_BORN_NOW;
    add(self, moved, size, gil_of(domain));
    if (unlikely(birth != TRACER_BORN_NOW))
        event_keep_birth(self, moved, birth);
    return moved;
}

static never_inline void *malloc_slow_path(int domain, void *context, size_t size) {
    return event_is_sampled() ? sampled_malloc(domain, context, size)
                              : exact_malloc(domain, context, size, event_thread());
}

static never_inline void *calloc_slow_path(int domain, void *context, size_t count,
                                           size_t size) {
    return event_is_sampled()
               ? sampled_calloc(domain, context, count, size)
               : exact_calloc(domain, context, count, size, event_thread());
}

static never_inline void *realloc_slow_path(int domain, void *context, void *block,
                                            size_t size) {
    return event_is_sampled()
               ? sampled_realloc(domain, context, block, size)
               : exact_realloc(domain, context, block, size, event_thread());
}

/* Of a thread that is idle, as nearly always; else the slow path begins anew, so that
 * no register holds the arguments meanwhile. */
static always_inline void *idle_malloc(int domain, void *context, size_t size) {
    struct thread_state *self = thread_state_own;
    return likely(thread_state_is_idle(self))
               ? exact_malloc(domain, context, size, self)
               : malloc_slow_path(domain, context, size);
}
static always_inline void *idle_calloc(int domain, void *context, size_t count,
                                       size_t size) {
    struct thread_state *self = thread_state_own;
    return likely(thread_state_is_idle(self))
               ? exact_calloc(domain, context, count, size, self)
               : calloc_slow_path(domain, context, count, size);
}
static always_inline void *idle_realloc(int domain, void *context, void *block,
                                        size_t size) {
    struct thread_state *self = thread_state_own;
    return likely(thread_state_is_idle(self))
               ? exact_realloc(domain, context, block, size, self)
               : realloc_slow_path(domain, context, block, size);
}

/* Functions of their own, so that the hooks save no registers for them. */
static never_inline void *exact_raw_malloc(void *context, size_t size) {
    return idle_malloc(DOMAIN_RAW, context, size);
}
static never_inline void *exact_mem_malloc(void *context, size_t size) {
    return idle_malloc(DOMAIN_MEM, context, size);
}
static never_inline void *exact_obj_malloc(void *context, size_t size) {
    return idle_malloc(DOMAIN_OBJ, context, size);
}
static never_inline void *exact_raw_calloc(void *context, size_t count, size_t size) {
    return idle_calloc(DOMAIN_RAW, context, count, size);
}
static never_inline void *exact_mem_calloc(void *context, size_t count, size_t size) {
    return idle_calloc(DOMAIN_MEM, context, count, size);
}
static never_inline void *exact_obj_calloc(void *context, size_t count, size_t size) {
    return idle_calloc(DOMAIN_OBJ, context, count, size);
}
static never_inline void *exact_raw_realloc(void *context, void *block, size_t size) {
    return idle_realloc(DOMAIN_RAW, context, block, size);
}
static never_inline void *exact_mem_realloc(void *context, void *block, size_t size) {
    return idle_realloc(DOMAIN_MEM, context, block, size);
}
static never_inline void *exact_obj_realloc(void *context, void *block, size_t size) {
    return idle_realloc(DOMAIN_OBJ, context, block, size);
}

static always_inline void *inexact_malloc(int domain, void *context, size_t size) {
    struct thread_state *self = event_sampled_begin(size);
    if (unlikely(self == NULL))
        return malloc_slow_path(domain, context, size);
    return event_sampled_end(self, real[domain].malloc(context, size));
}

static always_inline void *inexact_calloc(int domain, void *context, size_t count,
                                          size_t size) {
    struct thread_state *self = event_sampled_begin(count * size);
    if (unlikely(self == NULL))
        return calloc_slow_path(domain, context, count, size);
    return event_sampled_end(self, real[domain].calloc(context, count, size));
}

static always_inline void *inexact_realloc(int domain, void *context, void *block,
                                           size_t size) {
    struct thread_state *self = NULL;
    if (likely(!address_map_passes(&block_map_sampled, (uintptr_t)block)))
        self = event_sampled_begin(size);
    if (unlikely(self == NULL))
        return realloc_slow_path(domain, context, block, size);
    return event_sampled_end(self, real[domain].realloc(context, block, size));
}

static never_inline void free_slow_path(int domain, void *context, void *block) {
    event_free_slow_path(block, TRACER_PYTHON, gil_of(domain));
    real[domain].free(context, block);
}

static never_inline void free_inexact(int domain, void *context, void *block) {
    if (event_free_inexact(block))
        real[domain].free(context, block);
    else
        free_slow_path(domain, context, block);
}

static never_inline void free_near(int domain, void *context, void *block) {
    if (likely(event_free_near(block)))
        real[domain].free(context, block);
    else
        free_slow_path(domain, context, block);
}

static never_inline void free_any(int domain, void *context, void *block) {
    if (likely(block == NULL || event_free_exact(block, gil_of(domain))))
        real[domain].free(context, block);
    else
        free_slow_path(domain, context, block);
}

static always_inline void exact_free(int domain, void *context, void *block) {
    if (domain == DOMAIN_RAW || unlikely(gate_flag(exact) != BLOCK_MAP_GRANULE)) {
        free_any(domain, context, block);
        return;
    }
    enum event_free done = event_free_traced(block);
    if (likely(done == EVENT_FREE_DONE))
        real[domain].free(context, block);
    else if (likely(done == EVENT_FREE_NEAR))
        free_near(domain, context, block);
    else
        free_slow_path(domain, context, block);
}
static never_inline void exact_raw_free(void *context, void *block) {
    exact_free(DOMAIN_RAW, context, block);
}
static never_inline void exact_mem_free(void *context, void *block) {
    exact_free(DOMAIN_MEM, context, block);
}
static never_inline void exact_obj_free(void *context, void *block) {
    exact_free(DOMAIN_OBJ, context, block);
}

static always_inline void inexact_free(int domain, void *context, void *block) {
    if (likely(gate.active &&
               !address_map_passes(&block_map_sampled, (uintptr_t)block)))
        real[domain].free(context, block);
    else
        free_inexact(domain, context, block);
}

/* The hooks. The path of a block that is not sampled is so short that a jump matters:
 * it takes none, and the other paths begin with one. */
static hot_path void *raw_malloc(void *context, size_t size) {
    return unlikely(gate_flag(open)) ? exact_raw_malloc(context, size)
                                     : inexact_malloc(DOMAIN_RAW, context, size);
}
static hot_path void *raw_calloc(void *context, size_t count, size_t size) {
    return unlikely(gate_flag(open)) ? exact_raw_calloc(context, count, size)
                                     : inexact_calloc(DOMAIN_RAW, context, count, size);
}
static hot_path void *raw_realloc(void *context, void *block, size_t size) {
    return unlikely(gate_flag(open))
               ? exact_raw_realloc(context, block, size)
               : inexact_realloc(DOMAIN_RAW, context, block, size);
}
static hot_path void raw_free(void *context, void *block) {
    if (unlikely(gate_flag(exact)))
        exact_raw_free(context, block);
    else
        inexact_free(DOMAIN_RAW, context, block);
}

static hot_path void *mem_malloc(void *context, size_t size) {
    return unlikely(gate_flag(open)) ? exact_mem_malloc(context, size)
                                     : inexact_malloc(DOMAIN_MEM, context, size);
}
static hot_path void *mem_calloc(void *context, size_t count, size_t size) {
    return unlikely(gate_flag(open)) ? exact_mem_calloc(context, count, size)
                                     : inexact_calloc(DOMAIN_MEM, context, count, size);
}
static hot_path void *mem_realloc(void *context, void *block, size_t size) {
    return unlikely(gate_flag(open))
               ? exact_mem_realloc(context, block, size)
               : inexact_realloc(DOMAIN_MEM, context, block, size);
}
static hot_path void mem_free(void *context, void *block) {
    if (unlikely(gate_flag(exact)))
        exact_mem_free(context, block);
    else
        inexact_free(DOMAIN_MEM, context, block);
}

static hot_path void *obj_malloc(void *context, size_t size) {
    return unlikely(gate_flag(open)) ? exact_obj_malloc(context, size)
                                     : inexact_malloc(DOMAIN_OBJ, context, size);
}
static hot_path void *obj_calloc(void *context, size_t count, size_t size) {
    return unlikely(gate_flag(open)) ? exact_obj_calloc(context, count, size)
                                     : inexact_calloc(DOMAIN_OBJ, context, count, size);
}
static hot_path void *obj_realloc(void *context, void *block, size_t size) {
    return unlikely(gate_flag(open))
               ? exact_obj_realloc(context, block, size)
               : inexact_realloc(DOMAIN_OBJ, context, block, size);
}
static hot_path void obj_free(void *context, void *block) {
    if (unlikely(gate_flag(exact)))
        exact_obj_free(context, block);
    else
        inexact_free(DOMAIN_OBJ, context, block);
}

static const struct allocator hooks[DOMAINS] = {
    [DOMAIN_RAW] = {NULL, raw_malloc, raw_calloc, raw_realloc, raw_free},
    [DOMAIN_MEM] = {NULL, mem_malloc, mem_calloc, mem_realloc, mem_free},
    [DOMAIN_OBJ] = {NULL, obj_malloc, obj_calloc, obj_realloc, obj_free},
};

/* Whether hooks of another tool wrap ours, which are then still in place. 3.7 replaces
 * ours by other allocators instead, but before any tool can run. */
static bool are_wrapped(const struct python_runtime *runtime, int domain,
                        const struct allocator *now) {
    return real[domain].malloc != NULL && now->malloc != real[domain].malloc &&
           runtime->layout.version != 0x307;
}

void pymem_hooks_install(const struct python_runtime *runtime) {
    for (int domain = DOMAIN_RAW; domain < DOMAINS; domain++) {
        struct allocator now;
        runtime->get_allocator(domain, &now);
        if (now.malloc == hooks[domain].malloc || are_wrapped(runtime, domain, &now))
            continue;
        real[domain] = now;
        struct allocator wrapped = hooks[domain];
        wrapped.context = now.context;
        runtime->set_allocator(domain, &wrapped);
    }
}

void pymem_hooks_remove(const struct python_runtime *runtime) {
    for (int domain = DOMAIN_RAW; domain < DOMAINS; domain++) {
        struct allocator now;
        runtime->get_allocator(domain, &now);
        if (now.malloc == hooks[domain].malloc)
            runtime->set_allocator(domain, &real[domain]);
    }
}
