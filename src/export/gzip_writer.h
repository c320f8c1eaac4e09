/* SPDX-License-Identifier: MIT */
/* Writes a gzip file (RFC 1952) to a stream, without name or time, so that equal data
 * gives an equal file.
 *
 * For offline code; allocates; one thread at a time. Write errors are left in the
 * stream.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <zlib.h>

#include "base/compiler.h"

enum { GZIP_WRITER_BUFFER_SIZE = 1 << 16 };

struct gzip_writer {
    z_stream stream;
    FILE *out;
    bool failed;
    size_t waiting; /* bytes in `input`, which exists because zlib is slow with few */
    uint8_t input[GZIP_WRITER_BUFFER_SIZE];
    uint8_t output[GZIP_WRITER_BUFFER_SIZE];
};

/* 0 or -ENOMEM. */
must_check int gzip_writer_open(struct gzip_writer *writer, FILE *out);

void gzip_writer_put(struct gzip_writer *writer, const void *bytes, size_t size);

/* Ends the file and frees the memory. 0 or -EIO. */
must_check int gzip_writer_close(struct gzip_writer *writer);
