/* SPDX-License-Identifier: MIT */
/* Writes JSON to a stream, incrementally. For offline code; one thread at a time; write
 * errors stay in the stream.
 *
 * Texts of dumps need not be valid UTF-8: a surrogate, and an invalid byte (see
 * output/unicode.h), is written as \udcXX, as Python's json module does for the same
 * name.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <yajl/yajl_gen.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"

struct json_writer {
    yajl_gen gen;
    bool failed; /* out of memory, or values in a wrong order */
};

must_check int json_writer_open(struct json_writer *writer, FILE *out);

/* Ends the document with a newline. 0, or -EIO if `failed`. */
must_check int json_writer_close(struct json_writer *writer);

void json_writer_open_map(struct json_writer *writer);
void json_writer_close_map(struct json_writer *writer);
void json_writer_open_list(struct json_writer *writer);
void json_writer_close_list(struct json_writer *writer);
void json_writer_key(struct json_writer *writer, const char *key);

void json_writer_null(struct json_writer *writer);
void json_writer_bool(struct json_writer *writer, bool value);
void json_writer_unsigned(struct json_writer *writer, uint64_t value);
void json_writer_signed(struct json_writer *writer, int64_t value);
/* Writes nanoseconds as seconds with a fraction. */
void json_writer_seconds(struct json_writer *writer, uint64_t nanoseconds);
void json_writer_text(struct json_writer *writer, struct dump_text text);
/* Writes a constant ASCII text; NULL as null. */
void json_writer_word(struct json_writer *writer, const char *word);

/* Write a key and its value. */
void json_writer_add_unsigned(struct json_writer *writer, const char *key,
                              uint64_t value);
/* As json_writer_add_unsigned, but null if the value is not known. */
void json_writer_add_if_known(struct json_writer *writer, const char *key,
                              bool is_known, uint64_t value);
void json_writer_add_signed(struct json_writer *writer, const char *key, int64_t value);
void json_writer_add_word(struct json_writer *writer, const char *key,
                          const char *word);
void json_writer_add_number(struct json_writer *writer, const char *key, double value);
