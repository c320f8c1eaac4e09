/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "check_run.h"
#include "opened_dump.h"
#include "profile/folded_tree.h"

enum { MOST = 100000 };

static struct dump_maker maker;
static struct opened_dump opened;
static struct path_table table;
static struct folded_tree tree;

static void set_up(void) {
    dump_maker_open(&maker);
}

static void tear_down(void) {
    folded_tree_close(&tree);
    path_table_close(&table);
    opened_dump_close(&opened);
    dump_maker_close(&maker);
}

static void fold(enum folded_tree_direction direction, double share, size_t most) {
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    ck_assert_int_eq(path_table_open(&table, &opened.names, 3), 0);
    const struct path_source source = {
        .profiles = &opened.profile, .profile_count = 1, .ever = &opened.profile};
    ck_assert_int_eq(path_table_add(&table, &source), 0);
    path_table_aggregate(&table);
    ck_assert_int_eq(folded_tree_open(&tree, &table, direction, share, most), 0);
}

/* Blocks of a caller on a line, and a callee on one. */
static void add_call(uint32_t outer, uint32_t inner, uint64_t size) {
    uint32_t stack = dump_maker_stack(&maker, 0, 2, outer);
    stack = dump_maker_stack(&maker, stack, 2, inner);
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), size, 1, 0);
}

/* The child of a node on a line, or of one of our own frames. */
static uint32_t child_of(uint32_t node, uint32_t line, uint32_t own) {
    for (uint32_t i = 1; i < tree.count; i++) {
        uint32_t frame = tree.nodes[i].frame;
        bool wanted = line > 0 ? path_table_line(&table, frame) == line : frame == own;
        if (tree.nodes[i].parent == node && wanted)
            return i;
    }
    ck_abort_msg("no child on line %u", line);
    return 0;
}

static uint64_t size_at(uint32_t node) {
    uint64_t size = 0;
    for (size_t i = 0; i < tree.entry_count; i++)
        if (tree.entries[i].node == node)
            size += tree.values[i * table.columns];
    return size;
}

static uint64_t total(unsigned column) {
    uint64_t sum = 0;
    for (size_t i = 0; i < tree.entry_count; i++)
        sum += tree.values[i * table.columns + column];
    return sum;
}

static void add_calls(void) {
    ck_assert_uint_eq(dump_maker_code(&maker, "x.py", "f"), 2);
    add_call(1, 10, 5000);
    add_call(1, 11, 3000);
    add_call(2, 10, 2000);
}

START_TEST(calls_from_the_oldest_frame_on) {
    add_calls();
    fold(FOLDED_TREE_CALLS, 0, MOST);
    ck_assert_uint_eq(tree.count, 6);
    ck_assert_uint_eq(tree.nodes[0].frame, PATH_TABLE_ALL);
    uint32_t first = child_of(0, 1, 0);
    ck_assert_uint_eq(size_at(first), 0);
    ck_assert_uint_eq(size_at(child_of(first, 10, 0)), 5000);
    ck_assert_uint_eq(size_at(child_of(first, 11, 0)), 3000);
    ck_assert_uint_eq(size_at(child_of(child_of(0, 2, 0), 10, 0)), 2000);
}
END_TEST

START_TEST(callers_from_the_most_recent_frame_on) {
    add_calls();
    fold(FOLDED_TREE_CALLERS, 0, MOST);
    uint32_t inner = child_of(0, 10, 0);
    ck_assert_uint_eq(size_at(child_of(inner, 1, 0)), 5000);
    ck_assert_uint_eq(size_at(child_of(inner, 2, 0)), 2000);
    ck_assert_uint_eq(size_at(child_of(child_of(0, 11, 0), 1, 0)), 3000);
}
END_TEST

/* A third of the blocks is less than 0.4 of them. */
START_TEST(what_is_small_is_folded) {
    add_calls();
    fold(FOLDED_TREE_CALLS, 0.4, MOST);
    uint32_t first = child_of(0, 1, 0);
    ck_assert_uint_eq(size_at(child_of(first, 10, 0)), 5000);
    ck_assert_uint_eq(size_at(child_of(first, 0, PATH_TABLE_OTHER)), 3000);
    ck_assert_uint_eq(size_at(child_of(0, 0, PATH_TABLE_OTHER)), 2000);
    ck_assert_uint_eq(tree.folded[0], 5000);
    ck_assert_uint_eq(tree.folded[1], 2);
    ck_assert_uint_eq(total(0), 10000);
}
END_TEST

START_TEST(what_ends_inside_stays_with_its_node) {
    add_calls();
    uint32_t stack = dump_maker_stack(&maker, 0, 2, 1);
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 1), 7, 1, 0);
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), 9, 1, 0);
    fold(FOLDED_TREE_CALLS, 0, MOST);
    ck_assert_uint_eq(size_at(child_of(0, 1, 0)), 16);
    ck_assert_uint_eq(total(1), 5);
}
END_TEST

static void ck_sums(void) {
    for (unsigned column = 0; column < table.columns; column++)
        ck_assert_uint_eq(total(column), table.totals[column]);
    for (uint32_t i = 1; i < tree.count; i++)
        ck_assert_uint_lt(tree.nodes[i].parent, i);
}

START_TEST(a_large_dump_fits) {
    dump_maker_fill(&maker, 20000);
    fold(FOLDED_TREE_CALLS, 1e-9, 500);
    ck_assert_uint_le(tree.count, 500);
    ck_assert_uint_gt(tree.count, 400);
    ck_sums();
}
END_TEST

/* Many small calls: none of them is large, all together are most. */
START_TEST(little_is_folded_unless_asked_for) {
    ck_assert_uint_eq(dump_maker_code(&maker, "x.py", "f"), 2);
    for (uint32_t line = 1; line <= 20000; line++)
        add_call(line % 100, line, 100 + line % 50);
    for (int direction = 0; direction < 2; direction++) {
        fold((enum folded_tree_direction)direction, -1, 30000);
        for (unsigned column = 0; column < table.columns; column++)
            ck_assert_uint_le(tree.folded[column], table.totals[column] / 20);
        ck_sums();
        folded_tree_close(&tree);
        path_table_close(&table);
        opened_dump_close(&opened);
    }
    fold(FOLDED_TREE_CALLS, 0.001, 30000);
    ck_assert_uint_gt(tree.folded[0], table.totals[0] / 2);
    /* Without room the largest stay, and what they call counts for them. */
    folded_tree_close(&tree);
    ck_assert_int_eq(folded_tree_open(&tree, &table, FOLDED_TREE_CALLS, -1, 200), 0);
    ck_assert_uint_le(tree.count, 200);
    ck_assert_uint_le(tree.folded[0], table.totals[0] / 20);
    ck_sums();
}
END_TEST

START_TEST(an_empty_dump_has_a_root) {
    fold(FOLDED_TREE_CALLERS, 0.1, MOST);
    ck_assert_uint_eq(tree.count, 1);
    ck_assert_uint_eq(tree.entry_count, 0);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("folded_tree");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, calls_from_the_oldest_frame_on);
    tcase_add_test(tests, callers_from_the_most_recent_frame_on);
    tcase_add_test(tests, what_is_small_is_folded);
    tcase_add_test(tests, what_ends_inside_stays_with_its_node);
    tcase_add_test(tests, a_large_dump_fits);
    tcase_add_test(tests, little_is_folded_unless_asked_for);
    tcase_add_test(tests, an_empty_dump_has_a_root);
    return check_run("folded_tree", tests);
}
