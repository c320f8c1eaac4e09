/* SPDX-License-Identifier: MIT */
#include "export/script_stream.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>

enum { BUFFER_SIZE = 1 << 16 };

/* The JSON is UTF-8, and one write may end in the middle of a character. */
struct script_stream {
    FILE *out;
    uint32_t point;   /* the bits of the character that were written so far */
    unsigned missing; /* bytes of the character that were not yet written */
};

static void put_unit(FILE *out, uint32_t unit) {
    fprintf(out, "\\u%04" PRIx32, unit);
}

static void put_point(FILE *out, uint32_t point) {
    if (point < 0x10000) {
        put_unit(out, point);
        return;
    }
    put_unit(out, 0xd800 + ((point - 0x10000) >> 10));
    put_unit(out, 0xdc00 + (point & 0x3ff));
}

static void begin_point(struct script_stream *stream, unsigned char byte) {
    stream->missing = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
    stream->point = byte & (0x3fu >> stream->missing);
}

static void continue_point(struct script_stream *stream, unsigned char byte) {
    stream->point = stream->point << 6 | (byte & 0x3f);
    if (--stream->missing == 0)
        put_point(stream->out, stream->point);
}

static void put_byte(struct script_stream *stream, unsigned char byte) {
    if (byte >= 0xc0)
        begin_point(stream, byte);
    else if (byte >= 0x80)
        continue_point(stream, byte);
    else if (byte == '<' || byte == 0x7f)
        put_unit(stream->out, byte);
    else
        putc_unlocked(byte, stream->out);
}

static ssize_t write_bytes(void *cookie, const char *bytes, size_t size) {
    struct script_stream *stream = cookie;
    for (size_t i = 0; i < size; i++)
        put_byte(stream, (unsigned char)bytes[i]);
    return (ssize_t)size;
}

static int close_stream(void *cookie) {
    free(cookie);
    return 0;
}

FILE *script_stream_open(FILE *out) {
    struct script_stream *stream = malloc(sizeof *stream);
    if (stream == NULL)
        return NULL;
    *stream = (struct script_stream){.out = out};
    cookie_io_functions_t functions = {.write = write_bytes, .close = close_stream};
    FILE *file = fopencookie(stream, "w", functions);
    if (file == NULL)
        free(stream);
    else
        setvbuf(file, NULL, _IOFBF, BUFFER_SIZE);
    return file;
}
