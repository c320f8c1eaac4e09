/* SPDX-License-Identifier: MIT */
#include "stack/native/native_window.h"

#include <alloca.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "suite.h"

enum { PAGE = 4096 };

static struct native_window window;

static uintptr_t map(size_t pages) {
    void *memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    return (uintptr_t)memory;
}

static void protect(uintptr_t at, int protection) {
    ck_assert_int_eq(mprotect((void *)at, PAGE, protection), 0);
}

static uintptr_t here(void) {
    return (uintptr_t)__builtin_frame_address(0) & ~(uintptr_t)7;
}

static void prepare(void) {
    ck_assert_int_eq(native_window_prepare(), 0);
}

START_TEST(the_kernel_says_what_can_be_read) {
    uintptr_t memory = map(3);
    int saved = errno = 1234;
    prepare();
    ck_assert(native_window_is_readable(memory, 3 * PAGE));
    protect(memory + PAGE, PROT_NONE);
    ck_assert(!native_window_is_readable(memory, 3 * PAGE));
    ck_assert(native_window_is_readable(memory, PAGE));
    ck_assert(!native_window_is_readable(memory + PAGE - 4, 8));
    ck_assert(!native_window_is_readable(0, 8));
    ck_assert(!native_window_is_readable((uintptr_t)1 << 63, 8));
    ck_assert(!native_window_is_readable(UINTPTR_MAX - 3, 8));
    ck_assert_int_eq(errno, saved);
}
END_TEST

static void expect_own(void) {
    uintptr_t sp = here();
    native_window_open(&window, sp);
    ck_assert(window.own);
    for (uintptr_t at = sp; at < window.end; at += 8) {
        ck_assert(native_window_has(&window, sp, at));
        ck_assert_uint_eq(*(const volatile uint8_t *)at, *(const uint8_t *)at);
    }
    ck_assert(!native_window_has(&window, sp, window.end));
    ck_assert(!native_window_has(&window, sp, sp - 8));
    ck_assert(!native_window_has(&window, sp, sp + 4));
    ck_assert(window.own);
    ck_assert(native_window_has_room(&window, sp, NATIVE_WINDOW_ROOM));
}

START_TEST(the_main_threads_stack_is_its_own) {
    prepare();
    expect_own();
    volatile char *deeper = alloca(200000);
    deeper[0] = 1;
    expect_own();
}
END_TEST

static void *run_thread(void *argument) {
    memset(&window, 0, sizeof window);
    expect_own();
    return argument;
}

START_TEST(a_threads_stack_is_its_own) {
    pthread_t thread;
    prepare();
    for (int turn = 0; turn < 3; turn++) {
        ck_assert_int_eq(pthread_create(&thread, NULL, run_thread, NULL), 0);
        pthread_join(thread, NULL);
    }
}
END_TEST

/* What is found there is never compared later. */
START_TEST(another_stack_is_asked_for_page_by_page) {
    uintptr_t memory = map(5), sp = memory + 100 * 8;
    prepare();
    protect(memory + 4 * PAGE, PROT_NONE);
    native_window_open(&window, sp);
    ck_assert(!window.own);
    ck_assert(native_window_has(&window, sp, sp));
    ck_assert(native_window_has(&window, sp, memory + 2 * PAGE));
    ck_assert(native_window_has(&window, sp, memory + 4 * PAGE - 8));
    ck_assert(!native_window_has(&window, sp, memory + 4 * PAGE));
    ck_assert(!native_window_has(&window, sp, memory + ((uintptr_t)1 << 62)));
    native_window_open(&window, here());
    ck_assert(window.own);
    ck_assert(!native_window_has(&window, here(), memory));
}
END_TEST

START_TEST(a_signal_leads_back_to_the_own_stack) {
    uintptr_t memory = map(1), sp = here();
    prepare();
    native_window_open(&window, memory + 64);
    ck_assert(!window.own);
    ck_assert(native_window_move(&window, sp));
    ck_assert(native_window_has(&window, sp, sp + 64));
    ck_assert(!window.own);
    ck_assert(!native_window_move(&window, 64));
}
END_TEST

static void use_for_signals(uintptr_t memory, size_t size) {
    stack_t stack = {.ss_sp = (void *)memory, .ss_size = size};
    enum native_signal_stack before = native_window_signal_stack_begin();
    ck_assert_int_eq(sigaltstack(&stack, NULL), 0);
    native_window_signal_stack_end(before, &stack);
}

START_TEST(room_is_what_is_left) {
    uintptr_t memory = map(8);
    prepare();
    use_for_signals(memory + 2 * PAGE, 4 * PAGE);
    ck_assert(
        native_window_has_room(&window, memory + 6 * PAGE - 8, NATIVE_WINDOW_ROOM));
    ck_assert(!native_window_has_room(
        &window, memory + 2 * PAGE + NATIVE_WINDOW_ROOM - 8, NATIVE_WINDOW_ROOM));
    ck_assert(native_window_has_room(&window, memory + 2 * PAGE + NATIVE_WINDOW_ROOM,
                                     NATIVE_WINDOW_ROOM));
    protect(memory, PROT_NONE);
    ck_assert(!native_window_has_room(&window, memory + PAGE + NATIVE_WINDOW_ROOM / 2,
                                      NATIVE_WINDOW_ROOM));
    ck_assert(native_window_has_room(&window, memory + 2 * PAGE + NATIVE_WINDOW_ROOM,
                                     NATIVE_WINDOW_ROOM));
}
END_TEST

START_TEST(a_variable_may_be_a_signals_stack) {
    char variable[2 * NATIVE_WINDOW_ROOM];
    uintptr_t low = (uintptr_t)variable;
    prepare();
    native_window_open(&window, low - 8);
    ck_assert(native_window_has_room(&window, low + 64, NATIVE_WINDOW_ROOM));
    use_for_signals(low, sizeof variable);
    ck_assert(!native_window_has_room(&window, low + 64, NATIVE_WINDOW_ROOM));
    ck_assert(native_window_has_room(&window, low + NATIVE_WINDOW_ROOM + 64,
                                     NATIVE_WINDOW_ROOM));
}
END_TEST

/* A signal stack that only the kernel knows of shows whether the kernel was asked. */
START_TEST(the_own_stack_costs_no_system_call) {
    char variable[2 * NATIVE_WINDOW_ROOM];
    uintptr_t memory = map(2), low = (uintptr_t)variable;
    stack_t stack = {.ss_sp = variable, .ss_size = sizeof variable};
    prepare();
    native_window_open(&window, low - 8);
    ck_assert_int_eq(native_signal_stack, NATIVE_SIGNAL_STACK_UNKNOWN);
    ck_assert(native_window_has_room(&window, low + 64, NATIVE_WINDOW_ROOM));
    use_for_signals(memory, 2 * PAGE);
    ck_assert_int_eq(native_signal_stack, NATIVE_SIGNAL_STACK_APART);
    sigaltstack(&stack, NULL);
    ck_assert(native_window_has_room(&window, low + 64, NATIVE_WINDOW_ROOM));
}
END_TEST

START_TEST(a_signal_stack_of_before_the_first_walk_is_seen) {
    char variable[2 * NATIVE_WINDOW_ROOM];
    uintptr_t low = (uintptr_t)variable;
    stack_t stack = {.ss_sp = variable, .ss_size = sizeof variable};
    prepare();
    sigaltstack(&stack, NULL);
    native_window_open(&window, low - 8);
    ck_assert(!native_window_has_room(&window, low + 64, NATIVE_WINDOW_ROOM));
    ck_assert_int_eq(native_signal_stack, NATIVE_SIGNAL_STACK_ON_OWN);
}
END_TEST

/* A handler that removes the signal stack gets it back when it returns. */
START_TEST(a_signal_stack_on_the_own_one_is_never_forgotten) {
    char variable[2 * NATIVE_WINDOW_ROOM];
    stack_t none = {.ss_flags = SS_DISABLE};
    prepare();
    use_for_signals((uintptr_t)variable, sizeof variable);
    enum native_signal_stack before = native_window_signal_stack_begin();
    native_window_signal_stack_end(before, &none);
    ck_assert_int_eq(native_signal_stack, NATIVE_SIGNAL_STACK_ON_OWN);
    before = native_window_signal_stack_begin();
    native_window_signal_stack_end(before, NULL);
    ck_assert_int_eq(native_signal_stack, NATIVE_SIGNAL_STACK_ON_OWN);
}
END_TEST

/* On memory of its own, and as a variable on the thread's stack. */
START_TEST(a_contexts_stack_has_bounds) {
    char variable[2 * NATIVE_WINDOW_ROOM];
    uintptr_t lows[] = {map(2) + 64, (uintptr_t)variable};
    for (size_t at = 0; at < 2; at++) {
        uintptr_t low = lows[at];
        stack_t stack = {.ss_sp = (void *)low, .ss_size = 2 * NATIVE_WINDOW_ROOM};
        prepare();
        native_window_open(&window, (uintptr_t)variable - 8);
        ck_assert(native_window_has_room(&window, (uintptr_t)variable + 64, 64));
        struct native_context before = native_window_context_begin(&stack);
        ck_assert(!native_window_has_room(&window, low + NATIVE_WINDOW_ROOM - 8,
                                          NATIVE_WINDOW_ROOM));
        ck_assert(native_window_has_room(&window, low + NATIVE_WINDOW_ROOM,
                                         NATIVE_WINDOW_ROOM));
        native_window_context_end(before);
        ck_assert_uint_eq(before.size, 0);
        ck_assert(native_window_has_room(&window, low + NATIVE_WINDOW_ROOM - 8,
                                         NATIVE_WINDOW_ROOM));
    }
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        the_kernel_says_what_can_be_read,
        the_main_threads_stack_is_its_own,
        a_threads_stack_is_its_own,
        another_stack_is_asked_for_page_by_page,
        a_signal_leads_back_to_the_own_stack,
        room_is_what_is_left,
        a_variable_may_be_a_signals_stack,
        the_own_stack_costs_no_system_call,
        a_signal_stack_of_before_the_first_walk_is_seen,
        a_signal_stack_on_the_own_one_is_never_forgotten,
        a_contexts_stack_has_bounds,
    };
    return suite_run("native_window", tests, sizeof tests / sizeof *tests);
}
