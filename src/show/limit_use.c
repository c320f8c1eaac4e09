/* SPDX-License-Identifier: MIT */
#include "show/limit_use.h"

#include <stdio.h>

#include "leak/leak_report.h"
#include "profile/last_sample.h"
#include "profile/statistics.h"

enum { SIZE_TEXT = 32 };

static uint64_t last_resident(const struct dump_reader *reader) {
    size_t count = last_sample_find(reader);
    return count > 0 ? reader->timeline[count - 1].rss_bytes : 0;
}

bool limit_use_find(const struct dump_reader *reader, struct limit_use *use) {
    const struct tracemalloc_dump_header *header = &reader->header;
    *use = (struct limit_use){header->nearest_used, header->nearest_limit,
                              header->nearest_source, false};
    if (use->limit == 0)
        *use = (struct limit_use){last_resident(reader), header->memory_limit,
                                  header->memory_limit_source, true};
    return use->limit != 0 && use->used != 0 && reader->process_count <= 1 &&
           leak_report_limit_name(use->source) != NULL;
}

void limit_use_text(const struct limit_use *use, char text[LIMIT_USE_TEXT_SIZE]) {
    char used[SIZE_TEXT], limit[SIZE_TEXT], left[SIZE_TEXT];
    statistics_format_size(used, sizeof used, (double)use->used, false);
    statistics_format_size(limit, sizeof limit, (double)use->limit, false);
    int length = snprintf(text, LIMIT_USE_TEXT_SIZE, "%s (%s), %s%s when last measured",
                          limit, leak_report_limit_name(use->source),
                          use->is_resident ? "RSS " : "in use ", used);
    if (use->used >= use->limit)
        return;
    statistics_format_size(left, sizeof left, (double)(use->limit - use->used), false);
    snprintf(text + length, (size_t)(LIMIT_USE_TEXT_SIZE - length), ": %s were left",
             left);
}

/* A parent that is not `tracemalloc run` leaves no word of how the process ended. */
static bool was_out_of_memory(const struct dump_reader *reader,
                              const struct limit_use *use) {
    static const double near = 0.8;
    if (reader->header.oom_killed >= 0)
        return reader->header.oom_killed == 1 &&
               (reader->state == TRACEMALLOC_DUMP_SIGNAL ||
                reader->state == DUMP_READER_KILLED);
    return reader->state == DUMP_READER_KILLED &&
           (double)use->used >= near * (double)use->limit;
}

void limit_use_print_end(const struct terminal *terminal,
                         const struct dump_reader *reader, const char *name) {
    struct limit_use use;
    char text[LIMIT_USE_TEXT_SIZE];
    if (!limit_use_find(reader, &use) || !was_out_of_memory(reader, &use))
        return;
    limit_use_text(&use, text);
    terminal_print_line(terminal, TERMINAL_WARNING, "%s%sKilled%s: limit %s",
                        name != NULL ? name : "", name != NULL ? ": " : "",
                        reader->header.oom_killed == 1 ? ", out of memory" : "", text);
}

void limit_use_add_json(struct json_writer *writer, const char *key,
                        const struct dump_reader *reader) {
    struct limit_use use;
    json_writer_key(writer, key);
    if (!limit_use_find(reader, &use)) {
        json_writer_null(writer);
        return;
    }
    json_writer_open_map(writer);
    json_writer_add_unsigned(writer, "bytes", use.limit);
    json_writer_add_word(writer, "source", leak_report_limit_name(use.source));
    json_writer_add_unsigned(writer, "used_bytes", use.used);
    json_writer_key(writer, "used_is_rss");
    json_writer_bool(writer, use.is_resident);
    json_writer_close_map(writer);
}
