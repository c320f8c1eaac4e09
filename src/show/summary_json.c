/* SPDX-License-Identifier: MIT */
#include "profile/heap_history.h"
#include "show/summary_json.h"

#include <stdlib.h>

#include "show/dump_info.h"
#include "show/json_report.h"
#include "show/leaks_json.h"
#include "show/process_list.h"

static const char *const view_names[SUMMARY_VIEWS] = {
    [SUMMARY_NOW] = "now",
    [SUMMARY_PEAK] = "peak",
    [SUMMARY_ALLOCATED] = "allocated",
};

static void add_weight(struct json_writer *writer, const char *key,
                       struct weight weight) {
    json_writer_key(writer, key);
    json_writer_open_map(writer);
    json_report_add_weight(writer, weight);
    json_writer_close_map(writer);
}

static void add_program(struct json_writer *writer, const struct summary *summary) {
    char ending[DUMP_INFO_TEXT_SIZE * 2];
    const struct tracemalloc_dump_header *header = &summary->reader->header;
    dump_info_ending(summary->reader, ending);
    json_writer_add_word(writer, "ending", ending);
    json_writer_key(writer, "start_time");
    json_writer_seconds(writer, header->start_time);
    json_writer_key(writer, "end_time");
    if (header->end_time != 0)
        json_writer_seconds(writer, header->end_time);
    else
        json_writer_null(writer);
    for (int view = 0; view < SUMMARY_VIEWS; view++)
        add_weight(writer, view == SUMMARY_NOW ? "total" : view_names[view],
                   summary->profiles[view].total);
    add_weight(writer, "imports", summary->imports);
}

static void add_processes(struct json_writer *writer, const struct summary *summary) {
    struct process_share *shares = process_list_shares(&summary->profiles[SUMMARY_NOW]);
    json_writer_key(writer, "processes");
    json_writer_open_list(writer);
    for (size_t i = 0; shares != NULL && i < summary->reader->process_count; i++) {
        json_writer_open_map(writer);
        process_list_add_json(writer, summary->reader, shares[i].process);
        json_report_add_weight(writer, shares[i].weight);
        json_writer_close_map(writer);
    }
    json_writer_close_list(writer);
    writer->failed |= shares == NULL;
    free(shares);
}

static void add_timeline(struct json_writer *writer, const struct dump_reader *reader) {
    json_writer_key(writer, "timeline");
    json_writer_open_list(writer);
    for (size_t i = 0; i < reader->timeline_count; i++) {
        const struct tracemalloc_dump_timeline_sample *sample = &reader->timeline[i];
        json_writer_open_map(writer);
        json_writer_key(writer, "time");
        json_writer_seconds(writer, sample->time);
        json_writer_add_unsigned(writer, "python_bytes", sample->python_bytes);
        json_writer_add_unsigned(writer, "native_bytes", sample->native_bytes);
        json_writer_add_unsigned(writer, "rss_bytes", sample->rss_bytes);
        json_writer_close_map(writer);
    }
    json_writer_close_list(writer);
}

/* The most recent frame of a stack, as a traceback of one. */
static void add_traceback(struct json_writer *writer, const struct profile *profile,
                          uint32_t stack) {
    json_writer_key(writer, "traceback");
    json_writer_open_list(writer);
    json_report_add_frame(writer, profile, stack);
    json_writer_close_list(writer);
}

static void add_top(struct json_writer *writer, const struct statistics *top) {
    json_writer_open_list(writer);
    for (size_t i = 0; i < top->shown; i++) {
        json_writer_open_map(writer);
        json_report_add_weight(writer, top->entries[i].weight);
        add_traceback(writer, top->grouping->profile, top->entries[i].stack);
        json_writer_close_map(writer);
    }
    json_writer_close_list(writer);
}

static void add_tops(struct json_writer *writer, const struct summary *summary) {
    json_writer_key(writer, "top");
    json_writer_open_map(writer);
    for (int view = 0; view < SUMMARY_VIEWS; view++) {
        json_writer_key(writer, view_names[view]);
        add_top(writer, &summary->tops[view]);
    }
    json_writer_close_map(writer);
}

static void add_blocks(struct json_writer *writer, const struct summary *summary) {
    json_writer_key(writer, "largest_blocks");
    json_writer_open_list(writer);
    for (size_t i = 0; i < summary->largest_count; i++) {
        const struct summary_block *block = &summary->largest[i];
        json_writer_open_map(writer);
        json_report_add_weight(
            writer, (struct weight){.size = block->size, .count = block->count});
        add_traceback(writer, &summary->profiles[SUMMARY_NOW], block->stack);
        json_writer_close_map(writer);
    }
    json_writer_close_list(writer);
}

static void add_classes(struct json_writer *writer, const struct summary *summary) {
    json_writer_key(writer, "sizes");
    json_writer_open_list(writer);
    for (size_t i = 0; i < SUMMARY_CLASSES; i++) {
        json_writer_open_map(writer);
        json_writer_key(writer, "up_to");
        if (i + 1 < SUMMARY_CLASSES)
            json_writer_unsigned(writer, summary_class_limit(i));
        else
            json_writer_null(writer);
        json_report_add_weight(writer, summary->classes[i]);
        json_writer_close_map(writer);
    }
    json_writer_close_list(writer);
}

static void add_leak(struct json_writer *writer, const struct summary *summary) {
    const struct leak_report *report = &summary->leaks;
    json_writer_key(writer, "leak");
    if (report->count > 0)
        leaks_json_add_entry(writer, report, &summary->names, &report->entries[0]);
    else
        json_writer_null(writer);
}

void summary_json_add(struct json_writer *writer, const struct summary *summary) {
    add_program(writer, summary);
    add_processes(writer, summary);
    add_timeline(writer, summary->reader);
    add_tops(writer, summary);
    add_blocks(writer, summary);
    add_classes(writer, summary);
    resident_add_json(writer, "rss", &summary->rss);
    uint64_t peak =
        heap_history_peak(summary->reader, summary->profiles[SUMMARY_NOW].total.size);
    json_writer_add_if_known(writer, "peak_bytes",
                             peak > 0 || summary->reader->process_count == 1, peak);
    add_leak(writer, summary);
    json_writer_add_word(writer, "next", summary->advice);
    json_report_add_completeness(writer, summary->reader, NULL);
}
