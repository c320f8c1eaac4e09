/* SPDX-License-Identifier: MIT */
/* Writes all traces as one JSON object, in which a traceback is a list of indices of
 * frames. */
#include "export/exporter.h"
#include "export/trace_document.h"
#include "output/json_writer.h"
#include "show/births_report.h"
#include "show/json_frame.h"
#include "show/json_report.h"

enum { SCHEMA_VERSION = 1 };

static void add_pids(struct json_writer *writer, const struct export_input *input) {
    json_writer_add_unsigned(writer, "pid", input->reader->header.pid);
    json_writer_key(writer, "pids");
    json_writer_open_list(writer);
    for (uint32_t i = 0; i < input->reader->process_count; i++)
        json_writer_unsigned(writer, export_input_pid(input, i));
    json_writer_close_list(writer);
}

static void add_frame(struct json_writer *writer, const struct trace_table *traces,
                      const struct named_frame *frame) {
    const struct frame_table *table = &traces->frames;
    const struct json_frame shown = {
        .filename = frame_table_filename(table, frame),
        .function = frame_table_function(table, frame),
        .line = frame->line,
        .native = frame->native,
        .has_source = frame->has_source,
        .has_address = true,
        .address = frame->address,
        .module = frame->native ? trace_table_module(traces, frame)
                                : (struct dump_text){"", 0},
    };
    json_frame_add(writer, &shown);
}

static void add_frames(struct json_writer *writer, const struct trace_table *traces) {
    const struct frame_table *table = &traces->frames;
    json_writer_key(writer, "frames");
    json_writer_open_list(writer);
    for (size_t i = 0; i < table->ids.count; i++)
        add_frame(writer, traces, &table->frames[i]);
    json_writer_close_list(writer);
}

static void add_trace(struct json_writer *writer, struct trace_table *table,
                      const struct trace *trace) {
    uint32_t count;
    const uint32_t *frames = trace_table_window(table, trace, &count);
    json_writer_open_map(writer);
    json_writer_add_unsigned(writer, "domain", trace_table_domain(table, trace));
    if (table->input->by_process)
        json_writer_add_unsigned(writer, "pid", trace_table_pid(table, trace));
    json_report_add_weight(writer, trace->shown);
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
    json_writer_add_unsigned(writer, "version", SCHEMA_VERSION);
    add_pids(writer, input);
    json_writer_add_word(writer, "at", input->point_name);
    births_report_add_json(writer, "born", input->reader);
    json_report_add_completeness(writer, input->reader, NULL);
    json_writer_key(writer, "total");
    json_writer_open_map(writer);
    json_report_add_weight(writer, input->shown.total);
    json_writer_close_map(writer);
    add_frames(writer, table);
    json_writer_key(writer, "traces");
    json_writer_open_list(writer);
    for (size_t i = 0; i < table->count; i++)
        add_trace(writer, table, &table->traces[i]);
    json_writer_close_list(writer);
    json_writer_close_map(writer);
}

static int write_file(struct export_input *input, FILE *out) {
    return trace_document_write(input, out, TRACE_KEY_DOMAIN, write_document);
}

const struct exporter export_json = {
    .name = "json",
    .extension = "json",
    .summary = "every traceback, for scripts",
    .write = write_file,
};
