/* SPDX-License-Identifier: MIT */
/* mmap, munmap and mremap. Anonymous memory counts with its length, reserved addresses
 * with what is resident of them, files not at all. Whether mprotect later makes a
 * reservation accessible does not matter. The interpreter's arenas, which hold its
 * objects, are counted apart.
 *
 * A hook makes the real call under the tracer's lock, so that no other thread's event
 * on the same addresses comes between the kernel's answer and the table. */
/* With _FILE_OFFSET_BITS <sys/mman.h> makes mmap another name for mmap64, and both are
 * defined here. */
#undef _FILE_OFFSET_BITS
#include <stdarg.h>
#include <stdint.h>
#include <sys/mman.h>

#include "base/machine.h"
#include "base/sys.h"
#include "event/event.h"
#include "hooks/libc_real.h"
#include "trace/mapping_table.h"
#include "trace/python_arenas.h"

static enum mapping_kind kind_of(int protection, int flags) {
    if ((flags & MAP_ANONYMOUS) == 0)
        return MAPPING_NONE;
    bool reserved = protection == PROT_NONE || (flags & MAP_NORESERVE) != 0;
    return reserved ? MAPPING_RESERVED : MAPPING_HEAP;
}

static void *real_mmap(void *address, size_t length, int protection, int flags, int fd,
                       off_t offset) {
    if (libc_real_ready())
        return libc_real.mmap(address, length, protection, flags, fd, offset);
    void *memory = sys_mmap(address, length, protection, flags, fd, (uint64_t)offset);
    if (!sys_failed(memory))
        return memory;
    errno = -(int)(intptr_t)memory;
    return MAP_FAILED;
}

/* What was live at the exit was in the arenas of that time. */
static void count_arenas(struct event_guard guard) {
    event_guard_check(guard);
    if (tracer.dump->header->finalized == 0)
        tracer.dump->header->arena_bytes = python_arenas_bytes();
}

/* A call within an allocator that one of our hooks called: the interpreter takes an
 * arena, or returns one before it is unmapped. */
static cold_path void note_arena(void *start, size_t length,
                                 void (*note)(struct event_guard, uintptr_t, size_t)) {
    struct thread_state *self = thread_state_get();
    if (!self->in_allocator || self->in_tracer)
        return;
    struct event_guard guard = event_begin(self);
    if (gate.active) {
        note(guard, (uintptr_t)start, machine_whole_pages(length));
        count_arenas(guard);
    }
    event_end(guard);
}

/* The interpreter returns most arenas when it frees an object, which is no call within
 * an allocator. */
static cold_path void forget_arena(struct event_guard guard, uintptr_t start,
                                   size_t length) {
    python_arenas_remove(guard, start, length);
    count_arenas(guard);
}

static cold_path void note_map(struct event_guard guard, void *address, size_t length,
                               enum mapping_kind kind) {
    uintptr_t start = (uintptr_t)address;
    length = machine_whole_pages(length);
    int error = 0;
    forget_arena(guard, start, length);
    if (kind != MAPPING_NONE)
        error = mapping_table_add(guard, start, length, kind,
                                  event_capture(guard, EVENT_ANY_THREAD));
    else if (mapping_table_kind(guard, start, length) != MAPPING_NONE)
        error = mapping_table_remove(guard, start, length);
    if (error < 0)
        tracer_lost_block(guard, TRACEMALLOC_DUMP_LOST_MEMORY);
}

static cold_path void note_unmap(struct event_guard guard, uintptr_t start,
                                 size_t length) {
    forget_arena(guard, start, length);
    if (mapping_table_remove(guard, start, length) < 0)
        tracer_lost_block(guard, TRACEMALLOC_DUMP_LOST_MEMORY);
}

exported void *mmap(void *address, size_t length, int protection, int flags, int fd,
                    off_t offset) {
    struct thread_state *self = event_thread();
    if (self == NULL) {
        void *memory = real_mmap(address, length, protection, flags, fd, offset);
        if (memory != MAP_FAILED && gate.active && protection != PROT_NONE &&
            kind_of(protection, flags) != MAPPING_NONE)
            note_arena(memory, length, python_arenas_add);
        return memory;
    }
    struct event_guard guard = event_begin(self);
    void *memory = real_mmap(address, length, protection, flags, fd, offset);
    if (memory != MAP_FAILED && gate.active)
        note_map(guard, memory, length, kind_of(protection, flags));
    event_end(guard);
    return memory;
}

exported void *mmap64(void *address, size_t length, int protection, int flags, int fd,
                      off64_t offset) __attribute__((alias("mmap")));

exported int munmap(void *address, size_t length) {
    if (!libc_real_ready())
        return (int)syscall(SYS_munmap, address, length);
    struct thread_state *self = event_thread();
    if (self == NULL) {
        if (gate.active)
            note_arena(address, length, python_arenas_remove);
        return libc_real.munmap(address, length);
    }
    struct event_guard guard = event_begin(self);
    int result = libc_real.munmap(address, length);
    if (result == 0 && gate.active)
        note_unmap(guard, (uintptr_t)address, machine_whole_pages(length));
    event_end(guard);
    return result;
}

static void note_remap(struct event_guard guard, void *old, size_t old_length,
                       void *memory, size_t length) {
    old_length = machine_whole_pages(old_length);
    enum mapping_kind kind =
        mapping_table_kind(guard, (uintptr_t)old, old_length == 0 ? 1 : old_length);
    if (old_length != 0)
        note_unmap(guard, (uintptr_t)old, old_length);
    note_map(guard, memory, length, kind);
}

exported void *mremap(void *old, size_t old_length, size_t length, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    void *to = (flags & MREMAP_FIXED) != 0 ? va_arg(rest, void *) : NULL;
    va_end(rest);
    if (!libc_real_ready())
        return (void *)syscall(SYS_mremap, old, old_length, length, flags, to);
    struct thread_state *self = event_thread();
    if (self == NULL)
        return libc_real.mremap(old, old_length, length, flags, to);
    struct event_guard guard = event_begin(self);
    void *memory = libc_real.mremap(old, old_length, length, flags, to);
    if (memory != MAP_FAILED && gate.active)
        note_remap(guard, old, old_length, memory, length);
    event_end(guard);
    return memory;
}
