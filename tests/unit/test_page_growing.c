/* SPDX-License-Identifier: MIT */
#include "export/page_growing.h"

#include <stdlib.h>
#include <yajl/yajl_tree.h>

#include "opened_dump.h"
#include "suite.h"

enum { EPOCHS = 48, LINES = 12, MAX_ENTRIES = 10 };
static const uint64_t second = 1000000000, start = 1700000000000000000u;

static struct dump_maker maker;
static struct filter filter;
static yajl_val document;

static void begin(void) {
    dump_maker_open(&maker);
    maker.header.start_time = start;
    maker.header.end_time = start + EPOCHS * second;
    for (uint32_t i = 0; i < EPOCHS; i++)
        dump_maker_epoch(&maker, start + i * second, i + 1);
}

/* Blocks that were born in each epoch from the third on, in a rhythm of the line's. */
static void keep_each(uint32_t line, uint64_t size) {
    uint32_t code = dump_maker_code(&maker, "app.py", "work");
    uint32_t stack = dump_maker_stack(&maker, 0, code, line);
    uint32_t site = dump_maker_site(&maker, stack, 0), random = line;
    for (uint32_t epoch = 2; epoch < EPOCHS; epoch++) {
        random = random * 1103515245 + 12345;
        uint32_t count = 1 + (random >> 16) % 9;
        uint32_t id = dump_maker_bucket(&maker, site, size, count, 0);
        struct tracemalloc_dump_bucket *bucket =
            dump_maker_entry(&maker, TRACEMALLOC_DUMP_BUCKETS, id);
        bucket->birth = (uint8_t)epoch;
        bucket->stamp = epoch + 1;
    }
}

static yajl_val write_growing(void) {
    struct dump_reader *reader = opened_dump_read_shown(&maker);
    const struct page_options options = {
        .reader = reader, .name = "x.dump", .filter = &filter};
    struct page_input input;
    struct json_writer writer;
    char *text = NULL, error[200];
    size_t size = 0;
    ck_assert_int_eq(page_input_open(&input, &options), 0);
    FILE *out = open_memstream(&text, &size);
    ck_assert_int_eq(json_writer_open(&writer, out), 0);
    json_writer_open_map(&writer);
    page_growing_write(&input, &writer);
    json_writer_close_map(&writer);
    ck_assert_int_eq(json_writer_close(&writer), 0);
    fclose(out);
    page_input_close(&input);
    dump_reader_close(reader);
    document = yajl_tree_parse(text, error, sizeof error);
    ck_assert_msg(document != NULL, "%s", error);
    free(text);
    return yajl_tree_get(document, (const char *[]){"growing", NULL}, yajl_t_array);
}

static yajl_val item(yajl_val list, size_t i) {
    return YAJL_GET_ARRAY(list)->values[i];
}

static yajl_val get(yajl_val map, const char *key) {
    return yajl_tree_get(map, (const char *[]){key, NULL}, yajl_t_any);
}

static void end(void) {
    yajl_tree_free(document);
    dump_maker_close(&maker);
}

START_TEST(an_entry_has_its_survival) {
    begin();
    keep_each(7, 100);
    yajl_val growing = write_growing();
    ck_assert_uint_eq(YAJL_GET_ARRAY(growing)->len, 1);
    yajl_val first = item(growing, 0);
    ck_assert_int_eq(YAJL_GET_INTEGER(get(get(first, "entry"), "line")), 7);
    yajl_val times = get(first, "times"), alive = get(first, "alive");
    ck_assert_uint_eq(YAJL_GET_ARRAY(times)->len, EPOCHS + 1);
    ck_assert_uint_eq(YAJL_GET_ARRAY(alive)->len, EPOCHS);
    ck_assert_int_eq(YAJL_GET_INTEGER(item(times, 0)), 0);
    ck_assert_int_eq(YAJL_GET_INTEGER(item(times, EPOCHS)), EPOCHS * 1000);
    ck_assert_int_eq(YAJL_GET_INTEGER(item(alive, 1)), 0);
    ck_assert_int_ge(YAJL_GET_INTEGER(item(alive, 2)), 1);
    end();
}
END_TEST

START_TEST(the_worst_are_enough) {
    begin();
    for (uint32_t i = 1; i <= LINES; i++)
        keep_each(i, 100 * i);
    yajl_val growing = write_growing();
    ck_assert_uint_eq(YAJL_GET_ARRAY(growing)->len, MAX_ENTRIES);
    end();
}
END_TEST

START_TEST(without_epochs_nothing_grows) {
    dump_maker_open(&maker);
    ck_assert_uint_eq(YAJL_GET_ARRAY(write_growing())->len, 0);
    end();
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        an_entry_has_its_survival,
        the_worst_are_enough,
        without_epochs_nothing_grows,
    };
    return suite_run("page_growing", tests, sizeof tests / sizeof *tests);
}
