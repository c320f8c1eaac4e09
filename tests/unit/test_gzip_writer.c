/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "export/gzip_writer.h"

enum { SIZE = 1000003, PIECE = 7919 };

/* Does not compress to nothing, so that the output fills its buffer too. */
static uint8_t *make_bytes(void) {
    uint8_t *bytes = malloc(SIZE);
    uint32_t state = 1;
    for (size_t i = 0; i < SIZE; i++) {
        state = state * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(state >> 24);
    }
    return bytes;
}

static char *compress_all(const uint8_t *bytes, size_t size, size_t *length) {
    static struct gzip_writer writer;
    char *compressed;
    FILE *stream = open_memstream(&compressed, length);
    ck_assert_int_eq(gzip_writer_open(&writer, stream), 0);
    for (size_t at = 0; at < size; at += PIECE)
        gzip_writer_put(&writer, bytes + at, size - at < PIECE ? size - at : PIECE);
    ck_assert_int_eq(gzip_writer_close(&writer), 0);
    fclose(stream);
    return compressed;
}

static void ck_inflates(char *compressed, size_t length, const uint8_t *bytes,
                        size_t size) {
    uint8_t *out = malloc(size + 1);
    z_stream stream = {.next_in = (uint8_t *)compressed,
                       .avail_in = (unsigned)length,
                       .next_out = out,
                       .avail_out = (unsigned)size + 1};
    ck_assert_int_eq(inflateInit2(&stream, 15 + 16), Z_OK);
    ck_assert_int_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
    ck_assert_uint_eq(stream.total_out, size);
    ck_assert_uint_eq(stream.avail_in, 0);
    inflateEnd(&stream);
    if (size > 0)
        ck_assert_mem_eq(out, bytes, size);
    free(out);
}

START_TEST(what_was_put_comes_out) {
    size_t length;
    uint8_t *bytes = make_bytes();
    char *compressed = compress_all(bytes, SIZE, &length);
    ck_inflates(compressed, length, bytes, SIZE);
    free(compressed);
    free(bytes);
}
END_TEST

START_TEST(nothing_is_a_file_too) {
    size_t length;
    char *compressed = compress_all(NULL, 0, &length);
    ck_inflates(compressed, length, NULL, 0);
    free(compressed);
}
END_TEST

START_TEST(the_header_holds_no_time) {
    size_t length;
    char *compressed = compress_all(NULL, 0, &length);
    ck_assert_mem_eq(compressed, "\x1f\x8b\x08\0\0\0\0\0", 8);
    free(compressed);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("gzip_writer");
    tcase_add_test(tests, what_was_put_comes_out);
    tcase_add_test(tests, nothing_is_a_file_too);
    tcase_add_test(tests, the_header_holds_no_time);
    return check_run("gzip_writer", tests);
}
