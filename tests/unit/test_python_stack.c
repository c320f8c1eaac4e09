/* SPDX-License-Identifier: MIT */
/* The walk on frames of our own making, against a walk that follows each pointer. */
#include "stack/python/python_stack.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "suite.h"
#include "walked_python.h"

enum { PARKED = 4, ROUNDS = 5000 };

static void in_each_version(void (*check)(void), uint32_t nframe) {
    for (int version = 0; version < FAKE_VERSIONS; version++) {
        walked_open((enum fake_version)version, nframe);
        check();
        python_stack_close();
    }
}

static void push_and_pop(void) {
    walked_expect(0, 25);
    for (int code = 0; code < 10; code++) {
        fake_push(0, -1, code % 3);
        walked_expect(0, 25);
    }
    for (int count = 0; count < 5; count++) {
        fake_pop(0);
        fake_step(fake_leaf(0), count);
        walked_expect(0, 25);
    }
    while (fake_leaf(0) >= 0) {
        fake_pop(0);
        walked_expect(0, 25);
    }
}

START_TEST(calls_and_returns) {
    in_each_version(push_and_pop, 25);
}
END_TEST

static void change_deep_line(void) {
    int frames[12];
    for (int at = 0; at < 12; at++)
        frames[at] = fake_push(0, -1, at);
    walked_expect(0, 12);
    for (int at = 11; at >= 0; at--) {
        fake_step(frames[at], 3);
        walked_expect(0, 12);
    }
}

START_TEST(lines_change_deep_down) {
    in_each_version(change_deep_line, 12);
}
END_TEST

static void call_again_at_the_same_address(void) {
    fake_push(0, 0, 0);
    for (int code = 1; code < 6; code++) {
        fake_push(0, 1, code);
        fake_push(0, 2, code - 1);
        walked_expect(0, 25);
        fake_pop(0);
        fake_pop(0);
    }
}

START_TEST(frames_reuse_addresses) {
    in_each_version(call_again_at_the_same_address, 25);
}
END_TEST

static void resume_from_callers(void) {
    fake_push(0, -1, 0);
    int bottom = fake_push(0, -1, 1);
    fake_push(0, -1, 2);
    walked_expect(0, 25);
    int leaf = fake_suspend(0, bottom);
    walked_expect(0, 25);
    for (int depth = 1; depth < 20; depth++) {
        for (int at = 0; at < depth; at++)
            fake_push(0, -1, 3 + at % 3);
        walked_expect(0, 25);
        fake_resume(0, bottom, leaf);
        walked_expect(0, 25);
        fake_suspend(0, bottom);
        for (int at = 0; at < depth; at++)
            fake_pop(0);
    }
}

START_TEST(a_generator_is_resumed_from_elsewhere) {
    in_each_version(resume_from_callers, 25);
}
END_TEST

/* What was the root of a stack is called by something now. */
static void call_the_root(void) {
    int root = fake_push(0, -1, 1);
    fake_push(0, -1, 2);
    walked_expect(0, 25);
    int leaf = fake_suspend(0, root);
    fake_push(0, -1, 3);
    fake_resume(0, root, leaf);
    walked_expect(0, 25);
}

START_TEST(a_root_is_called) {
    in_each_version(call_the_root, 25);
}
END_TEST

static void die_and_be_reborn(void) {
    for (int life = 0; life < 5; life++) {
        fake_push(0, 0, 0);
        fake_push(0, 1, 1);
        walked_expect(0, 25);
        ck_assert(walked.watched[1]);
        fake_pop(0);
        python_stack_code_freed((uintptr_t)fake_address(1));
        fake_rebirth(1);
        fake_push(0, 1, 1);
        walked_expect(0, 25);
        fake_pop(0);
        fake_pop(0);
    }
}

START_TEST(code_dies_and_its_address_is_used_again) {
    in_each_version(die_and_be_reborn, 25);
}
END_TEST

START_TEST(shims_are_left_out) {
    for (int version = FAKE_3_12; version < FAKE_VERSIONS; version++) {
        walked_open((enum fake_version)version, 3);
        for (int at = 0; at < 8; at++) {
            fake_push(0, -1, at);
            walked_expect(0, 3);
            fake_push_shim(0);
            walked_expect(0, 3);
        }
        python_stack_close();
    }
}
END_TEST

static void count_nodes(void) {
    for (int at = 0; at < 90; at++)
        fake_push(0, -1, at % FAKE_CODES);
    walked_expect(0, 90);
    uint64_t nodes = walked_nodes();
    for (int round = 0; round < 100; round++)
        walked_expect(0, 90);
    ck_assert_uint_eq(walked_nodes(), nodes);
    ck_assert_uint_le(walked.code_count, FAKE_CODES * FAKE_VERSIONS);
}

START_TEST(the_same_stack_is_the_same_node) {
    in_each_version(count_nodes, 90);
}
END_TEST

START_TEST(threads_share_the_memo_but_not_the_stack) {
    walked_open(FAKE_3_12, 25);
    for (int at = 0; at < 8; at++) {
        fake_push(0, -1, at);
        fake_push(1, -1, at);
        walked_expect(0, 25);
        ck_assert_uint_eq(walked_capture(0), walked_capture(1));
        fake_step(fake_leaf(1), 2);
        walked_expect(1, 25);
        fake_step(fake_leaf(1), 0);
    }
}
END_TEST

START_TEST(it_asks_until_it_may_begin) {
    walked_open(FAKE_3_12, 25);
    walked.is_ready = false;
    walked_capture(0);
    ck_assert_int_eq(walked.ready_asked, 0);
    fake_push(0, -1, 0);
    for (int count = 1; count <= 3; count++) {
        walked_expect(0, 25);
        ck_assert_int_eq(walked.ready_asked, count);
    }
    walked.is_ready = true;
    walked_expect(0, 25);
    walked_expect(0, 25);
    ck_assert_int_eq(walked.ready_asked, 4);
}
END_TEST

START_TEST(what_does_not_look_like_a_frame_is_refused) {
    walked_open(FAKE_3_12, 25);
    fake_push(0, -1, 0);
    fake_runtime.code_type = &walked;
    ck_assert_uint_eq(walked_capture(0), 0);
    ck_assert_int_eq(walked.refusals, 1);
    ck_assert_int_eq(walked.ready_asked, 0);
}
END_TEST

START_TEST(a_released_stack_begins_anew) {
    walked_open(FAKE_3_12, 25);
    uint64_t before = arena_bytes();
    fake_push(0, -1, 0);
    errno = EXDEV;
    walked_expect(0, 25);
    ck_assert_int_eq(errno, EXDEV);
    python_stack_release(&walked.stacks[0]);
    python_stack_release(&walked.stacks[0]);
    ck_assert_uint_eq(arena_bytes(), before);
    fake_push(0, -1, 1);
    walked_expect(0, 25);
}
END_TEST

static void stay_within(void) {
    fake_push(0, -1, 0);
    int frame = fake_push(0, -1, 1);
    struct python_place place = python_stack_place(fake_thread(0));
    ck_assert(python_stack_is_within(fake_thread(0), &place));
    fake_push(0, -1, 2);
    ck_assert(python_stack_is_within(fake_thread(0), &place));
    fake_step(frame, 3);
    ck_assert(!python_stack_is_within(fake_thread(0), &place));
    fake_step(frame, 0);
    fake_pop(0);
    fake_pop(0);
    ck_assert(!python_stack_is_within(fake_thread(0), &place));
    ck_assert_ptr_null(python_stack_place(fake_thread(1)).frame);
}

START_TEST(a_place_is_left) {
    in_each_version(stay_within, 25);
}
END_TEST

/* --- a random walk ---------------------------------------------------------------- */

static struct parked {
    bool used;
    int bottom, leaf;
} parked[PARKED];
static uint64_t seed = 29;
static int alive; /* frames, the parked ones too */

static int random_frame(int thread) {
    int frame = fake_leaf(thread);
    for (uint32_t down = random_below(&seed, 12); down > 0 && frame >= 0; down--)
        frame = fake_caller(frame) >= 0 ? fake_caller(frame) : frame;
    return frame;
}

static void step_some(int frame) {
    if (frame >= 0 && !fake_is_shim(frame))
        fake_step(frame, (int)random_below(&seed, FAKE_STEPS));
}

static void push_some(int thread) {
    for (uint32_t count = 1 + random_below(&seed, 4);
         count > 0 && alive < FAKE_FRAMES - 2; count--, alive++) {
        if (fake_runtime.layout.version >= 0x30c && random_below(&seed, 8) == 0)
            fake_push_shim(thread);
        else
            fake_push(thread, -1, (int)random_below(&seed, FAKE_CODES));
    }
    step_some(fake_leaf(thread));
}

static void pop_some(int thread) {
    for (uint32_t count = 1 + random_below(&seed, 5);
         count > 0 && fake_leaf(thread) >= 0; count--, alive--)
        fake_pop(thread);
    step_some(fake_leaf(thread));
}

static void park_or_resume(int thread) {
    struct parked *place = &parked[random_below(&seed, PARKED)];
    if (place->used) {
        fake_resume(thread, place->bottom, place->leaf);
        place->used = false;
    } else if (fake_leaf(thread) >= 0) {
        place->bottom = random_frame(thread);
        place->leaf = fake_suspend(thread, place->bottom);
        place->used = true;
    }
}

static void kill_some_code(void) {
    int code = (int)random_below(&seed, FAKE_CODES);
    if (fake_is_used(code))
        return;
    if (walked.watched[code])
        python_stack_code_freed((uintptr_t)fake_address(code));
    walked.watched[code] = false;
    fake_rebirth(code);
}

static void change(int thread) {
    uint32_t kind = random_below(&seed, 100);
    if (kind < 35)
        push_some(thread);
    else if (kind < 65)
        pop_some(thread);
    else if (kind < 75)
        step_some(fake_leaf(thread));
    else if (kind < 85)
        step_some(random_frame(thread));
    else if (kind < 96)
        park_or_resume(thread);
    else
        kill_some_code();
}

static void walk_at_random(enum fake_version version, uint32_t nframe) {
    walked_open(version, nframe);
    memset(parked, 0, sizeof parked);
    memset(walked.watched, 0, sizeof walked.watched);
    alive = 0;
    for (int round = 0; round < ROUNDS; round++) {
        int thread = (int)random_below(&seed, FAKE_THREADS);
        for (uint32_t changes = random_below(&seed, 4); changes > 0; changes--)
            change(thread);
        walked_expect(thread, nframe);
    }
    python_stack_close();
}

START_TEST(a_random_walk_is_the_real_chain) {
    static const uint32_t limits[] = {1, 3, 25, 100};
    for (int version = 0; version < FAKE_VERSIONS; version++)
        for (size_t at = 0; at < sizeof limits / sizeof *limits; at++)
            walk_at_random((enum fake_version)version, limits[at]);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        calls_and_returns,
        lines_change_deep_down,
        frames_reuse_addresses,
        a_generator_is_resumed_from_elsewhere,
        a_root_is_called,
        code_dies_and_its_address_is_used_again,
        shims_are_left_out,
        the_same_stack_is_the_same_node,
        threads_share_the_memo_but_not_the_stack,
        it_asks_until_it_may_begin,
        what_does_not_look_like_a_frame_is_refused,
        a_released_stack_begins_anew,
        a_place_is_left,
        a_random_walk_is_the_real_chain,
    };
    return suite_run("python_stack", tests, sizeof tests / sizeof *tests);
}
