/* SPDX-License-Identifier: MIT */
#include "check_run.h"
#include "dump/dump_sections.h"

/* Reading order: nothing that refers to a section comes after it. */
static unsigned position(unsigned id) {
    for (unsigned i = 0; i < TRACEMALLOC_DUMP_SECTIONS_USED; i++)
        if (dump_sections[i].id == id)
            return i;
    ck_abort_msg("section %u has no row", id);
    return 0;
}

START_TEST(each_section_has_one_row) {
    unsigned seen[TRACEMALLOC_DUMP_SECTIONS_USED] = {0};
    for (unsigned i = 0; i < TRACEMALLOC_DUMP_SECTIONS_USED; i++) {
        ck_assert_uint_lt(dump_sections[i].id, TRACEMALLOC_DUMP_SECTIONS_USED);
        ck_assert_uint_eq(seen[dump_sections[i].id]++, 0);
        ck_assert_uint_gt(dump_sections[i].entry_size, 0);
        ck_assert_ptr_nonnull(dump_sections[i].name);
        ck_assert_ptr_eq(dump_sections_row(dump_sections[i].id), &dump_sections[i]);
    }
}
END_TEST

START_TEST(what_refers_is_read_first) {
    static const unsigned references[][2] = {
        {TRACEMALLOC_DUMP_BUCKETS, TRACEMALLOC_DUMP_SITES},
        {TRACEMALLOC_DUMP_SITES, TRACEMALLOC_DUMP_STACKS},
        {TRACEMALLOC_DUMP_SITES, TRACEMALLOC_DUMP_DOMAINS},
        {TRACEMALLOC_DUMP_SITES, TRACEMALLOC_DUMP_PROCESSES},
        {TRACEMALLOC_DUMP_BUCKETS, TRACEMALLOC_DUMP_EPOCHS},
        {TRACEMALLOC_DUMP_EPOCHS, TRACEMALLOC_DUMP_PROCESSES},
        {TRACEMALLOC_DUMP_STACKS, TRACEMALLOC_DUMP_CODE},
        {TRACEMALLOC_DUMP_STACKS, TRACEMALLOC_DUMP_MODULES},
        {TRACEMALLOC_DUMP_SYMBOLS, TRACEMALLOC_DUMP_MODULES},
        {TRACEMALLOC_DUMP_CODE, TRACEMALLOC_DUMP_STRINGS},
        {TRACEMALLOC_DUMP_MODULES, TRACEMALLOC_DUMP_STRINGS},
        {TRACEMALLOC_DUMP_DOMAINS, TRACEMALLOC_DUMP_STRINGS},
        {TRACEMALLOC_DUMP_PROCESSES, TRACEMALLOC_DUMP_STRINGS},
    };
    for (size_t i = 0; i < sizeof references / sizeof *references; i++)
        ck_assert_uint_lt(position(references[i][0]), position(references[i][1]));
}
END_TEST

/* The rows lead to the fields that the accessors use. */
START_TEST(rows_lead_to_the_fields) {
    struct tracemalloc_dump_bucket buckets[2];
    char strings[8];
    struct dump_reader dump = {
        .buckets = buckets, .bucket_count = 2, .strings = strings, .string_bytes = 8};
    const struct dump_section_row *row = dump_sections_row(TRACEMALLOC_DUMP_BUCKETS);
    ck_assert_ptr_eq(*dump_sections_entries(&dump, row), buckets);
    ck_assert_uint_eq(*dump_sections_count(&dump, row), 2);
    ck_assert_uint_eq(row->entry_size, sizeof *buckets);
    row = dump_sections_row(TRACEMALLOC_DUMP_STRINGS);
    ck_assert_ptr_eq(*dump_sections_entries(&dump, row), strings);
    ck_assert_uint_eq(*dump_sections_count(&dump, row), 8);
    ck_assert_uint_eq(row->entry_size, 1);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("dump_sections");
    tcase_add_test(tests, each_section_has_one_row);
    tcase_add_test(tests, what_refers_is_read_first);
    tcase_add_test(tests, rows_lead_to_the_fields);
    return check_run("dump_sections", tests);
}
