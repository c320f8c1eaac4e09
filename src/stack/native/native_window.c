/* SPDX-License-Identifier: MIT */
#include "stack/native/native_window.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>

#include "base/machine.h"
#include "base/sys.h"

enum {
    MAX_OWN = 1 << 30,   /* bytes from a stack pointer to the stack's outer end */
    MAX_FRAME = 1 << 20, /* bytes that a window of another stack grows by at once */
};

thread_local_fixed enum native_signal_stack native_signal_stack;
static thread_local_fixed struct native_context context;

/* Where the main thread's stack began; 0: unknown. Written once. */
static uintptr_t main_end;

/* The kernel reads a set of signals, where it is given one, before it looks at what is
 * to be done with it. */
static bool is_readable(uintptr_t at) {
    return at >= machine_page_size() &&
           sys_call(SYS_rt_sigprocmask, -1, at, NULL, sizeof(uint64_t)) != -EFAULT;
}

int native_window_prepare(void) {
    void *const *end = dlsym(RTLD_DEFAULT, "__libc_stack_end");
    main_end = end != NULL ? machine_page_of((uintptr_t)*end) + machine_page_size() : 0;
    return is_readable(machine_page_of((uintptr_t)&main_end)) &&
                   !is_readable(machine_page_size())
               ? 0
               : -ENOSYS;
}

bool native_window_is_readable(uintptr_t at, size_t size) {
    if (at + size < at)
        return false;
    for (uintptr_t page = machine_page_of(at); page < at + size;
         page += machine_page_size())
        if (!is_readable(page))
            return false;
    return true;
}

/* glibc puts a thread's control block at the outer end of its stack. */
static uintptr_t own_end(uintptr_t sp) {
    uintptr_t block = (uintptr_t)__builtin_thread_pointer();
    uintptr_t end = sp < block ? block : main_end;
    return sp < end && end - sp < MAX_OWN ? end & ~(uintptr_t)7 : 0;
}

/* The first page from `at` on that cannot be read, at most `end`. */
static uintptr_t readable_until(uintptr_t at, uintptr_t end) {
    while (at < end && is_readable(at))
        at += machine_page_size();
    return at < end ? at : end;
}

/* Makes the own stack reach to this address, if no hole is between them. */
static bool is_own(struct native_window *window, uintptr_t at) {
    uintptr_t low = machine_page_of(at), end = own_end(at);
    if (at - window->own_low < window->own_end - window->own_low)
        return true;
    if (end == 0 || at - window->other_low < window->other_end - window->other_low)
        return false;
    bool longer = window->own_end == end && low < window->own_low;
    uintptr_t known = longer ? window->own_low : end;
    uintptr_t until = readable_until(low, known);
    if (until < known) {
        window->other_low = low;
        window->other_end = until;
        return false;
    }
    while (machine_page_of(at) - low < 2 * NATIVE_WINDOW_ROOM &&
           is_readable(low - machine_page_size()))
        low -= machine_page_size();
    window->own_low = low;
    window->own_end = end;
    return true;
}

static bool enter(struct native_window *window, uintptr_t at) {
    if (is_own(window, at)) {
        window->low = window->own_low;
        window->end = window->own_end;
        return true;
    }
    window->own = false;
    window->low = machine_page_of(at);
    window->end = readable_until(window->low, window->low + machine_page_size());
    return window->end > window->low;
}

cold_path void native_window_open_cold(struct native_window *window, uintptr_t sp) {
    window->own = true;
    enter(window, sp);
}

cold_path bool native_window_move_cold(struct native_window *window, uintptr_t sp) {
    return enter(window, sp);
}

/* Outwards on the same stack, without a hole; or to the thread's own one. Nothing leads
 * away from that but what a signal interrupted. */
cold_path bool native_window_reach(struct native_window *window, uintptr_t sp,
                                   uintptr_t at) {
    uintptr_t last = machine_page_of(at);
    if (at <= sp || window->end == window->own_end)
        return false;
    if (is_own(window, at))
        return enter(window, at);
    if (at - window->end >= MAX_FRAME)
        return false;
    window->end = readable_until(window->end, last + machine_page_size());
    return window->end > last;
}

/* Whether any of it is what a window takes for the thread's own stack. */
static bool is_on_own(const stack_t *stack) {
    struct native_window window = {0};
    uintptr_t low = (uintptr_t)stack->ss_sp;
    return (stack->ss_flags & SS_DISABLE) == 0 && stack->ss_size > 0 &&
           (is_own(&window, low) || is_own(&window, low + stack->ss_size - 1));
}

/* Without a system call, for each switch: whether it could be part of the own stack. */
struct native_context native_window_context_begin(const stack_t *stack) {
    struct native_context before = context;
    context = (struct native_context){(uintptr_t)stack->ss_sp, stack->ss_size};
    if (own_end(context.low) != 0)
        native_signal_stack = NATIVE_SIGNAL_STACK_ON_OWN;
    return before;
}

void native_window_context_end(struct native_context before) {
    context = before;
}

enum native_signal_stack native_window_signal_stack_begin(void) {
    enum native_signal_stack before = native_signal_stack;
    native_signal_stack = NATIVE_SIGNAL_STACK_ON_OWN;
    return before;
}

void native_window_signal_stack_end(enum native_signal_stack before,
                                    const stack_t *set) {
    bool wanted = main_end != 0; /* else the first walk asks */
    if (!wanted || set == NULL || !is_on_own(set))
        native_signal_stack = before;
}

/* The bounds of a signal's stack and of a context's are known; of any other stack only
 * whether there is memory. */
cold_path bool native_window_has_room_cold(const struct native_window *window,
                                           uintptr_t sp, size_t bytes) {
    stack_t signals = {.ss_flags = SS_DISABLE};
    int error = (int)sys_call(SYS_sigaltstack, NULL, &signals);
    if (native_signal_stack == NATIVE_SIGNAL_STACK_UNKNOWN && error == 0)
        native_signal_stack = is_on_own(&signals) ? NATIVE_SIGNAL_STACK_ON_OWN
                                                  : NATIVE_SIGNAL_STACK_APART;
    if (sp - (uintptr_t)signals.ss_sp < signals.ss_size &&
        (signals.ss_flags & SS_DISABLE) == 0)
        return sp - (uintptr_t)signals.ss_sp >= bytes;
    if (sp - context.low < context.size)
        return sp - context.low >= bytes;
    return sp - bytes - window->own_low < window->own_end - window->own_low ||
           native_window_is_readable(sp - bytes, bytes);
}
