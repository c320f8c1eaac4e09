/* SPDX-License-Identifier: MIT */
#include "show/watch_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leak/leak_report.h"
#include "profile/statistics.h"
#include "show/leaks_text.h"

enum {
    SIZE_TEXT = 40,
    STATE_COLUMNS = 56,
    FILE_COLUMNS = 32,
    SIZE_COLUMNS = 10,
    RATE_COLUMNS = 14,
    GAP = 2,
    NARROW = 100, /* a terminal without room for all numbers */
};

/* How far up a row is. */
static int rank(const struct watch_row *row) {
    return row->runs ? 1 + (int)row->word : 0;
}

static int compare(const void *first, const void *second) {
    const struct watch_row *a = *(const struct watch_row *const *)first;
    const struct watch_row *b = *(const struct watch_row *const *)second;
    if (rank(a) != rank(b))
        return rank(a) > rank(b) ? -1 : 1;
    if (a->rate != b->rate && a->runs)
        return a->rate > b->rate ? -1 : 1;
    if (a->end_time != b->end_time)
        return a->end_time > b->end_time ? -1 : 1;
    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    return strcmp(a->file, b->file);
}

void watch_report_sort(const struct watch_row **rows, size_t count) {
    if (count > 0)
        qsort(rows, count, sizeof *rows, compare);
}

char *watch_report_state(const struct watch_row *row) {
    char *text = NULL;
    bool has_line = row->line != NULL && row->word != LEAK_NONE;
    int length = has_line ? asprintf(&text, "%s; %s at %s", row->state,
                                     leak_report_word(row->word), row->line)
                          : asprintf(&text, "%s", row->state);
    return length < 0 ? NULL : text;
}

static void format_bytes(char text[SIZE_TEXT], const struct watch_row *row,
                         uint64_t bytes, bool is_estimate) {
    char size[SIZE_TEXT - 1];
    statistics_format_size(size, sizeof size, (double)bytes, false);
    if (row->is_readable)
        snprintf(text, SIZE_TEXT, "%s%s", is_estimate ? "~" : "", size);
    else
        snprintf(text, SIZE_TEXT, "-");
}

static void format_rate(char text[LEAKS_TEXT_SIZE], const struct watch_row *row) {
    if (row->rate > 0)
        leaks_text_rate(text, row->rate);
    else
        snprintf(text, LEAKS_TEXT_SIZE, "-");
}

static enum terminal_style style_of(const struct watch_row *row) {
    if (!row->is_readable || row->has_failed)
        return TERMINAL_WARNING;
    if (row->word >= LEAK_BACKLOG)
        return TERMINAL_GROWN;
    return row->runs ? TERMINAL_PLAIN : TERMINAL_FAINT;
}

/* Prints a text in so many columns, or what is left of the line after those used.
 * Returns the columns used then. */
static size_t put_cell(const struct terminal *terminal, enum terminal_style style,
                       const char *text, size_t columns, size_t used) {
    size_t left = terminal_width_left(terminal, used);
    size_t most = columns < left ? columns : left;
    size_t width = terminal_put_start(terminal, style, text, strlen(text),
                                      terminal->interactive ? most : SIZE_MAX);
    size_t padding = (width < columns ? columns - width : 0) + GAP;
    if (padding > left - width)
        padding = left - width;
    fprintf(terminal->out, "%*s", (int)padding, "");
    return used + width + padding;
}

static size_t put_number(const struct terminal *terminal, const char *text,
                         size_t columns, size_t used) {
    size_t length = strlen(text), indent = length < columns ? columns - length : 0;
    fprintf(terminal->out, "%*s", (int)indent, "");
    return put_cell(terminal, TERMINAL_PLAIN, text, length, used + indent);
}

struct columns {
    size_t state, file;
};

static size_t bounded(size_t columns, size_t most) {
    return columns < most ? columns : most;
}

static struct columns measure(const struct terminal *terminal,
                              const struct watch_view *view) {
    struct columns columns = {sizeof "STATE" - 1, sizeof "DUMP" - 1};
    for (size_t i = 0; i < view->count; i++) {
        const struct watch_row *row = view->rows[i];
        char *state = watch_report_state(row);
        size_t width =
            state != NULL ? terminal_columns(terminal, state, strlen(state)) : 0;
        size_t file = terminal_columns(terminal, row->file, strlen(row->file));
        free(state);
        if (width > columns.state)
            columns.state = bounded(width, STATE_COLUMNS);
        if (file > columns.file)
            columns.file = bounded(file, FILE_COLUMNS);
    }
    return columns;
}

/* What a row and the head have in their columns. */
struct cells {
    const char *traced, *rss, *rate, *state, *file, *program;
    enum terminal_style state_style, file_style, style;
};

static void print_cells(const struct terminal *terminal, const struct cells *cells,
                        struct columns columns) {
    size_t used = put_number(terminal, cells->traced, SIZE_COLUMNS, 0);
    if (!terminal->interactive || terminal->width >= NARROW) {
        used = put_number(terminal, cells->rss, SIZE_COLUMNS, used);
        used = put_number(terminal, cells->rate, RATE_COLUMNS, used);
    }
    used = put_cell(terminal, cells->state_style, cells->state, columns.state, used);
    used = put_cell(terminal, cells->file_style, cells->file, columns.file, used);
    terminal_put_line(terminal, cells->style, cells->program, strlen(cells->program),
                      used);
}

static void print_row(const struct terminal *terminal, const struct watch_row *row,
                      struct columns columns) {
    char traced[SIZE_TEXT], rss[SIZE_TEXT], rate[LEAKS_TEXT_SIZE];
    char *state = watch_report_state(row);
    format_bytes(traced, row, row->bytes, row->is_sampled);
    format_bytes(rss, row, row->rss, false);
    format_rate(rate, row);
    const struct cells cells = {
        .traced = traced,
        .rss = rss,
        .rate = rate,
        .state = state != NULL ? state : row->state,
        .file = row->file,
        .program = row->program != NULL ? row->program : "",
        .state_style = style_of(row),
        .file_style = TERMINAL_NAME,
    };
    print_cells(terminal, &cells, columns);
    free(state);
}

static void print_head(const struct terminal *terminal, const struct watch_view *view,
                       struct columns columns) {
    static const struct cells head = {"TRACED",       "RESIDENT",     "GROWTH",
                                      "STATE",        "DUMP",         "PROCESS",
                                      TERMINAL_FAINT, TERMINAL_FAINT, TERMINAL_FAINT};
    size_t running = 0, growing = 0, failed = 0;
    for (size_t i = 0; i < view->count; i++) {
        running += view->rows[i]->runs;
        growing += view->rows[i]->runs && view->rows[i]->word >= LEAK_BACKLOG;
        failed += view->rows[i]->has_failed;
    }
    terminal_print_line(terminal, TERMINAL_STRONG,
                        "%s: %zu running, %zu with a leak; %zu ended, %zu killed or "
                        "with an error",
                        view->directory, running, growing, view->count - running,
                        failed);
    print_cells(terminal, &head, columns);
}

void watch_report_print(const struct terminal *terminal,
                        const struct watch_view *view) {
    struct columns columns = measure(terminal, view);
    size_t left = view->count > view->first ? view->count - view->first : 0;
    size_t shown = left < view->limit ? left : view->limit;
    print_head(terminal, view, columns);
    for (size_t i = 0; i < shown; i++)
        print_row(terminal, view->rows[view->first + i], columns);
    if (shown < left && !terminal->interactive)
        terminal_print_line(terminal, TERMINAL_FAINT, "... and %zu more", left - shown);
    if (view->note != NULL)
        terminal_print_line(terminal, TERMINAL_WARNING, "%s", view->note);
}

void watch_report_print_line(const struct terminal *terminal,
                             const struct watch_row *row, uint64_t time) {
    char when[DUMP_INFO_TIME_SIZE], traced[SIZE_TEXT], rss[SIZE_TEXT];
    char rate[LEAKS_TEXT_SIZE] = "", *state = watch_report_state(row);
    dump_info_time(time, when);
    format_bytes(traced, row, row->bytes, row->is_sampled);
    format_bytes(rss, row, row->rss, false);
    if (row->rate > 0)
        leaks_text_rate(rate, row->rate);
    terminal_print_line(
        terminal, style_of(row), "%s  %s: %s; %s traced, %s resident%s%s%s%s", when,
        row->file, state != NULL ? state : row->state, traced, rss,
        rate[0] != '\0' ? ", " : "", rate, row->program != NULL ? "  " : "",
        row->program != NULL ? row->program : "");
    free(state);
}
