/* SPDX-License-Identifier: MIT */
#include "show/census_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const uint64_t second = 1000000000;

void census_report_text(const struct dump_reader *reader,
                        char text[CENSUS_REPORT_SIZE]) {
    const struct tracemalloc_dump_header *header = &reader->header;
    time_t seconds = (time_t)(header->census_time / second);
    char time[40] = "an unknown time";
    struct tm local;
    if (localtime_r(&seconds, &local) != NULL)
        strftime(time, sizeof time, "%F %T", &local);
    bool is_short = header->census_duration < second;
    double duration = (double)header->census_duration / (is_short ? 1e6 : 1e9);
    int length =
        snprintf(text, CENSUS_REPORT_SIZE, "%s; the program stood still for %.*f %s",
                 time, is_short ? 0 : 1, duration, is_short ? "ms" : "s");
    if (header->census_unread > 0)
        snprintf(text + length, (size_t)(CENSUS_REPORT_SIZE - length),
                 "; %" PRIu64 " blocks were not counted", header->census_unread);
}

void census_report_print(const struct terminal *terminal,
                         const struct dump_reader *reader, const char *name) {
    char text[CENSUS_REPORT_SIZE];
    census_report_text(reader, text);
    terminal_print_line(terminal, TERMINAL_STRONG, "%s%sTypes at %s",
                        name != NULL ? name : "", name != NULL ? ": " : "", text);
}

void census_report_add_json(struct json_writer *writer, const char *key,
                            const struct dump_reader *reader) {
    json_writer_key(writer, key);
    json_writer_open_map(writer);
    json_writer_key(writer, "time");
    json_writer_seconds(writer, reader->header.census_time);
    json_writer_key(writer, "duration");
    json_writer_seconds(writer, reader->header.census_duration);
    json_writer_add_unsigned(writer, "uncounted_blocks", reader->header.census_unread);
    json_writer_close_map(writer);
}
