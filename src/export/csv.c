/* SPDX-License-Identifier: MIT */
/* Writes comma-separated values (RFC 4180, lines end with \n): what each line of code
 * holds in each domain. */
#include <inttypes.h>
#include <string.h>

#include "export/exporter.h"
#include "export/plain_text.h"
#include "export/trace_table.h"
#include "output/unicode.h"

/* A spreadsheet evaluates a cell that begins with one of these, unless a quote precedes
 * it. */
static const char formula_starts[] = {'=', '+', '-', '@', '\t', '\r', '\n'};

static void put_text(FILE *out, struct dump_text text) {
    const char *at = text.bytes, *end = at + text.length;
    putc_unlocked('"', out);
    if (at < end && memchr(formula_starts, *at, sizeof formula_starts) != NULL)
        putc_unlocked('\'', out);
    while (at < end) {
        uint32_t point = unicode_next(&at, end);
        char bytes[PLAIN_TEXT_MAX_BYTES];
        if (point == '"')
            putc_unlocked('"', out);
        fwrite(bytes, 1, plain_text_put(bytes, point), out);
    }
    putc_unlocked('"', out);
}

static void put_row(FILE *out, struct trace_table *table, const struct trace *trace) {
    uint32_t count;
    const uint32_t *window = trace_table_window(table, trace, &count);
    const struct named_frame *frame = &table->frames.frames[*window];
    fprintf(out, "%" PRIu32 ",%" PRIu64 ",%" PRIu64 ",",
            trace_table_domain(table, trace), trace->shown.size, trace->shown.count);
    put_text(out, frame_table_filename(&table->frames, frame));
    fprintf(out, ",%" PRIu32 ",", frame->line);
    put_text(out, frame_table_function(&table->frames, frame));
    if (table->input->by_process)
        fprintf(out, ",%" PRIu32, trace_table_pid(table, trace));
    if (table->input->shown.total.estimated)
        fprintf(out, ",%.0f,%" PRIu64, weight_error(trace->shown),
                trace->shown.sampled);
    putc_unlocked('\n', out);
}

static int write_file(struct export_input *input, FILE *out) {
    struct trace_table table;
    unsigned keys = TRACE_KEY_LEAF | TRACE_KEY_DOMAIN;
    int error = trace_table_open(&table, input,
                                 input->by_process ? keys | TRACE_KEY_PROCESS : keys);
    if (error < 0)
        return error;
    fputs("domain,size,count,filename,lineno,function", out);
    fputs(input->by_process ? ",pid" : "", out);
    fputs(input->shown.total.estimated ? ",size_error,sampled_blocks\n" : "\n", out);
    for (size_t i = 0; i < table.count; i++)
        put_row(out, &table, &table.traces[i]);
    trace_table_close(&table);
    return 0;
}

const struct exporter export_csv = {
    .name = "csv",
    .extension = "csv",
    .summary = "what each line of code holds, for spreadsheets",
    .only_leaf = true,
    .write = write_file,
};
