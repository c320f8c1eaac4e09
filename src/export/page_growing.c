/* SPDX-License-Identifier: MIT */
#include "export/page_growing.h"

#include "show/leaks_json.h"

enum { MAX_ENTRIES = 10, MILLISECOND = 1000000 };

static void write_survival(struct json_writer *writer, const struct leak_entry *entry,
                           uint64_t start) {
    const struct leak_time *time = &entry->time;
    json_writer_key(writer, "times");
    json_writer_open_list(writer);
    for (unsigned i = 0; i <= time->count; i++)
        json_writer_unsigned(writer, time->starts[i] > start
                                         ? (time->starts[i] - start) / MILLISECOND
                                         : 0);
    json_writer_close_list(writer);
    json_writer_key(writer, "alive");
    json_writer_open_list(writer);
    for (unsigned i = 0; i < time->count; i++)
        json_writer_unsigned(writer, entry->born[i]);
    json_writer_close_list(writer);
}

void page_growing_write(const struct page_input *input, struct json_writer *writer) {
    const struct leak_report *report = &input->leaks;
    uint64_t start = input->options->reader->header.start_time;
    json_writer_key(writer, "growing");
    json_writer_open_list(writer);
    for (size_t i = 0; i < report->count && i < MAX_ENTRIES; i++) {
        json_writer_open_map(writer);
        json_writer_key(writer, "entry");
        leaks_json_add_entry(writer, report, &input->names, &report->entries[i]);
        write_survival(writer, &report->entries[i], start);
        json_writer_close_map(writer);
    }
    json_writer_close_list(writer);
}
