/* SPDX-License-Identifier: MIT */
#include "check_run.h"
#include "merge/merged_symbols.h"
#include "tracemalloc_dump.h"

START_TEST(by_module_and_address_and_else_as_they_were) {
    struct tracemalloc_dump_symbol entries[] = {
        {.module = 1, .address = 5, .line = 1}, {.module = 0, .address = 9, .line = 2},
        {.module = 1, .address = 3, .line = 3}, {.module = 1, .address = 5, .line = 4},
        {.module = 0, .address = 9, .line = 5},
    };
    static const uint32_t expected[] = {2, 5, 3, 1, 4};
    enum { COUNT = sizeof entries / sizeof *entries };
    struct array array = {entries, COUNT, COUNT, sizeof *entries};
    ck_assert_int_eq(merged_symbols_sort(&array), 0);
    for (int i = 0; i < COUNT; i++)
        ck_assert_uint_eq(entries[i].line, expected[i]);
}
END_TEST

START_TEST(none_at_all) {
    struct array array = {.entry_size = sizeof(struct tracemalloc_dump_symbol)};
    ck_assert_int_eq(merged_symbols_sort(&array), 0);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("merged_symbols");
    tcase_add_test(tests, by_module_and_address_and_else_as_they_were);
    tcase_add_test(tests, none_at_all);
    return check_run("merged_symbols", tests);
}
