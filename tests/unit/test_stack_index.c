/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "check_run.h"
#include "opened_dump.h"
#include "profile/stack_index.h"

/* A random tree of stacks with few different frames, so that many windows are alike,
 * and the plain way to do each thing. */
static struct opened_dump opened;
static struct stack_index tree;

static void set_up(void) {
    struct dump_maker maker;
    dump_maker_open(&maker);
    maker.header.nframe = 6;
    uint32_t codes[3] = {dump_maker_code(&maker, "b.py", "f"),
                         dump_maker_code(&maker, "a.py", "g"),
                         dump_maker_code(&maker, "a.py", "h")};
    srand(1);
    for (uint32_t id = 2, parent = 0; id < 700; id++) {
        parent = rand() % 3 != 0 ? id - 1 : (uint32_t)rand() % id;
        dump_maker_stack(&maker, parent == 1 ? 0 : parent, codes[rand() % 3],
                         (uint32_t)rand() % 2);
    }
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    dump_maker_close(&maker);
    ck_assert_int_eq(stack_index_open(&tree, &opened.profile), 0);
}

static void tear_down(void) {
    stack_index_close(&tree);
    opened_dump_close(&opened);
}

static uint32_t walk_up(uint32_t stack, uint32_t up) {
    while (up-- > 0)
        stack = opened.reader->stacks[stack].parent;
    return stack;
}

static int compare_plainly(uint32_t first, uint32_t second) {
    uint32_t a = stack_index_window(&tree, first),
             b = stack_index_window(&tree, second);
    while (a > 0 && b > 0) {
        int order = stack_index_compare_frames(
            &opened.profile, profile_frame(&opened.profile, walk_up(first, --a)),
            profile_frame(&opened.profile, walk_up(second, --b)));
        if (order != 0)
            return order;
    }
    return (a > 0) - (b > 0);
}

static int sign(int value) {
    return (value > 0) - (value < 0);
}

START_TEST(ancestors_are_those_of_a_walk) {
    for (uint32_t stack = 0; stack < opened.reader->stack_count; stack += 3)
        for (uint32_t up = 0; up < 40; up++)
            ck_assert_uint_eq(stack_index_ancestor(&tree, stack, up),
                              walk_up(stack, up));
}
END_TEST

START_TEST(windows_end_at_the_limit) {
    ck_assert_uint_eq(stack_index_window(&tree, 0), 1);
    for (uint32_t stack = 1; stack < opened.reader->stack_count; stack++) {
        uint32_t depth = tree.depths[stack];
        ck_assert_uint_eq(stack_index_window(&tree, stack), depth < 6 ? depth : 6);
    }
}
END_TEST

START_TEST(windows_compare_as_tuples_do) {
    for (uint32_t first = 0; first < opened.reader->stack_count; first += 2)
        for (uint32_t second = 0; second < opened.reader->stack_count; second += 3) {
            int expected = sign(compare_plainly(first, second));
            ck_assert_int_eq(sign(stack_index_compare(&tree, first, &tree, second)),
                             expected);
            ck_assert_int_eq(stack_index_hash(&tree, first) ==
                                 stack_index_hash(&tree, second),
                             expected == 0);
        }
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("stack_index");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, ancestors_are_those_of_a_walk);
    tcase_add_test(tests, windows_end_at_the_limit);
    tcase_add_test(tests, windows_compare_as_tuples_do);
    return check_run("stack_index", tests);
}
