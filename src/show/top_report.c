/* SPDX-License-Identifier: MIT */
#include "show/top_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile/heap_history.h"
#include "profile/stack_index.h"
#include "profile/statistics.h"
#include "show/births_report.h"
#include "show/dump_info.h"
#include "show/frame_text.h"
#include "show/leaks_text.h"
#include "show/plot.h"
#include "show/process_list.h"
#include "show/sampling.h"
#include "show/source_lines.h"

enum {
    SIZE_TEXT = 40,
    CELL = 11, /* columns of a number */
    RATE_CELL = 15,
    WIDE = 110, /* terminal columns from which on all numbers are shown */
    MIDDLE = 64,
    MAX_SPARKS = 60,
    MIN_SPARKS = 8,
};

static const uint64_t spark_time = (uint64_t)120 * 1000000000; /* nanoseconds shown */

const char *top_report_order_name(enum top_order order) {
    static const char *const names[TOP_ORDERS] = {"size", "blocks", "alloc/s", "grown",
                                                  "grows by"};
    return names[order];
}

static void newline(const struct terminal *terminal) {
    fputc('\n', terminal->out);
}

static size_t put(const struct terminal *terminal, enum terminal_style style,
                  const char *text, size_t used) {
    return used + terminal_put_start(terminal, style, text, strlen(text),
                                     terminal_width_left(terminal, used));
}

static const char *format_size(char text[SIZE_TEXT], double bytes, bool sign) {
    statistics_format_size(text, SIZE_TEXT, bytes, sign);
    return text;
}

static void print_title(const struct terminal *terminal, const struct top_view *view) {
    const struct dump_reader *reader = view->profile->reader;
    char ending[DUMP_INFO_TEXT_SIZE * 2], births[BIRTHS_REPORT_SIZE];
    char *title = process_list_title(reader, 0);
    bool runs = reader->state == TRACEMALLOC_DUMP_TRACING;
    dump_info_ending(reader, ending);
    size_t used = put(terminal, runs ? TERMINAL_SHRUNK : TERMINAL_WARNING,
                      runs ? "tracing" : ending, 0);
    used = put(terminal, TERMINAL_PLAIN, "  ", used);
    if (births_report_text(reader, births)) {
        used = put(terminal, TERMINAL_STRONG, births, used);
        used = put(terminal, TERMINAL_PLAIN, "  ", used);
    }
    if (view->note != NULL) {
        used = put(terminal, TERMINAL_WARNING, view->note, used);
        used = put(terminal, TERMINAL_PLAIN, " ", used);
    }
    if (title != NULL)
        put(terminal, TERMINAL_STRONG, title, used);
    newline(terminal);
    free(title);
}

static void print_totals(const struct terminal *terminal, const struct top_view *view) {
    const struct dump_reader *reader = view->profile->reader;
    struct weight total = view->profile->total;
    char line[256 + SAMPLING_TEXT_SIZE], size[SIZE_TEXT], peak[SIZE_TEXT];
    char rss[SIZE_TEXT], error[STATISTICS_ERROR_SIZE], sampling[SAMPLING_TEXT_SIZE];
    uint64_t max = heap_history_peak(reader, total.size);
    if (view->temporary) {
        snprintf(line, sizeof line,
                 "%s in temporary blocks, freed before their thread allocated another",
                 format_size(size, (double)total.size, false));
        put(terminal, TERMINAL_PLAIN, line, 0);
        newline(terminal);
        return;
    }
    statistics_format_error(error, total);
    bool sampled = sampling_describe(reader, sampling);
    snprintf(line, sizeof line, "%s%s  peak %s%s%s%s%s",
             format_size(size, (double)total.size, false), error,
             max > 0 || total.size == 0 ? format_size(peak, (double)max, false)
                                        : "unknown",
             view->rss > 0 ? "  RSS " : "",
             view->rss > 0 ? format_size(rss, (double)view->rss, false) : "",
             sampled ? "  " : "", sampling);
    put(terminal, TERMINAL_PLAIN, line, 0);
    newline(terminal);
}

static size_t put_domain(const struct terminal *terminal,
                         const struct dump_reader *reader, size_t domain,
                         struct weight weight, size_t used) {
    char size[SIZE_TEXT];
    struct dump_text name = dump_reader_text(reader, reader->domains[domain].name);
    used = put(terminal, TERMINAL_NAME, name.bytes, used);
    used = put(terminal, TERMINAL_PLAIN, " ", used);
    used = put(terminal, TERMINAL_PLAIN, format_size(size, (double)weight.size, false),
               used);
    return put(terminal, TERMINAL_PLAIN, "  ", used);
}

static void print_domains(const struct terminal *terminal,
                          const struct top_view *view) {
    const struct dump_reader *reader = view->profile->reader;
    struct weight *domains = profile_domains(view->profile);
    char blocks[SIZE_TEXT];
    snprintf(blocks, sizeof blocks, "%" PRIu64 " blocks  ", view->profile->total.count);
    size_t used = put(terminal, TERMINAL_PLAIN, blocks, 0);
    for (size_t i = 0; domains != NULL && i < reader->domain_count; i++)
        used = put_domain(terminal, reader, i, domains[i], used);
    newline(terminal);
    free(domains);
}

/* Draws the heap of the last two minutes, or since the start if that is less. */
static void print_sparks(const struct terminal *terminal, const struct top_view *view,
                         size_t used) {
    double values[MAX_SPARKS], max = 0;
    char label[SIZE_TEXT];
    uint64_t time = view->end < spark_time ? view->end : spark_time;
    size_t length =
        (size_t)snprintf(label, sizeof label, " %.0f s", (double)time / 1e9);
    size_t width =
        terminal->interactive ? terminal_width_left(terminal, used) : MAX_SPARKS;
    size_t count = width > length ? width - length : 0;
    count = count < MAX_SPARKS ? count : MAX_SPARKS;
    if (count < MIN_SPARKS || view->profile->reader->timeline_count == 0)
        return;
    heap_history_sample(view->profile->reader, HEAP_HISTORY_TRACED, view->end - time,
                        view->end, values, count);
    for (size_t i = 0; i < count; i++)
        max = values[i] > max ? values[i] : max;
    plot_row(terminal, values, count, max, 0, 1);
    fputs(label, terminal->out);
}

static void print_rates(const struct terminal *terminal, const struct top_view *view) {
    char line[128], rate[SIZE_TEXT];
    snprintf(line, sizeof line, "%s/s, %.0f blocks/s  ",
             format_size(rate, view->table->rate, false), view->table->blocks_rate);
    size_t used = put(terminal, TERMINAL_PLAIN, line, 0);
    print_sparks(terminal, view, used);
    newline(terminal);
}

/* Whether the terminal is wide enough for a column. A narrow one shows only the column
 * that the rows are sorted by. */
static bool shows(const struct terminal *terminal, const struct top_view *view,
                  enum top_order column) {
    if (!terminal->interactive || terminal->width >= WIDE)
        return true;
    if (terminal->width >= MIDDLE)
        return column < TOP_BY_GROWTH || view->order == column;
    return column == view->order;
}

static size_t put_cell(const struct terminal *terminal, enum terminal_style style,
                       enum top_order column, const char *text, size_t used) {
    char cell[LEAKS_TEXT_SIZE * 2];
    int width = column == TOP_BY_GROWTH_RATE ? RATE_CELL : CELL;
    snprintf(cell, sizeof cell, " %*s", width - 1, text);
    return put(terminal, style, cell, used);
}

static void print_head(const struct terminal *terminal, const struct top_view *view) {
    size_t used = 0;
    for (int column = 0; column < TOP_ORDERS; column++)
        if (shows(terminal, view, (enum top_order)column))
            used = put_cell(
                terminal, column == (int)view->order ? TERMINAL_STRONG : TERMINAL_FAINT,
                (enum top_order)column, top_report_order_name((enum top_order)column),
                used);
    static const char *const keys[] = {
        [GROUPING_FILENAME] = "  file",
        [GROUPING_LINENO] = "  line",
        [GROUPING_TRACEBACK] = "  traceback, by its most recent line",
    };
    put(terminal, TERMINAL_FAINT, keys[view->table->key], used);
    newline(terminal);
}

/* A rate or growth of 0 is left blank. */
static void format_cell(const struct top_row *row, enum top_order column,
                        char text[LEAKS_TEXT_SIZE]) {
    text[0] = '\0';
    switch (column) {
    case TOP_BY_BLOCKS:
        snprintf(text, SIZE_TEXT, "%" PRIu64, row->weight.count);
        break;
    case TOP_BY_RATE:
        if (row->rate > 0)
            format_size(text, row->rate, false);
        break;
    case TOP_BY_GROWTH:
        if (row->growth != 0)
            format_size(text, (double)row->growth, true);
        break;
    case TOP_BY_GROWTH_RATE:
        if (row->growth_rate != 0)
            leaks_text_rate(text, row->growth_rate);
        break;
    default:
        format_size(text, (double)row->weight.size, false);
    }
}

static enum terminal_style cell_style(const struct top_row *row,
                                      enum top_order column) {
    if (column < TOP_BY_GROWTH || row->growth == 0)
        return TERMINAL_PLAIN;
    return row->growth > 0 ? TERMINAL_GROWN : TERMINAL_SHRUNK;
}

static void print_row(const struct terminal *terminal, const struct top_view *view,
                      const struct top_row *row) {
    char text[LEAKS_TEXT_SIZE];
    size_t used = 0;
    for (int column = 0; column < TOP_ORDERS; column++) {
        if (!shows(terminal, view, (enum top_order)column))
            continue;
        format_cell(row, (enum top_order)column, text);
        used = put_cell(terminal, cell_style(row, (enum top_order)column),
                        (enum top_order)column, text, used);
    }
    used = put(terminal, TERMINAL_PLAIN, "  ", used);
    struct dump_text file = frame_text_file(view->profile, row->frame);
    if (view->table->key == GROUPING_FILENAME)
        terminal_put_end(terminal, TERMINAL_NAME, file.bytes, file.length,
                         terminal_width_left(terminal, used));
    else
        frame_text_put(terminal, view->profile, row->stack, true,
                       terminal_width_left(terminal, used));
    newline(terminal);
}

void top_report_print(const struct terminal *terminal, const struct top_view *view) {
    const struct top_table *table = view->table;
    print_title(terminal, view);
    print_totals(terminal, view);
    print_domains(terminal, view);
    print_rates(terminal, view);
    print_head(terminal, view);
    for (size_t i = view->first; i < table->count && i < view->first + view->rows; i++)
        print_row(terminal, view, &table->rows[i]);
}

static bool is_of_row(const struct profile *profile, const struct top_table *table,
                      const struct top_row *row, uint32_t stack) {
    struct frame frame = grouping_frame(profile, table->key, stack);
    return frame.name == row->frame.name && frame.line == row->frame.line;
}

/* The tracebacks of a row. */
struct tracebacks {
    size_t count;
    uint32_t largest;     /* stack that holds most */
    struct weight weight; /* of the largest */
};

static struct tracebacks find_tracebacks(const struct profile *profile,
                                         const struct top_table *table,
                                         const struct top_row *row) {
    const struct dump_reader *reader = profile->reader;
    struct tracebacks found = {.largest = row->stack};
    for (size_t i = 0; i < reader->site_count; i++) {
        uint32_t stack = reader->sites[i].stack;
        if (profile->sites[i].count == 0 || !is_of_row(profile, table, row, stack))
            continue;
        if (found.count++ == 0 || profile->sites[i].size > found.weight.size) {
            found.largest = stack;
            found.weight = profile->sites[i];
        }
    }
    return found;
}

static void print_frame(const struct terminal *terminal, const struct profile *profile,
                        struct source_lines *sources, uint32_t stack) {
    struct frame frame = profile_frame(profile, stack);
    struct dump_text source = source_lines_get(
        sources, profile->reader, profile_filename(profile, frame), frame.line);
    frame_text_put(terminal, profile, stack, true, terminal_width_left(terminal, 0));
    newline(terminal);
    if (source.length == 0)
        return;
    size_t used = put(terminal, TERMINAL_PLAIN, "    ", 0);
    terminal_put_line(terminal, TERMINAL_FAINT, source.bytes, source.length, used);
}

static void print_frames(const struct terminal *terminal, const struct profile *profile,
                         uint32_t stack) {
    struct stack_index index;
    struct source_lines sources = {0};
    if (stack_index_open(&index, profile) < 0)
        return;
    for (uint32_t i = stack_index_window(&index, stack); i-- > 0;)
        print_frame(terminal, profile, &sources,
                    stack_index_ancestor(&index, stack, i));
    source_lines_close(&sources);
    stack_index_close(&index);
}

void top_report_print_traceback(const struct terminal *terminal,
                                const struct profile *profile,
                                const struct top_table *table,
                                const struct top_row *row) {
    char line[160], size[SIZE_TEXT];
    struct tracebacks found = {1, row->stack, row->weight};
    if (table->key != GROUPING_TRACEBACK)
        found = find_tracebacks(profile, table, row);
    format_size(size, (double)found.weight.size, false);
    snprintf(line, sizeof line, "%s in %" PRIu64 " blocks: %s", size,
             found.weight.count,
             found.count > 1 ? "the largest of its tracebacks" : "its traceback");
    put(terminal, TERMINAL_STRONG, line, 0);
    newline(terminal);
    if (found.count > 1) {
        snprintf(line, sizeof line, "one of %zu; most recent call last", found.count);
        put(terminal, TERMINAL_FAINT, line, 0);
        newline(terminal);
    }
    print_frames(terminal, profile, found.largest);
}
