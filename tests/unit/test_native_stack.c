/* SPDX-License-Identifier: MIT */
#include "stack/native/native_stack.h"

#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "native_leaf.h"
#include "stack/native/x86_64/native_libunwind.h"
#include "suite.h"

enum { DEEPEST = 400 };

#define no_inline __attribute__((noipa))

static struct native_stack stack;

static uint32_t give_id(const struct native_object *object) {
    (void)object;
    return 1;
}

static void open_stack(void) {
    ck_assert_int_eq(native_window_prepare(), 0);
    ck_assert_int_eq(native_object_prepare(), 0);
    ck_assert_int_eq(unwind_table_open(give_id), 0);
    stack.max_native = 1 << 20;
}

/* What glibc finds, from this function's caller on. */
static void expect_all(void *const *found, int count) {
    ck_assert_uint_eq(stack.depth, (uint32_t)count);
    for (int at = 0; at < count; at++)
        ck_assert_uint_eq(stack.slots[stack.depth - 1 - (uint32_t)at].value,
                          (uintptr_t)found[at]);
}

/* The outermost entry that changed. */
static no_inline __attribute__((used)) uint32_t walk(void) {
    void *found[DEEPEST];
    struct native_registers leaf = native_leaf(__builtin_frame_address(0));
    uint32_t changed = native_stack_walk(&stack, &leaf);
    int count = backtrace(found, DEEPEST);
    ck_assert(!stack.broken);
    expect_all(found + 1, count - 1);
    return changed;
}

/* Frames of many sizes, with and without a frame pointer. */
static no_inline uint32_t descend(int depth, uint32_t *repeated) {
    char *some = depth % 3 == 0 ? __builtin_alloca((size_t)depth + 16) : NULL;
    __asm__ volatile("" : "+r"(some)::"memory");
    uint32_t changed = depth > 0 ? descend(depth - 1, repeated) : walk();
    if (depth == 0)
        *repeated = walk();
    __asm__ volatile("" ::: "memory");
    return changed;
}

START_TEST(all_frames_are_found) {
    uint32_t repeated;
    open_stack();
    descend(0, &repeated);
    descend(100, &repeated);
}
END_TEST

START_TEST(what_did_not_change_is_not_unwound) {
    uint32_t repeated;
    open_stack();
    ck_assert_uint_eq(descend(100, &repeated), 0);
    ck_assert_uint_eq(repeated, stack.depth - 1);
    uint32_t depth = stack.depth, changed = walk();
    ck_assert_uint_lt(changed, depth - 100);
    ck_assert_uint_ge(changed, depth - 104);
}
END_TEST

START_TEST(only_the_frames_above_a_change_are_new) {
    uint32_t repeated, again;
    open_stack();
    for (int depth = 1; depth < 60; depth++) {
        descend(depth, &repeated);
        uint32_t deep = stack.depth;
        again = descend(depth, &repeated);
        ck_assert_uint_eq(stack.depth, deep);
        ck_assert_uint_ge(again, deep - (uint32_t)depth - 3);
    }
}
END_TEST

static no_inline void wander(uint64_t *state, int depth) {
    for (int turn = 0; turn < 3; turn++) {
        if (depth < 12 && random_below(state, 2) == 0)
            wander(state, depth + 1);
        walk();
        __asm__ volatile("" ::: "memory");
    }
}

START_TEST(a_random_walk_is_right_at_each_step) {
    uint64_t state = 42;
    open_stack();
    for (int turn = 0; turn < 200; turn++)
        wander(&state, 0);
}
END_TEST

/* As compilers realign the stack of a function with arguments on it: the CFA is what a
 * word in the frame says. */
void native_stack_realigned(void);
__asm__(".text\n"
        "native_stack_realigned:\n"
        ".cfi_startproc\n"
        "lea 8(%rsp), %r10\n"
        ".cfi_def_cfa %r10, 0\n"
        "and $-64, %rsp\n"
        "push -8(%r10)\n"
        "push %rbp\n"
        ".cfi_escape 0x10, 6, 2, 0x76, 0\n"
        "mov %rsp, %rbp\n"
        "push %r10\n"
        ".cfi_escape 0x0f, 3, 0x76, 0x78, 6\n"
        "sub $40, %rsp\n"
        "call walk\n"
        "mov -8(%rbp), %r10\n"
        ".cfi_def_cfa %r10, 0\n"
        "leave\n"
        "lea -8(%r10), %rsp\n"
        ".cfi_def_cfa %rsp, 8\n"
        "ret\n"
        ".cfi_endproc\n");

START_TEST(a_realigned_frame_is_stepped_over) {
    open_stack();
    native_stack_realigned();
}
END_TEST

static void handler(int number) {
    (void)number;
    walk();
}

/* What the tables say is as good as the compiler's, in terms that no compiler uses. */
void native_stack_odd(void);
__asm__(".text\n"
        "native_stack_odd:\n"
        ".cfi_startproc\n"
        "sub $8, %rsp\n"
        ".cfi_escape 0x0f, 2, 0x77, 16\n"
        "call walk\n"
        "add $8, %rsp\n"
        ".cfi_def_cfa %rsp, 8\n"
        "ret\n"
        ".cfi_endproc\n");

START_TEST(an_expression_may_say_the_same) {
    open_stack();
    native_stack_odd();
}
END_TEST

static unsigned odd_steps;

static void mark_step(bool begins) {
    odd_steps += begins;
}

/* As the dynamic linker does while it resolves a call: another register than rsp and
 * rbp leads to the caller. */
void native_stack_by_rbx(uint64_t bytes);
__asm__(".text\n"
        "native_stack_by_rbx:\n"
        ".cfi_startproc\n"
        "push %rbx\n"
        ".cfi_def_cfa_offset 16\n"
        ".cfi_offset %rbx, -16\n"
        "mov %rsp, %rbx\n"
        ".cfi_def_cfa_register %rbx\n"
        "sub %rdi, %rsp\n"
        "and $-64, %rsp\n"
        "call walk\n"
        "mov %rbx, %rsp\n"
        ".cfi_def_cfa_register %rsp\n"
        "pop %rbx\n"
        ".cfi_def_cfa_offset 8\n"
        "ret\n"
        ".cfi_endproc\n");

START_TEST(libunwind_takes_the_odd_step) {
    open_stack();
    if (native_libunwind_prepare(mark_step) < 0) {
        suite_skip("there is no libunwind");
        return;
    }
    for (uint64_t bytes = 0; bytes < 2048; bytes += 64) {
        native_stack_by_rbx(bytes);
        native_stack_by_rbx(bytes);
    }
    ck_assert_uint_eq(odd_steps, 64);
    walk();
    ck_assert_uint_eq(walk(), stack.depth - 1);
    ck_assert_uint_eq(odd_steps, 64);
}
END_TEST

START_TEST(a_signal_handler_is_above_what_it_interrupts) {
    open_stack();
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
    raise(SIGUSR1);
    walk();
}
END_TEST

START_TEST(a_handler_may_have_its_own_stack) {
    static char memory[1 << 16];
    stack_t alternate = {.ss_sp = memory, .ss_size = sizeof memory};
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    open_stack();
    sigaltstack(&alternate, NULL);
    sigaction(SIGUSR2, &action, NULL);
    walk();
    raise(SIGUSR2);
    walk();
    raise(SIGUSR2);
}
END_TEST

static void *run_thread(void *argument) {
    uint32_t *repeated = argument;
    native_stack_forget(&stack);
    descend(20, repeated);
    return NULL;
}

START_TEST(a_thread_has_a_root_of_its_own) {
    pthread_t thread;
    uint32_t repeated = 0;
    open_stack();
    ck_assert_int_eq(pthread_create(&thread, NULL, run_thread, &repeated), 0);
    pthread_join(thread, NULL);
    ck_assert_uint_gt(repeated, 20);
}
END_TEST

START_TEST(an_epoch_takes_the_last_stack_with_it) {
    open_stack();
    for (int turn = 0; turn < 3; turn++) {
        ck_assert_uint_eq(walk(), 0);
        unwind_table.epoch++;
    }
}
END_TEST

/* Nobody sees more than the last 30. */
START_TEST(deep_down_nothing_is_compared) {
    uint32_t repeated;
    open_stack();
    stack.max_native = 30;
    descend(200, &repeated);
    for (uint32_t at = 0; at < stack.depth; at++)
        stack.frames[at].natives = at + 1;
    ck_assert_uint_eq(native_stack_outermost_shown(&stack, 30), 0);
    ck_assert_uint_eq(native_stack_outermost_shown(&stack, 40), 10);
    ck_assert_uint_eq(native_stack_outermost_shown(&stack, 200), 170);
}
END_TEST

/* Three frames, and the rbp that the one in the middle depends on. */
static uint64_t words[8];

static void make_frames(void) {
    static struct native_slot slots[3];
    static struct native_frame frames[3];
    for (uint32_t at = 0; at < 3; at++)
        slots[at] = (struct native_slot){words + 2 * at, 10 + at};
    frames[1] = (struct native_frame){.rbp_at = words + 7, .rbp = 20};
    stack = (struct native_stack){.slots = slots, .frames = frames, .depth = 3};
}

static void expect_words(uint32_t first, uint32_t end,
                         const struct native_slot *expected, uint32_t count) {
    struct native_slot got[4];
    for (uint32_t room = 0; room <= 4; room++) {
        memset(got, 0x55, sizeof got);
        ck_assert_uint_eq(native_stack_words(&stack, first, end, got, room), count);
        for (uint32_t at = 0; at < 4; at++) {
            bool is_set = at < room && at < count;
            ck_assert_uint_eq(got[at].value,
                              is_set ? expected[at].value : 0x5555555555555555);
            if (is_set)
                ck_assert_ptr_eq(got[at].at, expected[at].at);
        }
    }
}

START_TEST(the_words_of_some_entries) {
    const struct native_slot expected[] = {
        {words, 10}, {words + 2, 11}, {words + 7, 20}, {words + 4, 12}};
    make_frames();
    expect_words(0, 3, expected, 4);
    expect_words(0, 2, expected, 3);
    expect_words(0, 1, expected, 1);
    expect_words(1, 3, expected + 1, 3);
    expect_words(2, 3, expected + 3, 1);
    expect_words(2, 2, expected, 0);
    expect_words(0, 0, expected, 0);
}
END_TEST

/* Of as many words as there may be, each counts, and none beside them. */
START_TEST(words_hold_as_long_as_none_differs) {
    struct native_slot compared[8];
    for (uint32_t at = 0; at < 8; at++)
        compared[at] = (struct native_slot){words + at, words[at] = 1 + at};
    for (uint32_t count = 0; count <= 8; count++)
        for (uint32_t at = 0; at < 8; at++) {
            ck_assert(native_slots_are_unchanged(compared, compared + count));
            words[at] ^= (uint64_t)1 << (8 * at);
            ck_assert(native_slots_are_unchanged(compared, compared + count) ==
                      (at >= count));
            words[at] = 1 + at;
        }
}
END_TEST

/* Also what is between the variables, where the address sanitizer is. */
START_TEST(any_word_of_the_stack_can_be_read) {
    volatile uint64_t variable[3] = {1, 2, 3};
    const uint64_t *at = (const uint64_t *)&variable[1];
    __asm__("" : "+r"(at));
    ck_assert_uint_eq(native_word(at), 2);
    ck_assert_uint_eq(native_word(at + 1), 3);
    for (int step = -8; step <= 8; step++) {
        uint64_t word = native_word(at + step);
        __asm__ volatile("" ::"r"(word));
    }
}
END_TEST

START_TEST(the_words_of_a_walk_hold) {
    enum { WORDS = 1000 };
    static struct native_slot found[WORDS];
    uint32_t repeated;
    open_stack();
    walk();
    uint32_t base = stack.depth - 2;
    descend(100, &repeated);
    uint32_t count = native_stack_words(&stack, 0, base, found, WORDS);
    ck_assert_uint_ge(count, base);
    ck_assert(native_slots_are_unchanged(found, found + count));
    found[base / 2].value++;
    ck_assert(!native_slots_are_unchanged(found, found + count));
}
END_TEST

START_TEST(memory_is_given_back) {
    uint32_t repeated;
    uint64_t before = arena_bytes();
    open_stack();
    descend(300, &repeated);
    native_stack_release(&stack);
    unwind_table_close();
    ck_assert_uint_eq(arena_bytes(), before);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        all_frames_are_found,
        what_did_not_change_is_not_unwound,
        only_the_frames_above_a_change_are_new,
        a_random_walk_is_right_at_each_step,
        a_realigned_frame_is_stepped_over,
        an_expression_may_say_the_same,
        libunwind_takes_the_odd_step,
        a_signal_handler_is_above_what_it_interrupts,
        a_handler_may_have_its_own_stack,
        a_thread_has_a_root_of_its_own,
        an_epoch_takes_the_last_stack_with_it,
        deep_down_nothing_is_compared,
        the_words_of_some_entries,
        words_hold_as_long_as_none_differs,
        any_word_of_the_stack_can_be_read,
        the_words_of_a_walk_hold,
        memory_is_given_back,
    };
    return suite_run("native_stack", tests, sizeof tests / sizeof *tests);
}
