/* SPDX-License-Identifier: MIT */
/* Which words of its stack a thread may read while it unwinds, and how much room the
 * stack has left.
 *
 * What a walk goes by may be anything: where code without tables uses rbp as an
 * ordinary register, the next address is a number. A word is read only inside a window
 * that is known to be readable:
 *
 *   the thread's own stack, from the lowest stack pointer seen to its outer end, is
 *   there as long as the thread: what was found there may be compared later, unasked
 *   any other stack (a signal's, a coroutine's) may be gone at the next event: the
 *   kernel is asked in each walk, page by page
 *
 *   own_low                          own_end
 *   | ... stack pointer, outer frames | the thread's control block; main: arguments
 *
 * One thread's; no lock, no memory. The cold half makes system calls.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Bytes of stack that a walk needs, with what the event needs besides: at most 1,696
 * were measured from the caller of malloc on, at a thread's first event. */
enum { NATIVE_WINDOW_ROOM = 3072 };

struct native_window {
    uintptr_t low, end;             /* what the present walk may read, whole words */
    uintptr_t own_low, own_end;     /* of the thread's own stack; 0, 0: unknown */
    uintptr_t other_low, other_end; /* found not to be part of it */
    bool own; /* the walk has been nowhere else since native_window_open */
};

/* Where this thread's alternate signal stack lies. Once it was on the thread's own
 * stack the kernel is asked for the rest of the thread's life: the return from a
 * handler may bring an earlier signal stack back. */
enum native_signal_stack {
    NATIVE_SIGNAL_STACK_UNKNOWN, /* the kernel has not been asked yet */
    NATIVE_SIGNAL_STACK_APART,   /* there is none, or it is elsewhere */
    NATIVE_SIGNAL_STACK_ON_OWN,  /* it, or a context's, may be part of the own stack */
};

extern internal thread_local_fixed enum native_signal_stack native_signal_stack;

/* The stack of the context that swapcontext or setcontext led this thread to: where it
 * ends only makecontext's caller knows, and it may have no guard page. */
struct native_context {
    uintptr_t low;
    size_t size; /* 0: none is known */
};

/* Outside hooks. 0; -ENOSYS where the kernel does not tell what can be read. */
must_check int native_window_prepare(void);

/* Whether all bytes can be read at this moment. */
bool native_window_is_readable(uintptr_t at, size_t size);

void native_window_open_cold(struct native_window *window, uintptr_t sp);
bool native_window_reach(struct native_window *window, uintptr_t sp, uintptr_t at);
bool native_window_move_cold(struct native_window *window, uintptr_t sp);

/* A walk begins with the calling thread's stack pointer. */
static always_inline void native_window_open(struct native_window *window,
                                             uintptr_t sp) {
    if (unlikely(sp - window->own_low >= window->own_end - window->own_low)) {
        native_window_open_cold(window, sp);
        return;
    }
    window->low = window->own_low;
    window->end = window->own_end;
    window->own = true;
}

/* Whether the word at `at` may be read for a frame whose stack pointer is `sp`: not
 * further in than that. A window of another stack than the thread's own may grow. */
static always_inline bool native_window_has(struct native_window *window, uintptr_t sp,
                                            uintptr_t at) {
    if (unlikely(at % sizeof(uint64_t) != 0))
        return false;
    return likely(at - sp < window->end - sp) || native_window_reach(window, sp, at);
}

/* The walk goes on at another stack pointer, maybe on another stack. */
static always_inline bool native_window_move(struct native_window *window,
                                             uintptr_t sp) {
    return sp - window->low < window->end - window->low ||
           native_window_move_cold(window, sp);
}

bool native_window_has_room_cold(const struct native_window *window, uintptr_t sp,
                                 size_t bytes);

/* Whether the stack that the calling thread is on has so many bytes left below `sp`. On
 * the thread's own stack no system call is made, unless a signal stack may be a
 * variable on it. */
static always_inline bool native_window_has_room(const struct native_window *window,
                                                 uintptr_t sp, size_t bytes) {
    if (likely(native_signal_stack == NATIVE_SIGNAL_STACK_APART &&
               sp - bytes - window->own_low < window->own_end - window->own_low))
        return true;
    return native_window_has_room_cold(window, sp, bytes);
}

/* Around a switch to a context: begin returns what end restores if the thread comes
 * back. Async-signal-safe. */
struct native_context native_window_context_begin(const stack_t *stack);
void native_window_context_end(struct native_context before);

/* For who stands in front of sigaltstack: begin before the call, end after it with the
 * stack that was set, or NULL if the call failed or set none. Async-signal-safe. */
enum native_signal_stack native_window_signal_stack_begin(void);
void native_window_signal_stack_end(enum native_signal_stack before,
                                    const stack_t *set);
