/* SPDX-License-Identifier: MIT */
#include "export/gzip_writer.h"

#include <errno.h>
#include <string.h>

/* The largest window, with gzip's header and trailer around it, as deflateInit2 takes
 * it; memory level 8 is zlib's own choice. */
enum { WINDOW_BITS = 15 + 16, MEMORY_LEVEL = 8 };

int gzip_writer_open(struct gzip_writer *writer, FILE *out) {
    writer->stream = (z_stream){0};
    writer->out = out;
    writer->failed = false;
    writer->waiting = 0;
    int result = deflateInit2(&writer->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                              WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
    return result == Z_OK ? 0 : -ENOMEM;
}

/* Repeats deflate until it leaves space in `output`: then it has consumed all input. */
static void deflate_input(struct gzip_writer *writer, int flush) {
    writer->stream.next_in = writer->input;
    writer->stream.avail_in = (unsigned)writer->waiting;
    do {
        writer->stream.next_out = writer->output;
        writer->stream.avail_out = GZIP_WRITER_BUFFER_SIZE;
        if (deflate(&writer->stream, flush) == Z_STREAM_ERROR)
            writer->failed = true;
        fwrite(writer->output, 1, GZIP_WRITER_BUFFER_SIZE - writer->stream.avail_out,
               writer->out);
    } while (writer->stream.avail_out == 0);
    writer->waiting = 0;
}

void gzip_writer_put(struct gzip_writer *writer, const void *bytes, size_t size) {
    const uint8_t *at = bytes;
    while (size > 0) {
        size_t left = GZIP_WRITER_BUFFER_SIZE - writer->waiting;
        size_t part = size < left ? size : left;
        memcpy(writer->input + writer->waiting, at, part);
        writer->waiting += part;
        at += part;
        size -= part;
        if (writer->waiting == GZIP_WRITER_BUFFER_SIZE)
            deflate_input(writer, Z_NO_FLUSH);
    }
}

int gzip_writer_close(struct gzip_writer *writer) {
    deflate_input(writer, Z_FINISH);
    if (deflateEnd(&writer->stream) != Z_OK)
        writer->failed = true;
    return writer->failed ? -EIO : 0;
}
