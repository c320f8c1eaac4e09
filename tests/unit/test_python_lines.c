/* SPDX-License-Identifier: MIT */
/* Line tables made by hand for each format, and damaged ones at the end of a page, so
 * that a read past them would crash. */
#include "check_run.h"
#include "stack/python/python_lines.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int find(enum python_line_format format, const void *table, size_t length,
                int offset) {
    struct python_line_scan scan;
    python_lines_open(&scan, table, length, 100);
    return python_lines_find(format, &scan, offset);
}

/* Each search goes on where the one before ended, or starts again. */
START_TEST(searches_in_any_order_find_the_same) {
    static uint8_t table[400];
    srand(7);
    for (int format = 0; format <= PYTHON_LINES_LOCATIONS; format++) {
        struct python_line_scan scan;
        for (size_t at = 0; at < sizeof table; at++)
            table[at] = (uint8_t)rand();
        python_lines_open(&scan, table, sizeof table, 100);
        for (int i = 0; i < 1000; i++) {
            int offset = rand() % 1500 - 1;
            ck_assert_int_eq(python_lines_find(format, &scan, offset),
                             find(format, table, sizeof table, offset));
        }
    }
}
END_TEST

START_TEST(lnotab_takes_the_last_entry_that_has_begun) {
    /* line 100 from 0, 102 from 4, 101 from 10, 105 from 12 */
    const int8_t table[] = {4, 2, 6, -1, 2, 4};
    const int expected[] = {100, 100, 102, 102, 102, 101, 105, 105};

    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(find(PYTHON_LINES_LNOTAB, table, sizeof(table), 2 * i),
                         expected[i]);
}
END_TEST

START_TEST(lnotab_adds_steps_that_do_not_fit_one_entry) {
    const uint8_t table[] = {255, 0, 45, 127, 0, 73};

    ck_assert_int_eq(find(PYTHON_LINES_LNOTAB, table, sizeof(table), 298), 100);
    ck_assert_int_eq(find(PYTHON_LINES_LNOTAB, table, sizeof(table), 300), 300);
}
END_TEST

START_TEST(linetable_knows_ranges_without_a_line) {
    /* 101 for 4 bytes, none for 2, 99 for 6, an empty range, 103 for 2 */
    const int8_t table[] = {4, 1, 2, -128, 6, -2, 0, 2, 2, 2};
    const int expected[] = {101, 101, 0, 99, 99, 99, 103, 0};

    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(find(PYTHON_LINES_LINETABLE, table, sizeof(table), 2 * i),
                         expected[i]);
}
END_TEST

START_TEST(locations_reads_each_kind_of_entry) {
    const uint8_t table[] = {
        0x80 | 0 << 3 | 1,
        0x12, /* short: same line, 2 units */
        0x80 | 10 << 3 | 0,
        1,
        2, /* same line, with columns */
        0x80 | 11 << 3 | 0,
        1,
        2, /* next line */
        0x80 | 12 << 3 | 0,
        1,
        2, /* two lines on */
        0x80 | 13 << 3 | 0,
        5, /* no columns: -2 */
        0x80 | 14 << 3 | 0,
        40 | 64,
        1 + 2, /* long: (40 + 3 * 64) / 2 on */
        0,
        1,
        1,                  /* its end line and columns */
        0x80 | 15 << 3 | 0, /* no line */
        0x80 | 10 << 3 | 0,
        1,
        2,
    };
    const int expected[] = {100, 100, 100, 101, 103, 101, 101 + 116, 0, 217, 0};

    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(find(PYTHON_LINES_LOCATIONS, table, sizeof(table), 2 * i),
                         expected[i]);
}
END_TEST

START_TEST(before_the_first_instruction_is_the_first_line) {
    const uint8_t table[] = {0x80 | 15 << 3, 4};

    for (int format = 0; format <= PYTHON_LINES_LOCATIONS; format++) {
        ck_assert_int_eq(find(format, table, 2, -1), 100);
        struct python_line_scan scan;
        python_lines_open(&scan, table, 2, -7);
        ck_assert_int_eq(python_lines_find(format, &scan, -1), 0);
    }
}
END_TEST

START_TEST(an_empty_table_is_no_line_but_in_lnotab) {
    ck_assert_int_eq(find(PYTHON_LINES_LNOTAB, "", 0, 4), 100);
    ck_assert_int_eq(find(PYTHON_LINES_LINETABLE, "", 0, 4), 0);
    ck_assert_int_eq(find(PYTHON_LINES_LOCATIONS, "", 0, 4), 0);
}
END_TEST

START_TEST(damaged_tables_are_not_read_past_their_end) {
    enum { PAGE = 4096, ROUNDS = 20000 };
    uint8_t *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(pages, MAP_FAILED);
    ck_assert_int_eq(mprotect(pages + PAGE, PAGE, PROT_NONE), 0);
    srand(1);
    for (int round = 0; round < ROUNDS; round++) {
        size_t length = (size_t)rand() % 40;
        uint8_t *table = pages + PAGE - length;

        for (size_t i = 0; i < length; i++)
            table[i] = (uint8_t)(rand() % 3 ? rand() : 0xff);
        for (int format = 0; format <= PYTHON_LINES_LOCATIONS; format++)
            ck_assert_int_ge(find(format, table, length, rand() % 2 ? INT_MAX : 30), 0);
    }
    munmap(pages, 2 * PAGE);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("python_lines");
    tcase_add_test(tests, searches_in_any_order_find_the_same);
    tcase_add_test(tests, lnotab_takes_the_last_entry_that_has_begun);
    tcase_add_test(tests, lnotab_adds_steps_that_do_not_fit_one_entry);
    tcase_add_test(tests, linetable_knows_ranges_without_a_line);
    tcase_add_test(tests, locations_reads_each_kind_of_entry);
    tcase_add_test(tests, before_the_first_instruction_is_the_first_line);
    tcase_add_test(tests, an_empty_table_is_no_line_but_in_lnotab);
    tcase_add_test(tests, damaged_tables_are_not_read_past_their_end);
    return check_run("python_lines", tests);
}
