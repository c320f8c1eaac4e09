/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "check_run.h"
#include "dump/dump_temporary.h"
#include "export/page_data.h"
#include "opened_dump.h"

static struct dump_maker maker;
static struct filter filter;
static yajl_val document;

static void set_up(void) {
    dump_maker_open(&maker);
}

static void tear_down(void) {
    dump_maker_close(&maker);
    yajl_tree_free(document);
}

static bool hides_source;

static void write_data(struct page_options options) {
    struct page_input input;
    char *text = NULL, error[200];
    size_t size = 0;
    struct dump_reader *reader = opened_dump_read(&maker);
    options.reader = reader;
    reader->hides_source = hides_source;
    options.name = "x.dump";
    options.filter = &filter;
    ck_assert_int_eq(page_input_open(&input, &options), 0);
    FILE *out = open_memstream(&text, &size);
    ck_assert_int_eq(page_data_write(&input, out), 0);
    fclose(out);
    page_input_close(&input);
    dump_reader_close(reader);
    document = yajl_tree_parse(text, error, sizeof error);
    ck_assert_msg(document != NULL, "%s", error);
    free(text);
}

static yajl_val at(const char *first, const char *second, const char *third) {
    const char *path[] = {first, second, third, NULL};
    yajl_val value = yajl_tree_get(document, path, yajl_t_any);
    ck_assert_msg(value != NULL, "no %s", first);
    return value;
}

static void ck_numbers(yajl_val list, size_t count, const long long *expected) {
    ck_assert_uint_eq(YAJL_GET_ARRAY(list)->len, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(YAJL_GET_INTEGER(YAJL_GET_ARRAY(list)->values[i]),
                         expected[i]);
}

static uint32_t add_block(uint32_t live, uint32_t at_exit) {
    uint32_t code = dump_maker_code(&maker, "x.py", "f");
    uint32_t stack = dump_maker_stack(&maker, 0, code, 3);
    return dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), 10, live,
                             at_exit);
}

START_TEST(a_block_at_each_moment) {
    maker.header.finalized = 1;
    uint32_t id = add_block(1, 2);
    struct tracemalloc_dump_bucket *bucket =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_BUCKETS, id);
    for (int i = 0; i < 7; i++)
        ck_assert(!dump_temporary_add(bucket));
    hides_source = true;
    write_data((struct page_options){0});
    ck_assert_uint_eq(YAJL_GET_ARRAY(at("moments", NULL, NULL))->len, 5);
    ck_assert_str_eq(YAJL_GET_STRING(at("moment", NULL, NULL)), "now");
    ck_numbers(at("trees", "calls", "parents"), 2, (long long[]){0, 0});
    ck_numbers(at("trees", "calls", "frames"), 2, (long long[]){0, 3});
    ck_numbers(at("trees", "callers", "entries"), 2, (long long[]){1, 0});
    /* now, peak, exit, end, the temporary blocks, and the allocations */
    ck_numbers(at("trees", "calls", "values"), 11,
               (long long[]){20, 2, 10, 1, 20, 2, 10, 1, 70, 7, 3});
    ck_assert_ptr_null(
        yajl_tree_get(document, (const char *[]){"sources", NULL}, yajl_t_any));
}
END_TEST

START_TEST(the_old_dump_is_behind_the_new) {
    add_block(3, 0);
    struct dump_reader *old = opened_dump_read(&maker);
    add_block(1, 0);
    write_data((struct page_options){.old = old});
    ck_assert_uint_eq(YAJL_GET_ARRAY(at("moments", NULL, NULL))->len, 3);
    ck_numbers(at("trees", "calls", "values"), 14,
               (long long[]){40, 4, 40, 4, 0, 0, 4, 30, 3, 30, 3, 0, 0, 3});
    ck_assert_ptr_nonnull(at("old", NULL, NULL));
    ck_assert_uint_eq(YAJL_GET_ARRAY(at("sources", NULL, NULL))->len, 4);
    dump_reader_close(old);
}
END_TEST

/* A long timeline is thinned, and its highest point stays. */
START_TEST(a_timeline_keeps_its_summit) {
    for (uint64_t i = 0; i < 10000; i++) {
        struct tracemalloc_dump_timeline_sample sample = {
            .time = i * 10000000, .python_bytes = i == 7001 ? 999 : 5};
        dump_maker_append(&maker, TRACEMALLOC_DUMP_TIMELINE, &sample);
    }
    write_data((struct page_options){0});
    yajl_val timeline = at("dump", "timeline", NULL);
    size_t count = YAJL_GET_ARRAY(timeline)->len, summits = 0;
    ck_assert_uint_le(count, 4 * 3001);
    for (size_t i = 1; i < count; i += 4)
        summits += YAJL_GET_INTEGER(YAJL_GET_ARRAY(timeline)->values[i]) == 999;
    ck_assert_uint_eq(summits, 1);
}
END_TEST

START_TEST(an_exit_that_was_not_reached) {
    struct page_input input;
    struct dump_reader *reader = opened_dump_read(&maker);
    const struct page_options options = {
        .reader = reader, .name = "x", .filter = &filter, .point = PROFILE_EXIT};
    ck_assert_int_eq(page_input_open(&input, &options), -ENODATA);
    dump_reader_close(reader);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("page_data");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_block_at_each_moment);
    tcase_add_test(tests, the_old_dump_is_behind_the_new);
    tcase_add_test(tests, a_timeline_keeps_its_summit);
    tcase_add_test(tests, an_exit_that_was_not_reached);
    return check_run("page_data", tests);
}
