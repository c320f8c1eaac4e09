/* SPDX-License-Identifier: MIT */
#include "trace/name_table.h"

#include <stdlib.h>
#include <string.h>

#include "suite.h"

static struct dump_file file;

static void open_table(uint64_t max_size) {
    ck_assert_int_eq(dump_file_open(&file, max_size), 0);
    ck_assert_int_eq(name_table_open(&file), 0);
}

static uint64_t count_of(unsigned section) {
    return file.header->sections[section].count;
}

static uint32_t length_of(tracemalloc_dump_string id) {
    uint32_t length;
    memcpy(&length, file.base[TRACEMALLOC_DUMP_STRINGS] + id, sizeof length);
    return length;
}

static const char *text_of(tracemalloc_dump_string id) {
    return (const char *)file.base[TRACEMALLOC_DUMP_STRINGS] + id + 4;
}

static struct tracemalloc_dump_code code_of(uint32_t id) {
    return ((struct tracemalloc_dump_code *)file.base[TRACEMALLOC_DUMP_CODE])[id];
}

static tracemalloc_dump_string add(const char *text) {
    return name_table_string(text, strlen(text));
}

START_TEST(the_first_entries_are_fixed) {
    open_table(1 << 20);
    ck_assert_uint_eq(length_of(0), 0);
    ck_assert_uint_eq(add(""), 0);
    ck_assert_uint_eq(count_of(TRACEMALLOC_DUMP_CODE), 2);
    ck_assert_uint_eq(code_of(0).filename, 0);
    ck_assert_str_eq(text_of(code_of(1).filename), "<overflow>");
    ck_assert_str_eq(text_of(code_of(1).name), "<overflow>");
}
END_TEST

START_TEST(strings_are_stored_once_and_padded) {
    open_table(1 << 20);
    static const char *const texts[] = {"a", "ab", "abc", "abcd", "a\xed\xb2\x80"};
    for (size_t at = 0; at < sizeof texts / sizeof *texts; at++) {
        tracemalloc_dump_string id = add(texts[at]);
        ck_assert_uint_gt(id, 0);
        ck_assert_uint_eq(id % 4, 0);
        ck_assert_uint_eq(length_of(id), strlen(texts[at]));
        ck_assert_str_eq(text_of(id), texts[at]);
        ck_assert_uint_eq(count_of(TRACEMALLOC_DUMP_STRINGS) % 4, 0);
        uint64_t before = count_of(TRACEMALLOC_DUMP_STRINGS);
        ck_assert_uint_eq(add(texts[at]), id);
        ck_assert_uint_eq(count_of(TRACEMALLOC_DUMP_STRINGS), before);
    }
}
END_TEST

START_TEST(bytes_may_hold_anything) {
    open_table(1 << 20);
    tracemalloc_dump_string arguments = name_table_string("a\0b\0", 4);
    ck_assert_uint_ne(arguments, name_table_string("a\0c\0", 4));
    ck_assert_uint_eq(length_of(arguments), 4);
    ck_assert_mem_eq(text_of(arguments), "a\0b\0", 5);
}
END_TEST

START_TEST(many_strings) {
    char text[32];
    tracemalloc_dump_string ids[20000];
    open_table(16 << 20);
    for (int at = 0; at < 20000; at++) {
        snprintf(text, sizeof text, "name_%d", at);
        ids[at] = add(text);
    }
    for (int at = 0; at < 20000; at++) {
        snprintf(text, sizeof text, "name_%d", at);
        ck_assert_uint_eq(add(text), ids[at]);
        ck_assert_str_eq(text_of(ids[at]), text);
    }
    ck_assert_uint_eq(file.header->lost[TRACEMALLOC_DUMP_LOST_NAMES], 0);
}
END_TEST

START_TEST(equal_code_has_one_id) {
    open_table(1 << 20);
    tracemalloc_dump_string filename = add("a.py"), name = add("f");
    uint32_t id = name_table_code(filename, name, 3);
    ck_assert_uint_eq(id, 2);
    ck_assert_uint_eq(name_table_code(filename, name, 3), id);
    ck_assert_uint_ne(name_table_code(filename, name, 4), id);
    ck_assert_uint_ne(name_table_code(name, filename, 3), id);
    ck_assert_uint_eq(code_of(id).first_line, 3);
    ck_assert_uint_eq(count_of(TRACEMALLOC_DUMP_CODE), 5);
}
END_TEST

START_TEST(a_full_table_says_so) {
    char *text = calloc(1, 100000);
    open_table(1 << 20);
    uint32_t stored = 0;
    for (; stored < 100; stored++) {
        memset(text, 'a' + (int)stored % 26, 99000 + stored);
        if (name_table_string(text, 99000 + stored) == add("<no room>"))
            break;
    }
    ck_assert_uint_ne(add("<no room>"), 0);
    ck_assert_uint_ge(stored, 8);
    ck_assert_uint_le(stored, 10);
    ck_assert_uint_eq(file.header->lost[TRACEMALLOC_DUMP_LOST_NAMES], 1);
    for (uint32_t line = 0; name_table_code(4, 4, line) != 1; line++)
        ck_assert_uint_lt(line, 1 << 20);
    ck_assert_uint_eq(file.header->lost[TRACEMALLOC_DUMP_LOST_NAMES], 2);
    ck_assert_uint_eq(name_table_code(4, 4, 0), 2);
    free(text);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        the_first_entries_are_fixed, strings_are_stored_once_and_padded,
        bytes_may_hold_anything,     many_strings,
        equal_code_has_one_id,       a_full_table_says_so};
    return suite_run("name_table", tests, sizeof tests / sizeof *tests);
}
