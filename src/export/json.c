/* SPDX-License-Identifier: MIT */
/* All traces as one JSON object: frames by number, tracebacks as lists of them. */
#include "export/exporter.h"
#include "export/trace_table.h"
#include "report/json_report.h"
#include "report/json_writer.h"

enum { SCHEMA_VERSION = 1 };

static void add_unsigned(struct json_writer *writer, const char *key, uint64_t value) {
    json_writer_key(writer, key);
    json_writer_unsigned(writer, value);
}

static void add_weight(struct json_writer *writer, struct weight weight) {
    add_unsigned(writer, "size", weight.size);
    add_unsigned(writer, "count", weight.count);
}

static void add_pids(struct json_writer *writer, const struct export_input *input) {
    add_unsigned(writer, "pid", input->reader->header.pid);
    json_writer_key(writer, "pids");
    json_writer_open_list(writer);
    for (uint32_t i = 0; i < input->reader->process_count; i++)
        json_writer_unsigned(writer, export_input_pid(input, i));
    json_writer_close_list(writer);
}

static void add_frame(struct json_writer *writer, const struct frame_table *table,
                      const struct named_frame *frame) {
    struct dump_text function = frame_table_function(table, frame);
    json_writer_open_map(writer);
    json_writer_key(writer, "filename");
    json_writer_text(writer, frame_table_filename(table, frame));
    add_unsigned(writer, "lineno", frame->line);
    json_writer_key(writer, "function");
    if (function.length > 0)
        json_writer_text(writer, function);
    else
        json_writer_null(writer);
    json_writer_close_map(writer);
}

static void add_frames(struct json_writer *writer, const struct frame_table *table) {
    json_writer_key(writer, "frames");
    json_writer_open_list(writer);
    for (size_t i = 0; i < table->ids.count; i++)
        add_frame(writer, table, &table->frames[i]);
    json_writer_close_list(writer);
}

static void add_trace(struct json_writer *writer, struct trace_table *table,
                      const struct trace *trace) {
    uint32_t count;
    const uint32_t *frames = trace_table_window(table, trace, &count);
    json_writer_open_map(writer);
    add_unsigned(writer, "domain", trace_table_domain(table, trace));
    if (table->input->by_process)
        add_unsigned(writer, "pid", trace_table_pid(table, trace));
    add_weight(writer, trace->shown);
    json_writer_key(writer, "stack");
    json_writer_open_list(writer);
    for (uint32_t i = 0; i < count; i++)
        json_writer_unsigned(writer, frames[i]);
    json_writer_close_list(writer);
    json_writer_close_map(writer);
}

static void write_document(struct json_writer *writer, struct trace_table *table) {
    const struct export_input *input = table->input;
    json_writer_open_map(writer);
    add_unsigned(writer, "version", SCHEMA_VERSION);
    add_pids(writer, input);
    json_writer_key(writer, "at");
    json_writer_word(writer, input->moment_name);
    json_report_add_completeness(writer, input->reader, NULL);
    json_writer_key(writer, "total");
    json_writer_open_map(writer);
    add_weight(writer, input->shown.total);
    json_writer_close_map(writer);
    add_frames(writer, &table->frames);
    json_writer_key(writer, "traces");
    json_writer_open_list(writer);
    for (size_t i = 0; i < table->count; i++)
        add_trace(writer, table, &table->traces[i]);
    json_writer_close_list(writer);
    json_writer_close_map(writer);
}

static int write_file(struct export_input *input, FILE *out) {
    struct trace_table table;
    struct json_writer writer;
    unsigned keys = TRACE_KEY_DOMAIN;
    int error = trace_table_open(&table, input,
                                 input->by_process ? keys | TRACE_KEY_PROCESS : keys);
    if (error < 0)
        return error;
    error = json_writer_open(&writer, out);
    if (error == 0) {
        write_document(&writer, &table);
        error = json_writer_close(&writer);
    }
    trace_table_close(&table);
    return error;
}

const struct exporter export_json = {
    .name = "json",
    .extension = "json",
    .summary = "every traceback, for scripts",
    .write = write_file,
};
