/* SPDX-License-Identifier: MIT */
#include "stack/native/x86_64/native_libunwind.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/machine.h"
#include "stack/native/native_object.h"
#include "stack/native/native_redirect.h"
#include "stack/native/native_window.h"
#include "stack/native/native_word.h"

enum {
    MAX_STEPS = 128, /* from the step's own frame to the one that is asked for */
    READABLE_PAGES = 16,
    REGISTERS = 17,
};

/* Of libunwind-x86_64.h, libunwind-common.h and libunwind-dynamic.h, part of the
 * library's binary interface. A cursor is 127 words. */
enum { REGISTER_RBP = 6, REGISTER_RSP = 7, REGISTER_RIP = 16 };
enum { CACHE_NONE = 0, NO_INFO = -10, BAD_REGISTER = -3, INVALID = -8 };
enum { FORMAT_REMOTE_TABLE = 2, SAVED_IN_MEMORY = 1 };

struct accessors {
    int (*find_proc_info)(void *space, uint64_t ip, void *out, int need,
                          void *argument);
    void (*put_unwind_info)(void *space, void *info, void *argument);
    int (*get_dyn_info_list_addr)(void *space, uint64_t *address, void *argument);
    int (*access_mem)(void *space, uint64_t at, uint64_t *value, int write,
                      void *argument);
    int (*access_reg)(void *space, int number, uint64_t *value, int write,
                      void *argument);
    int (*access_fpreg)(void *space, int number, void *value, int write,
                        void *argument);
    int (*resume)(void *space, void *cursor, void *argument);
    int (*get_proc_name)(void *space, uint64_t ip, char *name, size_t size,
                         uint64_t *offset, void *argument);
};

struct dynamic_info {
    void *next, *previous;
    uint64_t start, end, global_pointer;
    int32_t format, padding;
    uint64_t load_offset;
    uint64_t name, header, words, table; /* the largest of a union is as long */
    uint64_t reserved[8];
};

struct save_location {
    int type;
    uint64_t address;
    uint64_t reserved[2];
};

static struct {
    int (*init)(void *cursor, void *space, void *argument);
    int (*step)(void *cursor);
    int (*get)(void *cursor, int number, uint64_t *value);
    int (*get_location)(void *cursor, int number, struct save_location *out);
    int (*search)(void *space, uint64_t ip, struct dynamic_info *info, void *out,
                  int need, void *argument);
    void (*mark)(bool begins);
    void *space; /* NULL: there is no libunwind */
} unwind;

/* Of the present step: too large for a hook's stack. Protected by the tracer's lock. */
static struct {
    uint64_t cursor[512];
    uint64_t registers[REGISTERS]; /* where it begins, by DWARF's numbers */
    uintptr_t pages[READABLE_PAGES];
} state;

/* --- what libunwind asks for ------------------------------------------------------ */

static bool is_readable(uint64_t at) {
    uintptr_t page = machine_page_of(at);
    uintptr_t *known = &state.pages[page / machine_page_size() % READABLE_PAGES];
    if (at < machine_page_size() || at % sizeof(uint64_t) != 0)
        return false;
    if (*known != page && !native_window_is_readable(page, 1))
        return false;
    *known = page;
    return true;
}

static int access_memory(void *space, uint64_t at, uint64_t *value, int write,
                         void *argument) {
    (void)space;
    (void)argument;
    if (write || !is_readable(at))
        return INVALID;
    *value = native_word((const uint64_t *)at);
    return 0;
}

static int access_register(void *space, int number, uint64_t *value, int write,
                           void *argument) {
    (void)space;
    (void)argument;
    if (write || number < 0 || number >= REGISTERS)
        return BAD_REGISTER;
    *value = state.registers[number];
    return 0;
}

/* The table that native_cfi reads too: 12 bytes, then two numbers for each function. */
static int find_tables(void *space, uint64_t ip, void *out, int need, void *argument) {
    struct native_object object;
    uint32_t count;
    if (native_object_find(ip, &object) < 0 || object.header == NULL)
        return NO_INFO;
    memcpy(&count, object.header + 8, sizeof count);
    uint64_t header = (uintptr_t)object.header;
    struct dynamic_info info = {
        .start = object.start,
        .end = object.end,
        .format = FORMAT_REMOTE_TABLE,
        .header = header,
        .words = count,
        .table = header + 12,
    };
    return unwind.search(space, ip, &info, out, need, argument);
}

static void put_tables(void *space, void *info, void *argument) {
    (void)space;
    (void)info;
    (void)argument;
}

static int no_list(void *space, uint64_t *address, void *argument) {
    (void)space;
    (void)address;
    (void)argument;
    return NO_INFO;
}

static int no_float(void *space, int number, void *value, int write, void *argument) {
    (void)space;
    (void)number;
    (void)value;
    (void)write;
    (void)argument;
    return BAD_REGISTER;
}

static int no_resume(void *space, void *cursor, void *argument) {
    (void)space;
    (void)cursor;
    (void)argument;
    return INVALID;
}

static int no_name(void *space, uint64_t ip, char *name, size_t size, uint64_t *offset,
                   void *argument) {
    (void)space;
    (void)ip;
    (void)name;
    (void)size;
    (void)offset;
    (void)argument;
    return NO_INFO;
}

/* --- a step ----------------------------------------------------------------------- */

/* All that a call leaves as it is, and where. */
static always_inline void begin_here(uint64_t *registers) {
    __asm__ volatile("lea 0(%%rip), %%rax\n\t"
                     "mov %%rax, 128(%0)\n\t"
                     "mov %%rbx, 24(%0)\n\t"
                     "mov %%rbp, 48(%0)\n\t"
                     "mov %%rsp, 56(%0)\n\t"
                     "mov %%r12, 96(%0)\n\t"
                     "mov %%r13, 104(%0)\n\t"
                     "mov %%r14, 112(%0)\n\t"
                     "mov %%r15, 120(%0)" ::"r"(registers)
                     : "rax", "memory");
}

static bool read_place(uint64_t *ip, uint64_t *sp) {
    return unwind.get(state.cursor, REGISTER_RIP, ip) == 0 &&
           unwind.get(state.cursor, REGISTER_RSP, sp) == 0;
}

static bool go_to(const struct native_registers *registers) {
    uint64_t ip, sp;
    for (unsigned steps = 0; steps < MAX_STEPS && read_place(&ip, &sp); steps++) {
        if (ip == registers->ip && sp == registers->sp)
            return true;
        if (unwind.step(state.cursor) <= 0)
            return false;
    }
    return false;
}

/* Of a frame further in than the one that is left, rbp is what it was there. */
static bool read_rbp(const struct native_registers *from, struct native_registers *to) {
    struct save_location saved = {0};
    if (unwind.get_location(state.cursor, REGISTER_RBP, &saved) < 0 ||
        unwind.get(state.cursor, REGISTER_RBP, &to->rbp) < 0)
        return false;
    if (saved.type == SAVED_IN_MEMORY && saved.address >= from->sp)
        to->rbp_slot = (const uint64_t *)saved.address;
    return true;
}

static bool read_caller(struct native_registers *registers) {
    struct native_registers to = *registers;
    if (!read_place(&to.ip, &to.sp) || to.ip == 0 || to.sp <= registers->sp ||
        to.sp % sizeof(uint64_t) != 0 || !is_readable(to.sp - sizeof(uint64_t)) ||
        !read_rbp(registers, &to))
        return false;
    to.slot = (const uint64_t *)to.sp - 1;
    to.exact = false;
    if (native_word(to.slot) != to.ip)
        return false;
    *registers = to;
    return true;
}

static __attribute__((noinline)) bool take_step(struct native_registers *registers) {
    memset(state.pages, 0, sizeof state.pages);
    memset(state.registers, 0, sizeof state.registers);
    begin_here(state.registers);
    return unwind.init(state.cursor, unwind.space, NULL) == 0 && go_to(registers) &&
           unwind.step(state.cursor) > 0 && read_caller(registers);
}

cold_path bool native_libunwind_step(struct native_registers *registers) {
    if (unwind.space == NULL)
        return false;
    int saved = errno;
    unwind.mark(true);
    bool found = take_step(registers);
    unwind.mark(false);
    errno = saved;
    return found;
}

/* --- at the start ----------------------------------------------------------------- */

static int no_pipe(int *descriptors) {
    descriptors[0] = descriptors[1] = -1;
    return 0;
}

static int no_pipe2(int *descriptors, int flags) {
    (void)flags;
    return no_pipe(descriptors);
}

static int find(void *handle, const char *name, void *function) {
    void *found = dlsym(handle, name);
    memcpy(function, &found, sizeof found);
    return found != NULL ? 0 : -ENOENT;
}

/* Setting the policy is what initialises the library. Nothing that it finds out is
 * kept: a cache would outlive the modules that it is of. */
static int initialise(int (*set_caching)(void *space, int policy)) {
    void *pipe = NULL, *pipe2 = NULL, *ignored;
    const void *inside = (const void *)(uintptr_t)set_caching;
    int has_pipe2 = native_redirect(inside, "pipe2", (void *)no_pipe2, &pipe2);
    int has_pipe = native_redirect(inside, "pipe", (void *)no_pipe, &pipe);
    int error = -ENOENT;
    if (has_pipe2 == 0 || has_pipe == 0)
        error = set_caching(unwind.space, CACHE_NONE);
    if (has_pipe2 == 0)
        has_pipe2 = native_redirect(inside, "pipe2", pipe2, &ignored);
    if (has_pipe == 0)
        has_pipe = native_redirect(inside, "pipe", pipe, &ignored);
    return error == 0 ? 0 : -ENOENT;
}

int native_libunwind_prepare(void (*mark)(bool begins)) {
    static struct accessors accessors = {
        find_tables,     put_tables, no_list,   access_memory,
        access_register, no_float,   no_resume, no_name,
    };
    void *(*create)(struct accessors * accessors, int byte_order);
    int (*set_caching)(void *space, int policy);
    if (unwind.space != NULL)
        return 0;
    void *handle = dlopen("libunwind-x86_64.so.8", RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL || find(handle, "_Ux86_64_init_remote", &unwind.init) < 0 ||
        find(handle, "_Ux86_64_step", &unwind.step) < 0 ||
        find(handle, "_Ux86_64_get_reg", &unwind.get) < 0 ||
        find(handle, "_Ux86_64_get_save_loc", &unwind.get_location) < 0 ||
        find(handle, "_Ux86_64_dwarf_search_unwind_table", &unwind.search) < 0 ||
        find(handle, "_Ux86_64_create_addr_space", &create) < 0 ||
        find(handle, "_Ux86_64_set_caching_policy", &set_caching) < 0)
        return -ENOENT;
    unwind.mark = mark;
    unwind.space = create(&accessors, 0);
    if (unwind.space != NULL && initialise(set_caching) < 0)
        unwind.space = NULL;
    return unwind.space != NULL ? 0 : -ENOENT;
}
