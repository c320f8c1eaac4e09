/* SPDX-License-Identifier: MIT */
#include "trace/site_table.h"

#include "suite.h"
#include "trace/stack_table.h"

static struct dump_file file;

static struct tracemalloc_dump_site *site_at(uint32_t id) {
    return (struct tracemalloc_dump_site *)file.base[TRACEMALLOC_DUMP_SITES] + id;
}

static uint64_t count(void) {
    return file.header->sections[TRACEMALLOC_DUMP_SITES].count;
}

/* Stacks 2 to 9, each below the one before it. */
static void open_table(void) {
    ck_assert_int_eq(dump_file_open(&file, 4 << 20), 0);
    ck_assert_int_eq(stack_table_open(&file), 0);
    ck_assert_int_eq(site_table_open(&file), 0);
    for (uint32_t stack = 2; stack < 10; stack++)
        ck_assert_uint_eq(stack_table_node(stack == 2 ? 0 : stack - 1, 5, 1), stack);
}

static uint32_t add(uint32_t stack, uint32_t domain, uint64_t blocks) {
    uint32_t id = site_table_find(stack, domain);
    ck_assert_uint_ne(id, 0);
    site_at(id)->total_blocks += blocks;
    site_at(id)->total_bytes += blocks * 10;
    return id;
}

static void expect(uint32_t stack, uint32_t domain, uint64_t blocks) {
    const struct tracemalloc_dump_site *site = site_at(site_table_find(stack, domain));
    ck_assert_uint_eq(site->stack, stack);
    ck_assert_uint_eq(site->domain, domain);
    ck_assert_uint_eq(site->total_blocks, blocks);
    ck_assert_uint_eq(site->total_bytes, blocks * 10);
}

/* The stacks from `first` on go, as trace/reclaim.h has it. */
static void recycle_from(uint32_t first) {
    struct tracemalloc_dump_stack *stacks = (void *)file.base[TRACEMALLOC_DUMP_STACKS];
    struct id_set going, ids;
    ck_assert_int_eq(id_set_open(&going, 10), 0);
    ck_assert_int_eq(id_set_open(&ids, count()), 0);
    id_set_fill(&going, first);
    for (uint32_t stack = first; stack < 10; stack++)
        stacks[stack].parent = first == 2 ? 0 : first - 1;
    site_table_reclaim(&going, &ids);
    id_set_close(&going);
}

START_TEST(a_site_is_its_stack_and_domain) {
    open_table();
    uint32_t id = site_table_find(5, 0);
    ck_assert_uint_ne(id, 0);
    ck_assert_uint_eq(site_table_find(5, 0), id);
    ck_assert_uint_ne(site_table_find(5, 1), id);
    ck_assert_uint_ne(site_table_find(6, 0), id);
    ck_assert_uint_ne(site_table_find(0, 0), 0);
}
END_TEST

START_TEST(what_dead_code_allocated_is_its_callers) {
    open_table();
    add(3, 0, 1);
    add(4, 0, 10);
    add(7, 0, 100);
    add(7, 1, 1000);
    add(8, 1, 10000);
    add(5, 2, 0);
    recycle_from(4);
    expect(3, 0, 111);
    expect(3, 1, 11000);
    expect(3, 2, 0);
}
END_TEST

START_TEST(the_empty_stack_is_the_last_caller) {
    open_table();
    add(9, 1, 7);
    recycle_from(2);
    expect(TRACEMALLOC_DUMP_EMPTY_STACK, 1, 7);
}
END_TEST

START_TEST(rooms_are_used_again) {
    open_table();
    expect(TRACEMALLOC_DUMP_OVERFLOW_STACK, 0, 0);
    for (int round = 0; round < 50; round++) {
        for (uint32_t stack = 3; stack < 10; stack++)
            add(stack, 0, 1);
        recycle_from(3);
        expect(2, 0, 7 * (uint64_t)(round + 1));
    }
    ck_assert_uint_le(count(), 4 + 8);
    expect(TRACEMALLOC_DUMP_OVERFLOW_STACK, 0, 0);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_site_is_its_stack_and_domain,
        what_dead_code_allocated_is_its_callers,
        the_empty_stack_is_the_last_caller,
        rooms_are_used_again,
    };
    return suite_run("site_table", tests, sizeof tests / sizeof *tests);
}
