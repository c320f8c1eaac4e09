/* SPDX-License-Identifier: MIT */
#include "show/births_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "profile/births.h"

enum { TIME_TEXT = 40, LENGTH_TEXT = 24 };

static const uint64_t second = 1000000000, milli = 1000000;

static bool is_of_one_day(struct birth_span span) {
    time_t from = (time_t)(span.from / second), to = (time_t)(span.to / second);
    struct tm first, last;
    return localtime_r(&from, &first) != NULL && localtime_r(&to, &last) != NULL &&
           first.tm_year == last.tm_year && first.tm_yday == last.tm_yday;
}

static void format_time(char text[TIME_TEXT], uint64_t time, const char *format,
                        bool with_fraction) {
    time_t seconds = (time_t)(time / second);
    struct tm local;
    text[0] = '\0';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    if (localtime_r(&seconds, &local) != NULL)
        strftime(text, TIME_TEXT, format, &local);
#pragma GCC diagnostic pop
    size_t length = strlen(text);
    if (with_fraction)
        snprintf(text + length, TIME_TEXT - length, ".%03u",
                 (unsigned)(time % second / milli));
}

static void format_length(char text[LENGTH_TEXT], uint64_t length) {
    double seconds = (double)length / 1e9;
    if (seconds < 1)
        snprintf(text, LENGTH_TEXT, "%.0f ms", seconds * 1e3);
    else if (seconds < 120)
        snprintf(text, LENGTH_TEXT, "%.*g s", seconds < 99.5 ? 2 : 3, seconds);
    else if (seconds < 7200)
        snprintf(text, LENGTH_TEXT, "%.0f min", seconds / 60);
    else
        snprintf(text, LENGTH_TEXT, "%.1f h", seconds / 3600);
}

/* An epoch begins with an event, so its length varies by the time to the next one.
 * Returns the length of the text. */
static int format_epochs(char *text, size_t size, const struct dump_births *births) {
    char shortest[LENGTH_TEXT], longest[LENGTH_TEXT];
    if (births->longest == 0)
        return 0;
    format_length(shortest, births->shortest);
    format_length(longest, births->longest);
    bool differ = births->longest - births->shortest > births->shortest / 4;
    return snprintf(text, size, " (epochs of %s%s%s)", differ ? shortest : "",
                    differ ? " to " : "", longest);
}

bool births_report_text(const struct dump_reader *reader,
                        char text[BIRTHS_REPORT_SIZE]) {
    const struct dump_births *births = &reader->births;
    char from[TIME_TEXT], to[TIME_TEXT];
    struct birth_span known;
    text[0] = '\0';
    if (births->epochs == NULL)
        return false;
    bool is_short = births->to - births->from < 10 * second;
    bool one_day = births_known(reader, &known) && is_of_one_day(known);
    format_time(from, births->from, one_day ? "%T" : "%F %T", is_short);
    format_time(to, births->to, one_day ? "%T" : "%F %T", is_short);
    int length = snprintf(text, BIRTHS_REPORT_SIZE, "born between %s and %s", from, to);
    length +=
        format_epochs(text + length, (size_t)(BIRTHS_REPORT_SIZE - length), births);
    if (births->unknown > 0)
        length += snprintf(text + length, (size_t)(BIRTHS_REPORT_SIZE - length),
                           "; without %" PRIu64 " blocks of <overflow>, whose births "
                           "are unknown",
                           births->unknown);
    if (reader->header.growth != TRACEMALLOC_DUMP_GROWTH_GOOD)
        snprintf(text + length, (size_t)(BIRTHS_REPORT_SIZE - length),
                 "; births after the dump was full may be shown as earlier ones");
    return true;
}

void births_report_print(const struct terminal *terminal,
                         const struct dump_reader *reader, const char *name) {
    char text[BIRTHS_REPORT_SIZE];
    if (!births_report_text(reader, text))
        return;
    text[0] = 'B';
    terminal_print_line(terminal, TERMINAL_STRONG, "%s%s%s", name != NULL ? name : "",
                        name != NULL ? ": " : "", text);
}

void births_report_add_json(struct json_writer *writer, const char *key,
                            const struct dump_reader *reader) {
    const struct dump_births *births = &reader->births;
    if (births->epochs == NULL)
        return;
    json_writer_key(writer, key);
    json_writer_open_map(writer);
    json_writer_key(writer, "from");
    json_writer_seconds(writer, births->from);
    json_writer_key(writer, "to");
    json_writer_seconds(writer, births->to);
    json_writer_close_map(writer);
}
