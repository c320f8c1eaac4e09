/* SPDX-License-Identifier: MIT */
#include "trace/stack_table.h"

#include "suite.h"

static struct dump_file file;

static void open_table(void) {
    ck_assert_int_eq(dump_file_open(&file, 1 << 20), 0);
    ck_assert_int_eq(stack_table_open(&file), 0);
}

static struct tracemalloc_dump_stack node_at(uint32_t id) {
    return ((struct tracemalloc_dump_stack *)file.base[TRACEMALLOC_DUMP_STACKS])[id];
}

static uint64_t count(void) {
    return file.header->sections[TRACEMALLOC_DUMP_STACKS].count;
}

START_TEST(the_first_nodes_are_fixed) {
    open_table();
    ck_assert_uint_eq(count(), 2);
    ck_assert_uint_eq(node_at(TRACEMALLOC_DUMP_EMPTY_STACK).code, 0);
    ck_assert_uint_eq(node_at(TRACEMALLOC_DUMP_OVERFLOW_STACK).parent, 0);
    ck_assert_uint_eq(node_at(TRACEMALLOC_DUMP_OVERFLOW_STACK).code, 1);
}
END_TEST

START_TEST(a_node_is_its_parent_code_and_line) {
    open_table();
    uint32_t id = stack_table_node(0, 5, 10);
    ck_assert_uint_eq(stack_table_node(0, 5, 10), id);
    uint32_t child = stack_table_node(id, 5, 10);
    ck_assert_uint_ne(child, id);
    ck_assert_uint_ne(stack_table_node(0, 6, 10), id);
    ck_assert_uint_ne(stack_table_node(0, 5, 11), id);
    ck_assert_uint_ne(stack_table_node(0, 5, 10 | (uint64_t)1 << 32), id);
    ck_assert_uint_eq(node_at(child).parent, id);
    ck_assert_uint_eq(node_at(child).line, 10);
    ck_assert_uint_eq(count(), 7);
}
END_TEST

START_TEST(a_native_address_has_both_halves) {
    open_table();
    uint32_t id = stack_table_node(0, TRACEMALLOC_DUMP_NATIVE | 3, 0x123456789abcu);
    ck_assert_uint_eq(node_at(id).code, TRACEMALLOC_DUMP_NATIVE | 3);
    ck_assert_uint_eq(node_at(id).line, 0x56789abc);
    ck_assert_uint_eq(node_at(id).high, 0x1234);
}
END_TEST

START_TEST(a_parent_comes_before_its_children) {
    uint64_t seed = 5;
    open_table();
    for (int round = 0; round < 30000; round++) {
        uint32_t parent = random_below(&seed, (uint32_t)count());
        if (parent == TRACEMALLOC_DUMP_OVERFLOW_STACK)
            continue;
        uint32_t code = random_below(&seed, 8), line = random_below(&seed, 100);
        uint32_t id = stack_table_node(parent, code, line);
        ck_assert_uint_gt(id, parent);
        ck_assert_uint_eq(node_at(id).parent, parent);
        ck_assert_uint_eq(node_at(id).code, code);
        ck_assert_uint_eq(node_at(id).line, line);
    }
    ck_assert_uint_eq(file.header->lost[TRACEMALLOC_DUMP_LOST_STACKS], 0);
}
END_TEST

START_TEST(a_full_tree_overflows_and_keeps_its_nodes) {
    open_table();
    uint32_t known = stack_table_node(0, 5, 10), id = known;
    for (uint64_t line = 11; id != TRACEMALLOC_DUMP_OVERFLOW_STACK; line++) {
        ck_assert_uint_le(line, (1 << 16) + 11);
        id = stack_table_node(0, 5, line);
    }
    ck_assert_uint_eq(file.header->lost[TRACEMALLOC_DUMP_LOST_STACKS], 1);
    ck_assert_uint_eq(stack_table_node(id, 5, 10), id);
    ck_assert_uint_eq(stack_table_node(0, 5, 10), known);
    ck_assert_uint_eq(stack_table_node(0, 6, 1), TRACEMALLOC_DUMP_OVERFLOW_STACK);
    ck_assert_uint_eq(count(), (1 << 20) / sizeof(struct tracemalloc_dump_stack));
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        the_first_nodes_are_fixed, a_node_is_its_parent_code_and_line,
        a_native_address_has_both_halves, a_parent_comes_before_its_children,
        a_full_tree_overflows_and_keeps_its_nodes};
    return suite_run("stack_table", tests, sizeof tests / sizeof *tests);
}
