/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "output/json_writer.h"

static char *document;
static size_t size;
static FILE *stream;
static struct json_writer writer;

static void set_up(void) {
    stream = open_memstream(&document, &size);
    ck_assert_int_eq(json_writer_open(&writer, stream), 0);
}

static void ck_document(const char *expected) {
    ck_assert_int_eq(json_writer_close(&writer), 0);
    fclose(stream);
    ck_assert_str_eq(document, expected);
    free(document);
}

static void put_text(const char *bytes) {
    json_writer_text(&writer, (struct dump_text){bytes, strlen(bytes)});
}

START_TEST(values) {
    json_writer_open_map(&writer);
    json_writer_key(&writer, "a");
    json_writer_open_list(&writer);
    json_writer_null(&writer);
    json_writer_bool(&writer, true);
    json_writer_unsigned(&writer, UINT64_MAX);
    json_writer_signed(&writer, INT64_MIN);
    json_writer_seconds(&writer, 1700000000000000001u);
    json_writer_word(&writer, "word");
    json_writer_word(&writer, NULL);
    json_writer_close_list(&writer);
    json_writer_close_map(&writer);
    ck_document("{\"a\":[null,true,18446744073709551615,-9223372036854775808,"
                "1700000000.000000001,\"word\",null]}\n");
}
END_TEST

START_TEST(texts_are_always_valid) {
    json_writer_open_list(&writer);
    put_text("caf\xc3\xa9 \"\\\n");
    put_text("\xed\xb3\xbf and \xff \"\\\n");
    json_writer_close_list(&writer);
    ck_document("[\"caf\xc3\xa9 \\\"\\\\\\n\",\"\\udcff and \\udcff "
                "\\u0022\\u005c\\u000a\"]\n");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("json_writer");
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, values);
    tcase_add_test(tests, texts_are_always_valid);
    return check_run("json_writer", tests);
}
