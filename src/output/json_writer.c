/* SPDX-License-Identifier: MIT */
#include "output/json_writer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "output/unicode.h"

static void print(void *out, const char *text, size_t length) {
    fwrite(text, 1, length, out);
}

int json_writer_open(struct json_writer *writer, FILE *out) {
    *writer = (struct json_writer){.gen = yajl_gen_alloc(NULL)};
    if (writer->gen == NULL)
        return -ENOMEM;
    yajl_gen_config(writer->gen, yajl_gen_print_callback, print, out);
    return 0;
}

static void check(struct json_writer *writer, yajl_gen_status status) {
    writer->failed |=
        status != yajl_gen_status_ok && status != yajl_gen_generation_complete;
}

int json_writer_close(struct json_writer *writer) {
    yajl_gen_reset(writer->gen, "\n");
    yajl_gen_free(writer->gen);
    return writer->failed ? -EIO : 0;
}

void json_writer_open_map(struct json_writer *writer) {
    check(writer, yajl_gen_map_open(writer->gen));
}

void json_writer_close_map(struct json_writer *writer) {
    check(writer, yajl_gen_map_close(writer->gen));
}

void json_writer_open_list(struct json_writer *writer) {
    check(writer, yajl_gen_array_open(writer->gen));
}

void json_writer_close_list(struct json_writer *writer) {
    check(writer, yajl_gen_array_close(writer->gen));
}

void json_writer_key(struct json_writer *writer, const char *key) {
    json_writer_word(writer, key);
}

void json_writer_null(struct json_writer *writer) {
    check(writer, yajl_gen_null(writer->gen));
}

void json_writer_bool(struct json_writer *writer, bool value) {
    check(writer, yajl_gen_bool(writer->gen, value));
}

static void write_number(struct json_writer *writer, const char *digits) {
    check(writer, yajl_gen_number(writer->gen, digits, strlen(digits)));
}

void json_writer_unsigned(struct json_writer *writer, uint64_t value) {
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRIu64, value);
    write_number(writer, digits);
}

void json_writer_signed(struct json_writer *writer, int64_t value) {
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, value);
    write_number(writer, digits);
}

void json_writer_seconds(struct json_writer *writer, uint64_t nanoseconds) {
    char digits[40];
    snprintf(digits, sizeof digits, "%" PRIu64 ".%09" PRIu64, nanoseconds / 1000000000u,
             nanoseconds % 1000000000u);
    write_number(writer, digits);
}

static void escape(FILE *out, struct dump_text text) {
    const char *at = text.bytes, *end = at + text.length;
    fputc('"', out);
    while (at < end) {
        uint32_t point = unicode_next(&at, end);
        char bytes[UNICODE_MAX_BYTES];
        if (point < 0x20 || point == '"' || point == '\\' ||
            unicode_is_surrogate(point))
            fprintf(out, "\\u%04" PRIx32, point);
        else
            fwrite(bytes, 1, unicode_put(bytes, point), out);
    }
    fputc('"', out);
}

/* yajl cannot escape a surrogate, so the escaped text is written as if it were a
 * number, which yajl copies unchanged. */
static void write_escaped(struct json_writer *writer, struct dump_text text) {
    char *escaped = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&escaped, &length);
    if (stream == NULL) {
        writer->failed = true;
        return;
    }
    escape(stream, text);
    if (fclose(stream) == 0)
        check(writer, yajl_gen_number(writer->gen, escaped, length));
    else
        writer->failed = true;
    free(escaped);
}

void json_writer_text(struct json_writer *writer, struct dump_text text) {
    if (unicode_is_valid(text.bytes, text.length))
        check(writer, yajl_gen_string(writer->gen, (const unsigned char *)text.bytes,
                                      text.length));
    else
        write_escaped(writer, text);
}

void json_writer_word(struct json_writer *writer, const char *word) {
    if (word == NULL)
        json_writer_null(writer);
    else
        check(writer,
              yajl_gen_string(writer->gen, (const unsigned char *)word, strlen(word)));
}

void json_writer_add_unsigned(struct json_writer *writer, const char *key,
                              uint64_t value) {
    json_writer_key(writer, key);
    json_writer_unsigned(writer, value);
}

void json_writer_add_if_known(struct json_writer *writer, const char *key,
                              bool is_known, uint64_t value) {
    json_writer_key(writer, key);
    if (is_known)
        json_writer_unsigned(writer, value);
    else
        json_writer_null(writer);
}

void json_writer_add_signed(struct json_writer *writer, const char *key,
                            int64_t value) {
    json_writer_key(writer, key);
    json_writer_signed(writer, value);
}

void json_writer_add_word(struct json_writer *writer, const char *key,
                          const char *word) {
    json_writer_key(writer, key);
    json_writer_word(writer, word);
}

/* The locale of numbers is C's: only LC_CTYPE is set. */
void json_writer_add_number(struct json_writer *writer, const char *key, double value) {
    char digits[32];
    snprintf(digits, sizeof digits, "%.6g", value);
    json_writer_key(writer, key);
    write_number(writer, digits);
}
