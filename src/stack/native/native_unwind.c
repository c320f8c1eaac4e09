/* SPDX-License-Identifier: MIT */
#include "stack/native/native_unwind.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <ucontext.h>

#include "stack/native/native_object.h"
#include "stack/native/native_redirect.h"
#include "stack/native/native_stack.h"

/* Of libunwind-common.h and libunwind-x86_64.h, part of the library's binary interface
 * since 1.0. A cursor is 127 words. */
enum { CACHE_NONE = 0, INIT_SIGNAL_FRAME = 1 };
enum { CURSOR_RBP = 6, CURSOR_RSP = 7, CURSOR_RIP = 16 };
enum { CURSOR_SIZE = 4096 };

struct memory {
    unsigned char cursor[CURSOR_SIZE];
    ucontext_t context;
};
static_assert(sizeof(struct memory) <= NATIVE_UNWIND_MEMORY, "memory of a step");

static struct {
    int (*init)(void *cursor, ucontext_t *context, int flags);
    int (*step)(void *cursor);
    int (*get)(void *cursor, int number, uint64_t *value);
} unwind;

/* Of the step that the thread takes; 0: none. */
static thread_local_fixed uint64_t step_address;

static int find(void *handle, const char *name, void *function) {
    void *found = dlsym(handle, name);
    memcpy(function, &found, sizeof found);
    return found != NULL ? 0 : -ENOENT;
}

/* Instead of dl_iterate_phdr: the object of the step's code alone. The program may use
 * the same libunwind. */
static int iterate(int (*callback)(struct dl_phdr_info *info, size_t size, void *data),
                   void *data) {
    struct native_object object;
    struct dl_phdr_info info = {.dlpi_adds = 1};
    size_t count;
    if (step_address == 0)
        return dl_iterate_phdr(callback, data);
    if (native_object_find(step_address, &object) < 0)
        return 0;
    info.dlpi_addr = object.bias;
    info.dlpi_name = object.name;
    info.dlpi_phdr = native_object_segments(&object, &count);
    info.dlpi_phnum = (ElfW(Half))count;
    return count > 0 ? callback(&info, sizeof info, data) : 0;
}

int native_unwind_prepare(void) {
    int (*set_caching)(void *space, int policy);
    void **space;
    void *handle = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL || find(handle, "_ULx86_64_init_local2", &unwind.init) < 0 ||
        find(handle, "_ULx86_64_step", &unwind.step) < 0 ||
        find(handle, "_ULx86_64_get_reg", &unwind.get) < 0 ||
        find(handle, "_ULx86_64_set_caching_policy", &set_caching) < 0 ||
        find(handle, "_ULx86_64_local_addr_space", &space) < 0 ||
        native_redirect(space, "dl_iterate_phdr", (void *)iterate) < 0)
        return -ENOENT;
    /* Its cache would outlive the modules that it is of. */
    return set_caching(*space, CACHE_NONE) == 0 ? 0 : -ENOENT;
}

static void fill_context(ucontext_t *context, const struct native_registers *from) {
    memset(context, 0, sizeof *context);
    context->uc_mcontext.gregs[REG_RIP] = (greg_t)from->ip;
    context->uc_mcontext.gregs[REG_RSP] = (greg_t)from->sp;
    context->uc_mcontext.gregs[REG_RBP] = (greg_t)from->rbp;
}

static int take_step(struct native_registers *registers, struct memory *memory) {
    fill_context(&memory->context, registers);
    int flags = registers->exact ? INIT_SIGNAL_FRAME : 0;
    if (unwind.init(memory->cursor, &memory->context, flags) < 0)
        return -EINVAL;
    int status = unwind.step(memory->cursor);
    if (status <= 0)
        return status < 0 ? -EINVAL : 0;
    bool read = unwind.get(memory->cursor, CURSOR_RIP, &registers->ip) == 0 &&
                unwind.get(memory->cursor, CURSOR_RSP, &registers->sp) == 0 &&
                unwind.get(memory->cursor, CURSOR_RBP, &registers->rbp) == 0;
    return read ? 1 : -EINVAL;
}

/* A call leaves its return address below the caller's stack pointer. Otherwise the
 * frame was the kernel's, which leaves the registers of what it interrupted where the
 * handler's return address leads: rt_sigreturn takes them from the stack pointer on
 * (struct rt_sigframe of the kernel). A new cursor of libunwind does not tell. */
static void find_slots(struct native_registers *registers, uint64_t sp) {
    const ucontext_t *interrupted = (const void *)sp;
    const greg_t *saved = interrupted->uc_mcontext.gregs;
    registers->slot = (const uint64_t *)registers->sp - 1;
    registers->rbp_slot = NULL;
    registers->exact = native_word(registers->slot) != registers->ip;
    if (registers->exact) {
        registers->slot = (const uint64_t *)&saved[REG_RIP];
        registers->rbp_slot = (const uint64_t *)&saved[REG_RBP];
    }
}

int native_unwind_step(struct native_registers *registers, void *memory) {
    uint64_t sp = registers->sp;
    step_address = registers->exact ? registers->ip : registers->ip - 1;
    int status = take_step(registers, memory);
    step_address = 0;
    if (status == 1 && registers->ip == 0)
        status = 0;
    if (status == 1)
        find_slots(registers, sp);
    return status;
}
