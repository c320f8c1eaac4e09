/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "export/pickle_writer.h"

static char *bytes;
static size_t size;
static FILE *stream;
static struct pickle_writer writer;

static void set_up(void) {
    stream = open_memstream(&bytes, &size);
    pickle_writer_begin(&writer, stream);
}

/* `expected` begins behind the opcode for the protocol. */
static void ck_pickle(const char *expected, size_t length) {
    pickle_writer_end(&writer);
    fclose(stream);
    ck_assert_uint_eq(size, length + 3);
    ck_assert_int_eq(memcmp(bytes, "\x80\x04", 2), 0);
    ck_assert_int_eq(memcmp(bytes + 2, expected, length), 0);
    ck_assert_int_eq(bytes[size - 1], '.');
    free(bytes);
}

START_TEST(integers_take_the_least_room) {
    static const char expected[] = "K\xff"
                                   "M\x00\x01"
                                   "J\xff\xff\xff\x7f"
                                   "\x8a\x09\x00\x00\x00\x80\x00\x00\x00\x00\x00";
    pickle_writer_integer(&writer, 255);
    pickle_writer_integer(&writer, 256);
    pickle_writer_integer(&writer, INT32_MAX);
    pickle_writer_integer(&writer, (uint64_t)INT32_MAX + 1);
    ck_pickle(expected, sizeof expected - 1);
}
END_TEST

START_TEST(texts_keep_surrogates) {
    static const char expected[] = "\x8c\x05"
                                   "a\xc3\xa9"
                                   "bc"
                                   "\x8c\x06\xed\xb3\xbf\xed\xb3\xbf";
    pickle_writer_word(&writer, "a\xc3\xa9"
                                "bc");
    pickle_writer_text(&writer, (struct dump_text){"\xed\xb3\xbf\xff", 4});
    ck_pickle(expected, sizeof expected - 1);
}
END_TEST

START_TEST(long_texts_and_far_references) {
    char text[300];
    memset(text, 'x', sizeof text);
    for (uint32_t i = 0; i < 300; i++)
        ck_assert_uint_eq(pickle_writer_memoize(&writer), i);
    pickle_writer_get(&writer, 255);
    pickle_writer_get(&writer, 256);
    pickle_writer_text(&writer, (struct dump_text){text, sizeof text});
    pickle_writer_end(&writer);
    fclose(stream);
    ck_assert_int_eq(
        memcmp(bytes + 302, "h\xffj\x00\x01\x00\x00X\x2c\x01\x00\x00x", 13), 0);
    free(bytes);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("pickle_writer");
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, integers_take_the_least_room);
    tcase_add_test(tests, texts_keep_surrogates);
    tcase_add_test(tests, long_texts_and_far_references);
    return check_run("pickle_writer", tests);
}
