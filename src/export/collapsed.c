/* SPDX-License-Identifier: MIT */
/* Writes one line for each traceback: its frames, outermost first and separated by
 * semicolons, and the bytes that it holds.
 *
 *   <module> (app.py:12);load (app.py:7) 4096
 *
 * If processes are separate, they are the outermost frames.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "export/exporter.h"
#include "export/plain_text.h"
#include "export/trace_table.h"
#include "output/unicode.h"

/* Prevents that a small damaged file leads to a huge export. */
static const uint64_t max_bytes = (uint64_t)1 << 32;

/* The texts of the frames, one after the other. */
struct frame_texts {
    char *bytes;
    size_t size;
    size_t *ends; /* by frame */
};

/* Characters that would end a frame or a line are percent-encoded. */
static void put_text(FILE *out, struct dump_text text) {
    const char *at = text.bytes, *end = at + text.length;
    while (at < end) {
        uint32_t point = unicode_next(&at, end);
        char bytes[PLAIN_TEXT_MAX_BYTES];
        if (point < ' ' || point == ';' || point == '%' || point == 0x7f)
            fprintf(out, "%%%02" PRIX32, point);
        else
            fwrite(bytes, 1, plain_text_put(bytes, point), out);
    }
}

static void put_frame(FILE *out, const struct frame_table *table,
                      const struct named_frame *frame) {
    put_text(out, frame_table_label(table, frame));
    if (frame_table_function(table, frame).length == 0 && frame->line == 0)
        return;
    fputs(" (", out);
    put_text(out, frame_table_filename(table, frame));
    if (frame->line > 0 || !frame->native)
        fprintf(out, ":%" PRIu32, frame->line);
    putc(')', out);
}

static int fill_texts(struct frame_texts *texts, const struct frame_table *table) {
    size_t count = table->ids.count;
    texts->ends = calloc(count + 1, sizeof *texts->ends);
    FILE *stream = open_memstream(&texts->bytes, &texts->size);
    if (texts->ends == NULL || stream == NULL) {
        if (stream != NULL)
            fclose(stream);
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        put_frame(stream, table, &table->frames[i]);
        texts->ends[i] = (size_t)ftell(stream);
    }
    return fclose(stream) == 0 ? 0 : -ENOMEM;
}

/* Returns the length of the line. */
static size_t put_line(FILE *out, const struct frame_texts *texts,
                       const uint32_t *frames, uint32_t count, uint64_t bytes) {
    size_t length = 0;
    for (uint32_t i = 0; i < count; i++) {
        size_t start = frames[i] == 0 ? 0 : texts->ends[frames[i] - 1];
        if (i > 0)
            putc_unlocked(';', out);
        length += texts->ends[frames[i]] - start + 1;
        fwrite_unlocked(texts->bytes + start, 1, texts->ends[frames[i]] - start, out);
    }
    return length + (size_t)fprintf(out, " %" PRIu64 "\n", bytes);
}

static int put_lines(struct trace_table *table, const struct frame_texts *texts,
                     FILE *out) {
    uint64_t written = 0;
    for (size_t i = 0; i < table->count && written <= max_bytes; i++) {
        const struct trace *trace = &table->traces[i];
        uint32_t count;
        const uint32_t *frames = trace_table_window(table, trace, &count);
        if (table->input->by_process)
            fprintf(out, "process %" PRIu32 ";", trace_table_pid(table, trace));
        written += put_line(out, texts, frames, count, trace->shown.size);
    }
    return written > max_bytes ? -EFBIG : 0;
}

static int write_file(struct export_input *input, FILE *out) {
    struct trace_table table;
    struct frame_texts texts = {0};
    int error =
        trace_table_open(&table, input, input->by_process ? TRACE_KEY_PROCESS : 0);
    if (error < 0)
        return error;
    error = fill_texts(&texts, &table.frames);
    if (error == 0)
        error = put_lines(&table, &texts, out);
    free(texts.bytes);
    free(texts.ends);
    trace_table_close(&table);
    return error;
}

const struct exporter export_collapsed = {
    .name = "collapsed",
    .extension = "txt",
    .summary = "one line for each stack, for flamegraph.pl and similar tools",
    .write = write_file,
};
