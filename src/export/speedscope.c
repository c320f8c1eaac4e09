/* SPDX-License-Identifier: MIT */
/* Writes a file for https://www.speedscope.app: sampled profiles with a common list of
 * frames, in which each traceback is a sample. Its `weights` are bytes or blocks. */
#include <inttypes.h>

#include "export/exporter.h"
#include "export/trace_document.h"
#include "output/json_writer.h"
#include "show/births_report.h"
#include "show/sampling.h"

enum measure { BYTES, BLOCKS };

static uint64_t measured(struct weight weight, enum measure measure) {
    return measure == BYTES ? weight.size : weight.count;
}

static void add_frame(struct json_writer *writer, const struct frame_table *table,
                      const struct named_frame *frame) {
    json_writer_open_map(writer);
    json_writer_key(writer, "name");
    json_writer_text(writer, frame_table_label(table, frame));
    json_writer_key(writer, "file");
    json_writer_text(writer, frame_table_filename(table, frame));
    if (frame->line > 0)
        json_writer_add_unsigned(writer, "line", frame->line);
    json_writer_close_map(writer);
}

/* If processes are separate, each is a frame, after those of the table. */
static size_t process_frame(const struct trace_table *table,
                            const struct trace *trace) {
    return table->frames.ids.count + table->contexts[trace->context].process;
}

static void add_processes(struct json_writer *writer,
                          const struct export_input *input) {
    for (uint32_t i = 0; i < input->reader->process_count; i++) {
        char name[32];
        snprintf(name, sizeof name, "process %" PRIu32, export_input_pid(input, i));
        json_writer_open_map(writer);
        json_writer_add_word(writer, "name", name);
        json_writer_close_map(writer);
    }
}

static void add_samples(struct json_writer *writer, struct trace_table *table) {
    json_writer_key(writer, "samples");
    json_writer_open_list(writer);
    for (size_t i = 0; i < table->count; i++) {
        uint32_t count;
        const uint32_t *frames = trace_table_window(table, &table->traces[i], &count);
        json_writer_open_list(writer);
        if (table->input->by_process)
            json_writer_unsigned(writer, process_frame(table, &table->traces[i]));
        for (uint32_t k = 0; k < count; k++)
            json_writer_unsigned(writer, frames[k]);
        json_writer_close_list(writer);
    }
    json_writer_close_list(writer);
}

static void add_name(struct json_writer *writer, const struct dump_reader *reader,
                     const char *measure) {
    char sampling[SAMPLING_TEXT_SIZE], births[BIRTHS_REPORT_SIZE];
    char name[SAMPLING_TEXT_SIZE + BIRTHS_REPORT_SIZE + 16];
    bool sampled = sampling_describe(reader, sampling);
    bool is_part = births_report_text(reader, births);
    snprintf(name, sizeof name, "%s%s%s%s%s%s", measure, is_part ? " " : "", births,
             sampled ? " (" : "", sampling, sampled ? ")" : "");
    json_writer_add_word(writer, "name", name);
}

static void add_profile(struct json_writer *writer, struct trace_table *table,
                        enum measure measure) {
    json_writer_open_map(writer);
    json_writer_add_word(writer, "type", "sampled");
    add_name(writer, table->input->reader, measure == BYTES ? "bytes" : "blocks");
    json_writer_add_word(writer, "unit", measure == BYTES ? "bytes" : "none");
    json_writer_add_unsigned(writer, "startValue", 0);
    json_writer_add_unsigned(writer, "endValue",
                             measured(table->input->shown.total, measure));
    add_samples(writer, table);
    json_writer_key(writer, "weights");
    json_writer_open_list(writer);
    for (size_t i = 0; i < table->count; i++)
        json_writer_unsigned(writer, measured(table->traces[i].shown, measure));
    json_writer_close_list(writer);
    json_writer_close_map(writer);
}

static void write_document(struct json_writer *writer, struct trace_table *table) {
    json_writer_open_map(writer);
    json_writer_add_word(writer, "$schema",
                         "https://www.speedscope.app/file-format-schema.json");
    json_writer_add_word(writer, "exporter", "libtracemalloc");
    json_writer_add_unsigned(writer, "activeProfileIndex", 0);
    json_writer_key(writer, "shared");
    json_writer_open_map(writer);
    json_writer_key(writer, "frames");
    json_writer_open_list(writer);
    for (size_t i = 0; i < table->frames.ids.count; i++)
        add_frame(writer, &table->frames, &table->frames.frames[i]);
    if (table->input->by_process)
        add_processes(writer, table->input);
    json_writer_close_list(writer);
    json_writer_close_map(writer);
    json_writer_key(writer, "profiles");
    json_writer_open_list(writer);
    add_profile(writer, table, BYTES);
    add_profile(writer, table, BLOCKS);
    json_writer_close_list(writer);
    json_writer_close_map(writer);
}

static int write_file(struct export_input *input, FILE *out) {
    return trace_document_write(input, out, 0, write_document);
}

const struct exporter export_speedscope = {
    .name = "speedscope",
    .extension = "speedscope.json",
    .summary = "for https://www.speedscope.app, bytes and blocks",
    .write = write_file,
};
