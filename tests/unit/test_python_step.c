/* SPDX-License-Identifier: MIT */
/* Single steps of the walk: what they follow, and what they leave to the whole walk.
 *
 * Only from 3.11 on; in each test the last stack was captured before. */
#include "base/epoch.h"
#include "suite.h"
#include "walked_python.h"

enum { NFRAME = 25, FEW = 3, DEPTH = 10, DEEP = 60 };

static struct python_frame *step(void) {
    return python_stack_step(&walked.stacks[0],
                             python_stack_leaf(&python_walk.layout, fake_thread(0)));
}

/* A step leads to the real stack. */
static void expect_step(uint32_t nframe) {
    ck_assert_ptr_nonnull(step());
    walked_expect_node(0, python_stack_resolve(&walked.stacks[0]), nframe);
}

/* It does not, and the whole walk does. */
static void expect_walk(uint32_t nframe) {
    ck_assert_ptr_null(step());
    walked_expect(0, nframe);
}

/* Whichever of the two it is. */
static void expect_either(uint32_t nframe) {
    uint32_t node =
        step() != NULL ? python_stack_resolve(&walked.stacks[0]) : walked_capture(0);
    walked_expect_node(0, node, nframe);
}

static void in_each_version(void (*check)(void), uint32_t nframe) {
    for (int version = FAKE_3_11; version < FAKE_VERSIONS; version++) {
        walked_open((enum fake_version)version, nframe);
        check();
        python_stack_close();
    }
}

static void push_some(int count, uint32_t nframe) {
    for (int at = 0; at < count; at++)
        fake_push(0, -1, at % FAKE_CODES);
    walked_expect(0, nframe);
}

static void call_and_return(void) {
    push_some(DEPTH, NFRAME);
    for (int at = 0; at < DEPTH; at++) {
        fake_push(0, -1, at);
        expect_step(NFRAME);
        fake_step(fake_leaf(0), 2);
        expect_step(NFRAME);
    }
    for (int at = 0; at < DEPTH; at++) {
        fake_pop(0);
        expect_step(NFRAME);
    }
}

START_TEST(a_call_and_a_return) {
    in_each_version(call_and_return, NFRAME);
}
END_TEST

static void call_sibling(void) {
    push_some(DEPTH, NFRAME);
    int page = fake_push(0, -1, 0);
    expect_step(NFRAME);
    for (int at = 0; at < DEPTH; at++) {
        fake_pop(0);
        fake_push(0, at % 2 == 0 ? page : -1, at);
        expect_step(NFRAME);
    }
}

START_TEST(a_return_and_the_call_of_a_sibling) {
    in_each_version(call_sibling, NFRAME);
}
END_TEST

static void go_on_in_the_caller(void) {
    push_some(DEPTH, NFRAME);
    for (int at = 1; at < FAKE_STEPS; at++) {
        int caller = fake_caller(fake_leaf(0));
        fake_pop(0);
        fake_step(caller, at);
        fake_push(0, -1, 1);
        expect_step(NFRAME);
    }
}

START_TEST(the_caller_went_on_to_another_line) {
    in_each_version(go_on_in_the_caller, NFRAME);
}
END_TEST

static void go_on_below(void) {
    push_some(DEPTH, NFRAME);
    int below = fake_caller(fake_caller(fake_leaf(0)));
    fake_push(0, -1, 0);
    fake_step(below, 3);
    expect_walk(NFRAME);
}

START_TEST(a_line_below_the_caller_is_no_step) {
    in_each_version(go_on_below, NFRAME);
}
END_TEST

static void call_several(void) {
    push_some(DEPTH, NFRAME);
    for (int calls = 1; calls < DEPTH; calls++) {
        for (int at = 0; at < calls; at++)
            fake_push(0, -1, at);
        expect_either(NFRAME);
        for (int at = 0; at < calls; at++)
            fake_pop(0);
        expect_either(NFRAME);
    }
    while (fake_caller(fake_leaf(0)) >= 0)
        fake_pop(0);
    expect_either(NFRAME);
    fake_pop(0);
    walked_expect(0, NFRAME);
}

START_TEST(several_calls_or_returns) {
    in_each_version(call_several, NFRAME);
}
END_TEST

/* A shim is not shown, so its node says nothing of its caller's line. */
START_TEST(a_call_by_a_shim) {
    for (int version = FAKE_3_12; version < FAKE_VERSIONS; version++) {
        walked_open((enum fake_version)version, NFRAME);
        push_some(DEPTH, NFRAME);
        fake_push_shim(0);
        walked_expect(0, NFRAME);
        fake_push(0, -1, 1);
        expect_either(NFRAME);
        int shim = fake_caller(fake_leaf(0));
        fake_pop(0);
        fake_step(fake_caller(shim), 2);
        fake_push(0, -1, 2);
        expect_either(NFRAME);
        python_stack_close();
    }
}
END_TEST

/* The frames that are shown are right at each depth, those below the limit when they
 * come to be shown. */
static void recurse(void) {
    int frames[DEEP];
    push_some(1, FEW);
    for (int at = 0; at < DEEP; at++) {
        frames[at] = fake_push(0, -1, 0);
        expect_step(FEW);
    }
    for (int at = 0; at < DEEP / 2; at++)
        fake_step(frames[at], 5);
    fake_pop(0);
    expect_step(FEW);
    while (fake_leaf(0) >= 0) {
        walked_expect(0, FEW);
        fake_pop(0);
    }
}

START_TEST(a_recursion_deeper_than_the_limit) {
    in_each_version(recurse, FEW);
}
END_TEST

/* A generator that one function made and another resumes; both are called from the same
 * place, in frames that lie at one address or at two. */
static void switch_callers(int second_page) {
    push_some(DEPTH, NFRAME);
    int page = fake_push(0, -1, 1);
    int generator = fake_push(0, -1, 2);
    walked_expect(0, NFRAME);
    fake_suspend(0, generator);
    fake_pop(0);
    fake_push(0, second_page < 0 ? -1 : page, 3);
    fake_resume(0, generator, generator);
    walked_expect(0, NFRAME);
    fake_suspend(0, generator);
    expect_step(NFRAME);
    fake_resume(0, generator, generator);
    expect_step(NFRAME);
}

static void switch_callers_in_one_frame(void) {
    switch_callers(0);
}

static void switch_callers_in_two_frames(void) {
    switch_callers(-1);
}

START_TEST(a_coroutine_is_resumed_by_another_caller) {
    in_each_version(switch_callers_in_one_frame, NFRAME);
    in_each_version(switch_callers_in_two_frames, NFRAME);
}
END_TEST

static void begin_epoch(void) {
    push_some(DEPTH, NFRAME);
    epoch_raise();
    fake_push(0, -1, 0);
    expect_walk(NFRAME);
    fake_pop(0);
    expect_step(NFRAME);
}

START_TEST(a_new_epoch_is_no_step) {
    in_each_version(begin_epoch, NFRAME);
}
END_TEST

START_TEST(frame_objects_make_no_steps) {
    walked_open(FAKE_3_9, NFRAME);
    push_some(DEPTH, NFRAME);
    fake_push(0, -1, 0);
    expect_walk(NFRAME);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_call_and_a_return,
        a_return_and_the_call_of_a_sibling,
        the_caller_went_on_to_another_line,
        a_line_below_the_caller_is_no_step,
        several_calls_or_returns,
        a_call_by_a_shim,
        a_recursion_deeper_than_the_limit,
        a_coroutine_is_resumed_by_another_caller,
        a_new_epoch_is_no_step,
        frame_objects_make_no_steps,
    };
    return suite_run("python_step", tests, sizeof tests / sizeof *tests);
}
