/* SPDX-License-Identifier: MIT */
#include "check_run.h"
#include "opened_dump.h"
#include "profile/call_tree.h"

static struct dump_maker maker;
static struct opened_dump opened;
static struct call_tree tree;
static uint32_t code;

static void set_up(void) {
    dump_maker_open(&maker);
    code = dump_maker_code(&maker, "x.py", "f");
}

static void tear_down(void) {
    call_tree_close(&tree);
    opened_dump_close(&opened);
    dump_maker_close(&maker);
}

static uint32_t call(uint32_t caller, uint32_t line) {
    return dump_maker_stack(&maker, caller, code, line);
}

static void hold(uint32_t stack, uint64_t size, uint32_t count) {
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), size, count, 0);
}

static void build(double share) {
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    ck_assert_int_eq(call_tree_open(&tree, &opened.profile, share), 0);
}

static void build_inverted(double share) {
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    ck_assert_int_eq(call_tree_open_inverted(&tree, &opened.profile, share), 0);
}

static uint32_t first(uint32_t node) {
    return tree.nodes[node].first_child;
}

static uint32_t line_of(uint32_t node) {
    return profile_frame(&opened.profile, tree.nodes[node].stack).line;
}

START_TEST(calls_hold_what_they_call_holds) {
    uint32_t caller = call(0, 1);
    hold(call(caller, 2), 100, 3);
    hold(call(caller, 3), 500, 1);
    hold(caller, 7, 1);
    build(0);
    uint32_t top = first(CALL_TREE_ROOT);
    ck_assert_uint_eq(tree.nodes[CALL_TREE_ROOT].weight.size, 807);
    ck_assert_uint_eq(tree.nodes[top].weight.size, 807);
    ck_assert_uint_eq(tree.nodes[top].weight.count, 5);
    ck_assert_uint_eq(call_tree_own(&tree, top).size, 7);
    ck_assert_uint_eq(line_of(first(top)), 3);
    ck_assert_uint_eq(line_of(tree.nodes[first(top)].next), 2);
    ck_assert_uint_eq(tree.nodes[tree.nodes[first(top)].next].next, CALL_TREE_NONE);
}
END_TEST

START_TEST(what_is_small_is_folded_into_its_parent) {
    uint32_t caller = call(0, 1);
    hold(call(caller, 2), 900, 1);
    hold(call(call(caller, 3), 4), 60, 2);
    hold(call(caller, 5), 1, 1);
    build(0.5);
    uint32_t top = first(CALL_TREE_ROOT);
    ck_assert_uint_eq(tree.count, 3);
    ck_assert_uint_eq(tree.nodes[top].folded.size, 121);
    ck_assert_uint_eq(tree.nodes[top].folded.count, 3);
    ck_assert_uint_eq(tree.nodes[top].folded_count, 2);
}
END_TEST

START_TEST(blocks_without_a_stack_have_a_node) {
    hold(TRACEMALLOC_DUMP_EMPTY_STACK, 10, 1);
    hold(call(0, 1), 5, 1);
    build(0);
    uint32_t top = first(CALL_TREE_ROOT);
    ck_assert_uint_eq(tree.nodes[top].stack, TRACEMALLOC_DUMP_EMPTY_STACK);
    ck_assert_uint_eq(tree.nodes[top].weight.size, 10);
    ck_assert_uint_eq(tree.nodes[tree.nodes[top].next].weight.size, 5);
}
END_TEST

/* Two lines of a caller that is beyond the limit are one node without a line. */
START_TEST(beyond_the_limit_lines_are_not_told_apart) {
    maker.header.nframe = 2;
    hold(call(call(call(0, 1), 10), 20), 100, 1);
    hold(call(call(call(0, 2), 10), 20), 50, 1);
    build(0);
    uint32_t top = first(CALL_TREE_ROOT);
    ck_assert(!tree.nodes[top].has_line);
    ck_assert_uint_eq(tree.nodes[top].weight.size, 150);
    ck_assert(tree.nodes[first(top)].has_line);
    ck_assert_uint_eq(tree.nodes[first(top)].weight.size, 150);
    ck_assert_uint_eq(line_of(first(top)), 10);
}
END_TEST

START_TEST(inverted_from_the_line_to_its_callers) {
    uint32_t one = call(0, 1), two = call(0, 2);
    hold(call(one, 9), 100, 1);
    hold(call(two, 9), 300, 1);
    hold(one, 50, 1);
    build_inverted(0);
    uint32_t top = first(CALL_TREE_ROOT);
    ck_assert_uint_eq(line_of(top), 9);
    ck_assert_uint_eq(tree.nodes[top].weight.size, 400);
    ck_assert_uint_eq(line_of(first(top)), 2);
    ck_assert_uint_eq(line_of(tree.nodes[first(top)].next), 1);
    ck_assert_uint_eq(line_of(tree.nodes[top].next), 1);
    ck_assert_uint_eq(call_tree_own(&tree, top).size, 0);
}
END_TEST

START_TEST(inverted_within_the_limit) {
    maker.header.nframe = 2;
    hold(call(call(call(0, 1), 2), 3), 100, 1);
    build_inverted(0);
    uint32_t top = first(CALL_TREE_ROOT);
    ck_assert_uint_eq(line_of(top), 3);
    ck_assert_uint_eq(line_of(first(top)), 2);
    ck_assert_uint_eq(first(first(top)), CALL_TREE_NONE);
}
END_TEST

START_TEST(a_heap_of_nothing) {
    build(0.01);
    ck_assert_uint_eq(tree.count, 1);
    ck_assert_uint_eq(first(CALL_TREE_ROOT), CALL_TREE_NONE);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("call_tree");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, calls_hold_what_they_call_holds);
    tcase_add_test(tests, what_is_small_is_folded_into_its_parent);
    tcase_add_test(tests, blocks_without_a_stack_have_a_node);
    tcase_add_test(tests, beyond_the_limit_lines_are_not_told_apart);
    tcase_add_test(tests, inverted_from_the_line_to_its_callers);
    tcase_add_test(tests, inverted_within_the_limit);
    tcase_add_test(tests, a_heap_of_nothing);
    return check_run("call_tree", tests);
}
