/* SPDX-License-Identifier: MIT */
#include "stack/native/native_boundary.h"

#include <stdarg.h>
#include <string.h>

#include "suite.h"

/* A C stack of words, whose frames begin at the places that a test gives, and what
 * CPython's structures lead to: frames on the heap and on that stack. */
enum { WORDS = 128, MOST = 16, FRAME_SIZE = 32, IS_ENTRY = 9 };
enum { TSTATE_CFRAME = 16, CFRAME_PREVIOUS = 8 };
enum { NOBODY = -1, END = -2 };

static uint64_t words[WORDS];
static char heap[MOST][FRAME_SIZE];
static uint64_t tstate[8];
static struct native_slot slots[MOST];
static struct native_frame natives[MOST];
static struct native_stack native = {.slots = slots, .frames = natives};
static struct python_frame pythons[MOST];
static uint32_t depth;

static void open_marks(uint16_t version) {
    const struct python_layout layout = {
        .version = version,
        .tstate_cframe = version >= 0x30a && version < 0x30c ? TSTATE_CFRAME : 0,
        .cframe_previous = CFRAME_PREVIOUS,
        .frame_is_entry = IS_ENTRY,
    };
    native_boundary_open(&layout);
}

/* The native frames by the words that their stack pointers are at, root first. */
static void calls(int place, ...) {
    va_list rest;
    va_start(rest, place);
    for (native.depth = 0; place != END; place = va_arg(rest, int)) {
        slots[native.depth].at = words + place - 1;
        natives[native.depth++] = (struct native_frame){.first = 77, .end = 77};
    }
    va_end(rest);
}

/* The Python frames, root first: on the heap, or by the words that they lie at. */
static void runs(int place, ...) {
    va_list rest;
    va_start(rest, place);
    for (depth = 0; place != END; place = va_arg(rest, int), depth++)
        pythons[depth].address =
            place == NOBODY ? heap[depth] : (const char *)(words + place);
    va_end(rest);
}

static void point_at(void *from, size_t offset, const void *to) {
    memcpy((char *)from + offset, &to, sizeof to);
}

/* The structures of the evaluations, the outermost first, by the words that they lie
 * at. The first of all is the thread state's own. */
static void cframes(int place, ...) {
    va_list rest;
    void *last = &tstate[4];
    va_start(rest, place);
    point_at(last, CFRAME_PREVIOUS, NULL);
    for (; place != END; place = va_arg(rest, int)) {
        point_at(words + place, CFRAME_PREVIOUS, last);
        last = words + place;
    }
    va_end(rest);
    point_at(tstate, TSTATE_CFRAME, last);
}

/* Where a frame began an evaluation, in 3.11. */
static void entries(int frame, ...) {
    va_list rest;
    va_start(rest, frame);
    memset(heap, 0, sizeof heap);
    for (; frame != END; frame = va_arg(rest, int))
        heap[frame][IS_ENTRY] = 1;
    va_end(rest);
}

static uint32_t assign(void) {
    return native_boundary_assign(&native, 0, pythons, depth, (const char *)tstate);
}

static void expect(uint32_t at, uint32_t first, uint32_t end) {
    ck_assert_uint_eq(natives[at].first, first);
    ck_assert_uint_eq(natives[at].end, end);
}

/* All entries but these, in falling order, evaluate nothing. */
static void expect_others(int at, ...) {
    va_list rest;
    va_start(rest, at);
    for (int other = (int)native.depth - 1; other >= 0; other--)
        if (other == at)
            at = va_arg(rest, int);
        else
            expect((uint32_t)other, NATIVE_NO_PYTHON, NATIVE_NO_PYTHON);
    va_end(rest);
}

START_TEST(a_version_has_its_marks) {
    static const struct {
        uint16_t version;
        enum native_boundary_by by;
    } versions[] = {
        {0x306, NATIVE_BOUNDARY_CODE},   {0x309, NATIVE_BOUNDARY_CODE},
        {0x30a, NATIVE_BOUNDARY_CFRAME}, {0x30b, NATIVE_BOUNDARY_CFRAME_ENTRY},
        {0x30c, NATIVE_BOUNDARY_ENTRY},  {0x30f, NATIVE_BOUNDARY_ENTRY},
    };
    for (size_t at = 0; at < sizeof versions / sizeof *versions; at++) {
        open_marks(versions[at].version);
        ck_assert_int_eq(native_boundary.by, versions[at].by);
    }
}
END_TEST

START_TEST(an_entry_frame_begins_an_evaluation) {
    open_marks(0x30c);
    calls(100, 90, 70, 60, 40, 30, END);
    runs(75, NOBODY, NOBODY, 50, NOBODY, END);
    ck_assert_uint_eq(assign(), 0);
    expect(4, 3, 5);
    expect(2, 0, 3);
    expect_others(4, 2, END);
}
END_TEST

/* An evaluation's part of the stack begins where its stack pointer is, and ends where
 * that of its caller is. */
START_TEST(the_limits_of_a_frame_are_exact) {
    open_marks(0x30c);
    calls(100, 70, 60, 50, END);
    runs(60, END);
    ck_assert_uint_eq(assign(), 0);
    expect(2, 0, 1);
    runs(69, END);
    ck_assert_uint_eq(assign(), 0);
    expect(2, 0, 1);
    runs(70, END);
    ck_assert_uint_eq(assign(), 0);
    expect(1, 0, 1);
    runs(50, END);
    ck_assert_uint_eq(assign(), 0);
    expect(3, 0, 1);
    expect_others(3, END);
}
END_TEST

/* Those of another C stack, or of a caller that cannot be seen. */
START_TEST(frames_of_no_evaluation_are_left) {
    open_marks(0x30c);
    calls(100, 70, 60, 50, END);
    runs(NOBODY, NOBODY, END);
    ck_assert_uint_eq(assign(), 2);
    expect_others(END);
    runs(NOBODY, 100, 49, 65, NOBODY, END);
    ck_assert_uint_eq(assign(), 3);
    expect(2, 3, 5);
    expect_others(2, END);
}
END_TEST

START_TEST(without_python_nothing_is_evaluated) {
    static const uint16_t versions[] = {0x309, 0x30a, 0x30b, 0x30c};
    for (size_t at = 0; at < sizeof versions / sizeof *versions; at++) {
        open_marks(versions[at]);
        calls(100, 70, 60, END);
        cframes(65, END);
        runs(END);
        natives[1].flags = NATIVE_EVALUATES;
        ck_assert_uint_eq(assign(), 0);
        expect_others(END);
    }
}
END_TEST

START_TEST(lower_entries_stay_as_they_are) {
    open_marks(0x30c);
    calls(100, 90, 70, 60, 40, 30, END);
    runs(75, NOBODY, 50, NOBODY, END);
    ck_assert_uint_eq(native_boundary_assign(&native, 3, pythons, depth, NULL), 2);
    expect(4, 2, 4);
    expect(2, 77, 77);
    expect(0, 77, 77);
}
END_TEST

/* By longjmp: the innermost part of the stack is in use again, by others. */
START_TEST(frames_left_without_a_return_go_with_the_next) {
    open_marks(0x30c);
    calls(100, 90, 70, 60, 40, 30, END);
    runs(75, NOBODY, 35, NOBODY, 45, NOBODY, END);
    ck_assert_uint_eq(assign(), 0);
    expect(4, 4, 6);
    expect(2, 0, 4);
    expect_others(4, 2, END);
    runs(75, NOBODY, 20, NOBODY, END);
    ck_assert_uint_eq(assign(), 0);
    expect(2, 0, 4);
    expect_others(2, END);
}
END_TEST

START_TEST(each_cframe_of_3_10_has_one_frame) {
    open_marks(0x30a);
    calls(100, 90, 80, 70, 60, 50, END);
    runs(NOBODY, NOBODY, NOBODY, END);
    cframes(85, 75, 55, END);
    ck_assert_uint_eq(assign(), 0);
    expect(5, 2, 3);
    expect(3, 1, 2);
    expect(2, 0, 1);
    expect_others(5, 3, 2, END);
}
END_TEST

START_TEST(a_cframe_of_3_11_has_the_frames_up_from_an_entry) {
    open_marks(0x30b);
    calls(100, 90, 80, 70, 60, END);
    runs(NOBODY, NOBODY, NOBODY, NOBODY, END);
    cframes(85, 65, END);
    entries(0, 3, END);
    ck_assert_uint_eq(assign(), 0);
    expect(4, 3, 4);
    expect(2, 0, 3);
    expect_others(4, 2, END);
    entries(1, 2, END);
    ck_assert_uint_eq(assign(), 1);
    expect(4, 2, 4);
    expect(2, 1, 2);
    expect_others(4, 2, END);
    entries(3, END);
    ck_assert_uint_eq(assign(), 0);
    expect(2, 0, 3);
}
END_TEST

START_TEST(a_cframe_left_without_a_return_goes_with_the_next) {
    open_marks(0x30a);
    calls(100, 90, 70, 60, 40, 30, END);
    runs(NOBODY, NOBODY, NOBODY, END);
    cframes(75, 35, 45, END);
    ck_assert_uint_eq(assign(), 0);
    expect(4, 2, 3);
    expect(2, 0, 2);
    expect_others(4, 2, END);
    cframes(75, 45, 20, END);
    ck_assert_uint_eq(assign(), 0);
    expect(4, 1, 3);
    expect(2, 0, 1);
    expect_others(4, 2, END);
}
END_TEST

START_TEST(without_a_thread_state_there_are_no_cframes) {
    open_marks(0x30b);
    calls(100, 90, 80, END);
    runs(NOBODY, NOBODY, END);
    cframes(85, END);
    entries(0, END);
    ck_assert_uint_eq(native_boundary_assign(&native, 0, pythons, depth, NULL), 2);
    expect_others(END);
}
END_TEST

START_TEST(the_thread_states_own_cframe_evaluates_nothing) {
    open_marks(0x30a);
    calls(100, 90, 80, END);
    runs(NOBODY, NOBODY, END);
    cframes(END);
    ck_assert_uint_eq(assign(), 2);
    expect_others(END);
    point_at(words + 85, CFRAME_PREVIOUS, NULL);
    point_at(tstate, TSTATE_CFRAME, words + 85);
    ck_assert_uint_eq(assign(), 2);
    expect_others(END);
}
END_TEST

START_TEST(to_3_9_code_that_evaluates_has_one_frame) {
    open_marks(0x309);
    calls(100, 90, 80, 70, 60, 50, END);
    natives[1].flags = natives[3].flags = NATIVE_EVALUATES;
    natives[2].flags = NATIVE_HIDDEN;
    natives[4].flags = NATIVE_EVALUATES | NATIVE_BY_REGISTER;
    runs(NOBODY, NOBODY, NOBODY, END);
    ck_assert_uint_eq(assign(), 0);
    expect(4, 2, 3);
    expect(3, 1, 2);
    expect(1, 0, 1);
    expect_others(4, 3, 1, END);
    runs(NOBODY, NOBODY, NOBODY, NOBODY, END);
    ck_assert_uint_eq(assign(), 1);
    expect(1, 1, 2);
    runs(NOBODY, END);
    ck_assert_uint_eq(assign(), 0);
    expect(4, 0, 1);
    expect_others(4, END);
}
END_TEST

/* A handler's frames begin at `handler`, on a stack of its own; behind them the kernel
 * left the registers of what was interrupted, whose stack pointer is at 60. */
static void interrupts(int handler) {
    calls(100, 80, 70, handler + 10, handler + 4, handler, END);
    natives[3].exact = true;
    words[handler + 8] = (uintptr_t)(words + 60);
}

static void expect_interrupted(uint16_t version, int handler) {
    open_marks(version);
    interrupts(handler);
    runs(85, 65, END);
    cframes(85, 65, END);
    ck_assert_uint_eq(assign(), 0);
    expect(3, 1, 2);
    expect(1, 0, 1);
    expect_others(3, 1, END);
    runs(85, 75, END);
    cframes(85, 75, END);
    ck_assert_uint_eq(assign(), 0);
    expect(2, 1, 2);
    expect(1, 0, 1);
    expect_others(2, 1, END);
}

START_TEST(a_handler_may_have_a_stack_below) {
    expect_interrupted(0x30c, 5);
    expect_interrupted(0x30a, 5);
}
END_TEST

START_TEST(a_handler_may_have_a_stack_above) {
    expect_interrupted(0x30c, 112);
    expect_interrupted(0x30a, 112);
}
END_TEST

START_TEST(a_handler_may_be_on_the_threads_stack) {
    expect_interrupted(0x30c, 40);
    expect_interrupted(0x30a, 40);
}
END_TEST

/* The innermost part of the thread's stack was left, and is in use again. */
START_TEST(below_a_handler_frames_may_be_left_too) {
    static const int handlers[] = {5, 40, 112};
    for (size_t at = 0; at < sizeof handlers / sizeof *handlers; at++) {
        open_marks(0x30c);
        interrupts(handlers[at]);
        runs(85, 62, 75, NOBODY, END);
        ck_assert_uint_eq(assign(), 0);
        expect(2, 2, 4);
        expect(1, 0, 2);
        expect_others(2, 1, END);
    }
}
END_TEST

START_TEST(the_evaluation_below_an_entry_is_found) {
    calls(100, 90, 80, 70, 60, END);
    for (uint32_t at = 0; at < native.depth; at++)
        natives[at].first = NATIVE_NO_PYTHON;
    ck_assert_uint_eq(native_boundary_outer(&native, 5, UINT32_MAX - 1), 5);
    natives[1].first = 0;
    natives[3].first = 4;
    ck_assert_uint_eq(native_boundary_outer(&native, 5, UINT32_MAX - 1), 3);
    ck_assert_uint_eq(native_boundary_outer(&native, 5, UINT32_MAX), 3);
    ck_assert_uint_eq(native_boundary_outer(&native, 5, 4), 3);
    ck_assert_uint_eq(native_boundary_outer(&native, 5, 3), 1);
    ck_assert_uint_eq(native_boundary_outer(&native, 3, 9), 1);
    ck_assert_uint_eq(native_boundary_outer(&native, 1, 9), 1);
    ck_assert_uint_eq(native_boundary_outer(&native, 0, 9), 0);
    natives[1].first = 2;
    ck_assert_uint_eq(native_boundary_outer(&native, 5, 1), 5);
}
END_TEST

static bool begins(const void *frame) {
    return native_boundary_begins(frame, (uintptr_t)(words + 20),
                                  (uintptr_t)(words + 100));
}

START_TEST(a_new_frame_begins_an_evaluation_or_not) {
    open_marks(0x30c);
    ck_assert(begins(words + 20));
    ck_assert(begins(words + 99));
    ck_assert(!begins(words + 100));
    ck_assert(!begins(words + 19));
    ck_assert(!begins(heap[0]));
    open_marks(0x30b);
    entries(1, END);
    ck_assert(begins(heap[1]));
    ck_assert(!begins(heap[0]));
    open_marks(0x30a);
    ck_assert(begins(heap[0]));
    open_marks(0x309);
    ck_assert(begins(heap[0]));
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_version_has_its_marks,
        an_entry_frame_begins_an_evaluation,
        the_limits_of_a_frame_are_exact,
        frames_of_no_evaluation_are_left,
        without_python_nothing_is_evaluated,
        lower_entries_stay_as_they_are,
        frames_left_without_a_return_go_with_the_next,
        each_cframe_of_3_10_has_one_frame,
        a_cframe_of_3_11_has_the_frames_up_from_an_entry,
        a_cframe_left_without_a_return_goes_with_the_next,
        without_a_thread_state_there_are_no_cframes,
        the_thread_states_own_cframe_evaluates_nothing,
        to_3_9_code_that_evaluates_has_one_frame,
        a_handler_may_have_a_stack_below,
        a_handler_may_have_a_stack_above,
        a_handler_may_be_on_the_threads_stack,
        below_a_handler_frames_may_be_left_too,
        the_evaluation_below_an_entry_is_found,
        a_new_frame_begins_an_evaluation_or_not,
    };
    return suite_run("native_boundary", tests, sizeof tests / sizeof *tests);
}
