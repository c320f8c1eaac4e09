/* SPDX-License-Identifier: MIT */
#include "show/leaks_json.h"

#include "show/json_report.h"
#include "show/completeness.h"

enum { MAX_FRAMES = 100 };

static void add_frame(struct json_writer *writer, const struct frame_names *names,
                      struct frame frame) {
    json_writer_open_map(writer);
    json_writer_key(writer, "filename");
    json_writer_text(writer, names->texts[frame.name]);
    json_writer_add_unsigned(writer, "lineno", frame.line);
    json_writer_close_map(writer);
}

static void add_text(struct json_writer *writer, const char *key,
                     struct dump_text text) {
    json_writer_key(writer, key);
    if (text.length > 0)
        json_writer_text(writer, text);
    else
        json_writer_null(writer);
}

/* The window of the Python frames, the oldest first. */
static void add_traceback(struct json_writer *writer, const struct leak_entry *entry) {
    const struct dump_reader *reader = entry->profile->reader;
    uint32_t window[MAX_FRAMES], count = 0, nframe = reader->header.nframe;
    nframe = nframe < MAX_FRAMES ? nframe : MAX_FRAMES;
    for (uint32_t id = entry->stack; id != 0 && count < nframe;
         id = reader->stacks[id].parent)
        if ((reader->stacks[id].code & TRACEMALLOC_DUMP_NATIVE) == 0)
            window[count++] = id;
    json_writer_key(writer, "traceback");
    json_writer_open_list(writer);
    while (count > 0)
        json_report_add_frame(writer, entry->profile, window[--count]);
    json_writer_close_list(writer);
}

static void add_lines(struct json_writer *writer, const struct frame_names *names,
                      const struct leak_entry *entry) {
    json_writer_key(writer, "lines");
    json_writer_open_list(writer);
    for (size_t i = 0; i < entry->line_count; i++)
        add_frame(writer, names, entry->lines[i]);
    json_writer_close_list(writer);
    json_writer_key(writer, "allocated_in");
    add_frame(writer, names, entry->allocated_in);
}

/* By process, if there are several. */
static void add_processes(struct json_writer *writer, const struct leak_report *report,
                          const struct leak_entry *entry) {
    json_writer_key(writer, "by_process");
    json_writer_open_list(writer);
    for (uint32_t i = 0; i < report->processes && report->processes > 1; i++) {
        json_writer_open_map(writer);
        json_writer_add_unsigned(writer, "pid", report->pids[i]);
        json_writer_add_number(writer, "growth_bytes_per_second",
                               leak_report_process_rate(entry, i));
        json_writer_close_map(writer);
    }
    json_writer_close_list(writer);
}

void leaks_json_add_entry(struct json_writer *writer, const struct leak_report *report,
                          const struct frame_names *names,
                          const struct leak_entry *entry) {
    json_writer_open_map(writer);
    json_writer_key(writer, "file");
    json_writer_text(writer, names->texts[entry->frame.name]);
    json_writer_add_unsigned(writer, "line", entry->frame.line);
    add_text(writer, "function", entry->function);
    json_writer_key(writer, "verdict");
    json_writer_bool(writer, entry->word >= LEAK_BACKLOG);
    json_writer_add_word(writer, "word", leak_report_word(entry->word));
    json_writer_add_number(writer, "growth_bytes_per_second", entry->bytes_rate);
    json_writer_add_number(writer, "growth_blocks_per_second", entry->blocks_rate);
    json_writer_key(writer, "since");
    json_writer_seconds(writer, entry->since);
    json_writer_add_number(writer, "share", entry->share);
    json_writer_add_number(writer, "oldest_seconds", entry->oldest_seconds);
    json_writer_add_number(writer, "freed_late_share", entry->freed_late_share);
    json_writer_add_unsigned(writer, "live_bytes", entry->live_bytes);
    json_writer_add_unsigned(writer, "live_blocks", entry->live_blocks);
    json_writer_add_unsigned(writer, "processes", entry->processes);
    add_processes(writer, report, entry);
    add_traceback(writer, entry);
    add_lines(writer, names, entry);
    json_writer_close_map(writer);
}

/* Null if the processes were watched too short for a rate. */
static void add_rate(struct json_writer *writer, const struct leak_report *report,
                     const char *key, double rate) {
    if (leak_report_has_rates(report)) {
        json_writer_add_number(writer, key, rate);
        return;
    }
    json_writer_key(writer, key);
    json_writer_null(writer);
}

static void add_limit(struct json_writer *writer, const struct leak_report *report) {
    json_writer_key(writer, "limit");
    if (report->limit == 0) {
        json_writer_null(writer);
        return;
    }
    json_writer_open_map(writer);
    json_writer_add_unsigned(writer, "bytes", report->limit);
    json_writer_add_word(writer, "source", leak_report_source(report));
    json_writer_close_map(writer);
}

static void add_forecast(struct json_writer *writer, const struct leak_report *report) {
    json_writer_key(writer, "forecast");
    if (!report->has_forecast) {
        json_writer_null(writer);
        return;
    }
    json_writer_open_map(writer);
    json_writer_add_number(writer, "from", report->forecast_from);
    json_writer_add_number(writer, "to", report->forecast_to);
    json_writer_close_map(writer);
}

static void add_completeness(struct json_writer *writer,
                             const struct leaks_document *document) {
    char text[COMPLETENESS_TEXT_SIZE];
    bool complete = true;
    json_writer_key(writer, "incomplete_reasons");
    json_writer_open_list(writer);
    for (int i = 0; i < document->reader_count; i++) {
        const struct dump_reader *reader = document->readers[i];
        complete &= completeness_holds(reader);
        for (size_t at = 0; completeness_next(reader, &at, text);)
            json_writer_word(writer, text);
    }
    json_writer_close_list(writer);
    json_writer_key(writer, "complete");
    json_writer_bool(writer, complete);
}

static void add_change(struct json_writer *writer, const struct frame_names *names,
                       const struct leak_change *change) {
    json_writer_open_map(writer);
    json_writer_key(writer, "file");
    json_writer_text(writer, names->texts[change->frame.name]);
    json_writer_add_unsigned(writer, "line", change->frame.line);
    json_writer_add_signed(writer, "growth_bytes", change->bytes);
    json_writer_add_signed(writer, "growth_blocks", change->blocks);
    json_writer_close_map(writer);
}

static void add_copies(struct json_writer *writer,
                       const struct leaks_document *document) {
    json_writer_key(writer, "copies");
    json_writer_open_list(writer);
    for (int i = 0; i < document->copies_count; i++) {
        const struct leak_copies *copies = &document->copies[i];
        json_writer_open_map(writer);
        json_writer_add_unsigned(writer, "pid", copies->pid);
        json_writer_add_number(writer, "seconds", copies->seconds);
        json_writer_add_signed(writer, "growth_bytes", copies->total.bytes);
        json_writer_add_signed(writer, "growth_blocks", copies->total.blocks);
        json_writer_add_signed(writer, "rss_growth_bytes", copies->rss_bytes);
        json_writer_key(writer, "lines");
        json_writer_open_list(writer);
        for (size_t j = 0; j < copies->count && copies->changes[j].bytes > 0; j++)
            add_change(writer, document->names, &copies->changes[j]);
        json_writer_close_list(writer);
        json_writer_close_map(writer);
    }
    json_writer_close_list(writer);
}

int leaks_json_print(FILE *out, const struct leaks_document *document) {
    const struct leak_report *report = document->report;
    struct json_writer writer;
    int error = json_writer_open(&writer, out);
    if (error < 0)
        return error;
    json_writer_open_map(&writer);
    add_completeness(&writer, document);
    json_writer_add_unsigned(&writer, "processes", report->processes);
    json_writer_add_unsigned(&writer, "processes_too_short", report->brief);
    json_writer_add_number(&writer, "watched_seconds", report->watched_seconds);
    add_limit(&writer, report);
    json_writer_add_unsigned(&writer, "rss_bytes", report->rss.bytes);
    add_rate(&writer, report, "rss_bytes_per_second", report->rss.rate);
    add_forecast(&writer, report);
    json_writer_key(&writer, "leaks");
    json_writer_open_list(&writer);
    for (size_t i = 0; i < report->count; i++)
        leaks_json_add_entry(&writer, report, document->names, &report->entries[i]);
    json_writer_close_list(&writer);
    json_writer_key(&writer, "not_explained");
    json_writer_open_map(&writer);
    add_rate(&writer, report, "rss_bytes_per_second", report->unexplained_rate);
    add_rate(&writer, report, "traced_bytes_per_second", report->unlisted_rate);
    add_rate(&writer, report, "untraced_bytes_per_second", report->untraced_rate);
    json_writer_close_map(&writer);
    add_copies(&writer, document);
    json_writer_close_map(&writer);
    return json_writer_close(&writer);
}
