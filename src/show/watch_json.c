/* SPDX-License-Identifier: MIT */
#include "show/watch_json.h"

#include <string.h>

#include "output/json_writer.h"
#include "show/dump_json.h"
#include "show/json_report.h"

static void add_text(struct json_writer *writer, const char *key, const char *text) {
    json_writer_key(writer, key);
    json_writer_text(writer, (struct dump_text){text, strlen(text)});
}

static void add_rate(struct json_writer *writer, const char *key,
                     const struct leak_report *report, double rate) {
    if (leak_report_has_rates(report))
        json_writer_add_number(writer, key, rate);
    else
        json_writer_add_word(writer, key, NULL);
}

/* The line that grows most; null: none does. */
static void add_growth(struct json_writer *writer, const struct leak_report *report) {
    json_writer_key(writer, "grows");
    if (report->count == 0) {
        json_writer_null(writer);
        return;
    }
    const struct leak_entry *entry = &report->entries[0];
    json_writer_open_map(writer);
    json_writer_add_word(writer, "word", leak_report_word(entry->word));
    json_writer_key(writer, "file");
    json_writer_text(writer, profile_filename(entry->profile, entry->frame));
    json_writer_add_unsigned(writer, "line", entry->frame.line);
    json_writer_key(writer, "function");
    json_writer_text(writer, entry->function);
    json_writer_add_number(writer, "growth_bytes_per_second", entry->bytes_rate);
    json_writer_close_map(writer);
}

static void add_dump(struct json_writer *writer, const struct watch_row *row,
                     const struct dump_reader *reader,
                     const struct leak_report *report) {
    dump_json_add_program(writer, reader);
    dump_json_add_ending(writer, reader);
    add_text(writer, "ending", row->state);
    json_writer_key(writer, "running");
    json_writer_bool(writer, row->runs);
    json_writer_add_unsigned(writer, "traced_bytes", row->bytes);
    json_writer_add_unsigned(writer, "rss_bytes", row->rss);
    add_growth(writer, report);
    add_rate(writer, "traced_bytes_per_second", report, report->rss.traced_rate);
    add_rate(writer, "rss_bytes_per_second", report, report->rss.rate);
    json_report_add_completeness(writer, reader, NULL);
}

int watch_json_print(FILE *out, const struct watch_row *row, uint64_t time,
                     const struct dump_reader *reader,
                     const struct leak_report *report) {
    struct json_writer writer;
    int error = json_writer_open(&writer, out);
    if (error < 0)
        return error;
    json_writer_open_map(&writer);
    json_writer_key(&writer, "time");
    json_writer_seconds(&writer, time);
    add_text(&writer, "dump", row->file);
    if (reader != NULL)
        add_dump(&writer, row, reader, report);
    else
        add_text(&writer, "error", row->state);
    json_writer_close_map(&writer);
    return json_writer_close(&writer);
}
