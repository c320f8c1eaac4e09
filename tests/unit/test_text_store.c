/* SPDX-License-Identifier: MIT */
#include "check_run.h"
#include "opened_dump.h"
#include "symbols/text_store.h"

static struct dump_maker maker;
static struct dump_reader *reader;
static struct text_store store;
static uint32_t known, equal;

static void set_up(void) {
    dump_maker_open(&maker);
    known = dump_maker_text(&maker, "known");
    equal = dump_maker_text(&maker, "known");
    reader = opened_dump_read(&maker);
    ck_assert_int_eq(text_store_open(&store, reader), 0);
}

static void tear_down(void) {
    text_store_close(&store);
    dump_reader_close(reader);
    dump_maker_close(&maker);
}

static void ck_text(int64_t id, const char *expected) {
    ck_assert_int_ge(id, 0);
    ck_assert_str_eq(dump_reader_text(reader, (uint32_t)id).bytes, expected);
}

START_TEST(new_texts_follow_those_of_the_dump) {
    int64_t first = text_store_append(&store, "first");
    int64_t second = text_store_append(&store, "second");
    ck_assert_int_eq(text_store_append(&store, NULL), 0);
    ck_assert_int_eq(text_store_install(&store), 0);
    ck_text(known, "known");
    ck_text(first, "first");
    ck_text(second, "second");
    ck_text(0, "");
}
END_TEST

START_TEST(equal_texts_have_one_id) {
    char copy[] = "new";
    ck_assert_int_eq(text_store_know(&store, known), known);
    ck_assert_int_eq(text_store_know(&store, equal), known);
    ck_assert_int_eq(text_store_add(&store, "known"), known);
    int64_t added = text_store_add(&store, "new");
    ck_assert_int_eq(text_store_add(&store, copy), added);
    ck_assert_int_eq(text_store_add(&store, NULL), 0);
    ck_assert_int_eq(text_store_install(&store), 0);
    ck_text(added, "new");
}
END_TEST

START_TEST(no_new_text_changes_nothing) {
    size_t bytes = reader->string_bytes;
    ck_assert_int_eq(text_store_install(&store), 0);
    ck_assert_uint_eq(reader->string_bytes, bytes);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("text_store");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, new_texts_follow_those_of_the_dump);
    tcase_add_test(tests, equal_texts_have_one_id);
    tcase_add_test(tests, no_new_text_changes_nothing);
    return check_run("text_store", tests);
}
