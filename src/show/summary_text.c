/* SPDX-License-Identifier: MIT */
#include "show/summary_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile/heap_history.h"
#include "show/dump_info.h"
#include "show/frame_text.h"
#include "show/labelled_line.h"
#include "show/leaks_text.h"
#include "show/plot.h"
#include "show/process_list.h"

enum {
    LABEL_COLUMNS = 10,
    SIZE_COLUMNS = 10,
    PLAIN_WIDTH = 100, /* columns of a plot if the output is not a terminal */
    SCALE_LABEL = 3,
    SCALE_COLUMNS = SCALE_LABEL + SIZE_COLUMNS,
    PLOT_ROWS = 4,
    MAX_PLOT = 160,
    WIDE = 76, /* columns from which on two tables are printed side by side */
    SIZE_TEXT = 40,
    MAX_PROCESSES = 8,
    MAX_ROWS = SUMMARY_TOP * SUMMARY_VIEWS,
};

static size_t drawn_width(const struct terminal *terminal) {
    return terminal->interactive ? terminal->width : PLAIN_WIDTH;
}

static bool is_narrow(const struct terminal *terminal) {
    return terminal->interactive && terminal->width < WIDE;
}

static void newline(const struct terminal *terminal) {
    fputc('\n', terminal->out);
}

static size_t pad(const struct terminal *terminal, size_t used, size_t columns) {
    if (used < columns)
        fprintf(terminal->out, "%*s", (int)(columns - used), "");
    return used < columns ? columns : used;
}

static size_t put(const struct terminal *terminal, enum terminal_style style,
                  const char *text, size_t width) {
    return terminal_put_start(terminal, style, text, strlen(text), width);
}

static void print_title(const struct terminal *terminal, const char *title) {
    newline(terminal);
    put(terminal, TERMINAL_STRONG, title, terminal_width_left(terminal, 0));
    newline(terminal);
}

/* Right-aligned in SIZE_COLUMNS. */
static size_t put_size(const struct terminal *terminal, enum terminal_style style,
                       uint64_t bytes) {
    char size[SIZE_TEXT], text[SIZE_TEXT + 1];
    statistics_format_size(size, sizeof size, (double)bytes, false);
    snprintf(text, sizeof text, " %*s", SIZE_COLUMNS - 1, size);
    return put(terminal, style, text, strlen(text));
}

static void print_weight(const struct terminal *terminal, const char *label,
                         const struct summary *summary, enum summary_view view,
                         const char *remark) {
    char text[LABELLED_LINE_WEIGHT_SIZE];
    labelled_line_format_weight(text, summary->profiles[view].total);
    labelled_line_print(terminal, LABEL_COLUMNS, label, "%s%s", text, remark);
}

static void print_imports(const struct terminal *terminal,
                          const struct summary *summary) {
    char text[LABELLED_LINE_WEIGHT_SIZE];
    labelled_line_format_weight(text, summary->imports);
    labelled_line_print(terminal, LABEL_COLUMNS, "  imports",
                        "%s: modules, and what they allocated as they were imported",
                        text);
}

static double seconds(uint64_t nanoseconds) {
    return (double)nanoseconds / 1e9;
}

static void print_ending(const struct terminal *terminal,
                         const struct summary *summary) {
    const struct tracemalloc_dump_header *header = &summary->reader->header;
    char ending[DUMP_INFO_TEXT_SIZE * 2];
    uint64_t length = heap_history_end(summary->reader);
    if (header->end_time > header->start_time)
        length = header->end_time - header->start_time;
    dump_info_ending(summary->reader, ending);
    char after[SIZE_TEXT] = "";
    if (length > 0)
        snprintf(after, sizeof after, "%.1f s: ", seconds(length));
    labelled_line_print(terminal, LABEL_COLUMNS, "ending", "%s%s%s", after,
                        summary->reader->process_count > 1 ? "the first process: " : "",
                        ending);
}

/* The peak of several processes, as the plot shows it. */
static void print_common_peak(const struct terminal *terminal,
                              const struct dump_reader *reader) {
    char size[SIZE_TEXT];
    uint64_t peak = heap_history_peak(reader, 0);
    statistics_format_size(size, sizeof size, (double)peak, false);
    labelled_line_print(terminal, LABEL_COLUMNS, "peak", "%s%s",
                        peak > 0 ? size : "unknown",
                        peak > 0 ? ", of all processes at one time" : "");
}

/* What `leaks` names first. */
static void print_leak(const struct terminal *terminal, const struct summary *summary) {
    const struct leak_report *report = &summary->leaks;
    char rate[LEAKS_TEXT_SIZE];
    if (report->count == 0)
        return;
    const struct leak_entry *entry = &report->entries[0];
    struct dump_text file = summary->names.texts[entry->frame.name];
    leaks_text_rate(rate, entry->bytes_rate);
    labelled_line_print(terminal, LABEL_COLUMNS, leak_report_word(entry->word),
                        "%s at %.*s:%" PRIu32 ", %.0f%% of what grows; see "
                        "tracemalloc leaks",
                        rate, (int)file.length, file.bytes, entry->frame.line,
                        entry->share * 100);
}

static void print_program(const struct terminal *terminal,
                          const struct summary *summary) {
    const struct dump_reader *reader = summary->reader;
    char *title = process_list_title(reader, 0);
    if (title != NULL && reader->process_count == 1)
        labelled_line_print(terminal, LABEL_COLUMNS, "process", "%s", title);
    free(title);
    print_ending(terminal, summary);
    bool several = reader->process_count > 1;
    print_weight(terminal, reader->header.finalized != 0 ? "at exit" : "now", summary,
                 SUMMARY_NOW, several ? ", each process at its own end" : "");
    if (summary->imports.count > 0)
        print_imports(terminal, summary);
    if (several)
        print_common_peak(terminal, reader);
    print_weight(terminal, several ? "own peaks" : "peak", summary, SUMMARY_PEAK,
                 several ? ", the sum of each process's own, at different times" : "");
    print_weight(terminal, "allocated", summary, SUMMARY_ALLOCATED,
                 reader->births.epochs != NULL ? ", at all times" : "");
    print_leak(terminal, summary);
}

static void print_process(const struct terminal *terminal,
                          const struct dump_reader *reader,
                          const struct process_share *share) {
    char *title = process_list_title(reader, share->process);
    if (title == NULL)
        return;
    size_t used = put_size(terminal, TERMINAL_PLAIN, share->weight.size);
    used += put(terminal, TERMINAL_PLAIN, "  ", 2);
    used += put(terminal, TERMINAL_NAME, title, terminal_width_left(terminal, used));
    newline(terminal);
    free(title);
}

static void print_processes(const struct terminal *terminal,
                            const struct summary *summary) {
    const struct dump_reader *reader = summary->reader;
    struct process_share *shares = process_list_shares(&summary->profiles[SUMMARY_NOW]);
    char title[SIZE_TEXT * 2];
    size_t shown =
        reader->process_count < MAX_PROCESSES ? reader->process_count : MAX_PROCESSES;
    if (shares == NULL || reader->process_count < 2) {
        free(shares);
        return;
    }
    snprintf(title, sizeof title, "Processes: %zu", reader->process_count);
    print_title(terminal, title);
    for (size_t i = 0; i < shown; i++)
        print_process(terminal, reader, &shares[i]);
    if (shown < reader->process_count)
        put(terminal, TERMINAL_FAINT, "and smaller ones, which --by process shows",
            terminal_width_left(terminal, 0));
    if (shown < reader->process_count)
        newline(terminal);
    free(shares);
}

static double largest(const double *values, size_t count) {
    double max = 0;
    for (size_t i = 0; i < count; i++)
        max = values[i] > max ? values[i] : max;
    return max;
}

/* The sums of a damaged timeline may exceed 64 bits. */
static uint64_t whole_bytes(double bytes) {
    return bytes < 0x1p64 ? (uint64_t)bytes : UINT64_MAX;
}

/* Prints the scale, then one row of the plot. */
static void print_plot_row(const struct terminal *terminal, const char *label,
                           const double *values, size_t count, size_t row,
                           size_t rows) {
    double max = largest(values, count);
    size_t used =
        pad(terminal, put(terminal, TERMINAL_NAME, label, SCALE_LABEL), SCALE_LABEL);
    if (row == 0)
        put_size(terminal, TERMINAL_PLAIN, whole_bytes(max));
    else
        pad(terminal, used, SCALE_COLUMNS);
    fputs(terminal->unicode ? " │" : " |", terminal->out);
    plot_row(terminal, values, count, max, row, rows);
    newline(terminal);
}

static void print_axis(const struct terminal *terminal, size_t count, uint64_t end) {
    char last[SIZE_TEXT];
    int length = snprintf(last, sizeof last, "%.1f s", seconds(end));
    pad(terminal, 0, SCALE_COLUMNS + 2);
    fputs("0 s", terminal->out);
    fprintf(terminal->out, "%*s\n", (int)count - 3,
            length < (int)count - 3 ? last : "");
}

static void print_timeline(const struct terminal *terminal,
                           const struct summary *summary) {
    double values[MAX_PLOT];
    uint64_t end = heap_history_end(summary->reader);
    size_t count = drawn_width(terminal) - SCALE_COLUMNS - 2;
    count = count < MAX_PLOT ? count : MAX_PLOT;
    if (end == 0)
        return;
    print_title(terminal, "Heap over time");
    heap_history_sample(summary->reader, HEAP_HISTORY_TRACED, 0, end, values, count);
    for (size_t row = 0; row < PLOT_ROWS; row++)
        print_plot_row(terminal, "", values, count, row, PLOT_ROWS);
    heap_history_sample(summary->reader, HEAP_HISTORY_RSS, 0, end, values, count);
    print_plot_row(terminal, "RSS", values, count, 0, 1);
    print_axis(terminal, count, end);
}

/* The top lines of all views, each once. */
struct rows {
    const struct statistic *entries[MAX_ROWS];
    size_t count;
};

static bool has_frame(const struct statistics *top, struct frame frame) {
    for (size_t i = 0; i < top->shown; i++)
        if (top->entries[i].frame.name == frame.name &&
            top->entries[i].frame.line == frame.line)
            return true;
    return false;
}

static void find_rows(const struct summary *summary, struct rows *rows) {
    rows->count = 0;
    for (int view = 0; view < SUMMARY_VIEWS; view++) {
        const struct statistics *top = &summary->tops[view];
        for (size_t i = 0; i < top->shown; i++) {
            bool listed = false;
            for (int before = 0; before < view; before++)
                listed |= has_frame(&summary->tops[before], top->entries[i].frame);
            if (!listed)
                rows->entries[rows->count++] = &top->entries[i];
        }
    }
}

/* A size is bold if the line is among the top lines of that view. */
static size_t print_sizes(const struct terminal *terminal,
                          const struct summary *summary,
                          const struct statistic *entry) {
    size_t used = 0;
    for (int view = 0; view < SUMMARY_VIEWS; view++) {
        const struct group *group =
            grouping_find_frame(&summary->groupings[view], entry->frame);
        bool leads = has_frame(&summary->tops[view], entry->frame);
        used += put_size(terminal, leads ? TERMINAL_STRONG : TERMINAL_FAINT,
                         group != NULL ? group->weight.size : 0);
    }
    return used;
}

static void print_row(const struct terminal *terminal, const struct summary *summary,
                      const struct statistic *entry) {
    const struct profile *profile = entry->grouping->profile;
    bool narrow = is_narrow(terminal);
    if (narrow) {
        frame_text_put(terminal, profile, entry->stack, true,
                       terminal_width_left(terminal, 0));
        newline(terminal);
    }
    size_t used = print_sizes(terminal, summary, entry);
    if (!narrow) {
        used += put(terminal, TERMINAL_PLAIN, "  ", 2);
        frame_text_put(terminal, profile, entry->stack, true,
                       terminal_width_left(terminal, used));
    }
    newline(terminal);
}

static void print_tops(const struct terminal *terminal, const struct summary *summary) {
    struct rows rows;
    char head[SIZE_TEXT * 2];
    bool finalized = summary->reader->header.finalized != 0;
    find_rows(summary, &rows);
    int length = snprintf(head, sizeof head, "%*s%*s%*s", SIZE_COLUMNS,
                          finalized ? "at exit" : "now", SIZE_COLUMNS, "at peak",
                          SIZE_COLUMNS, "allocated");
    snprintf(head + length, sizeof head - (size_t)length, "%s",
             is_narrow(terminal) ? "  by line" : "  Top lines of each");
    print_title(terminal, head);
    for (size_t i = 0; i < rows.count; i++)
        print_row(terminal, summary, rows.entries[i]);
}

static void print_blocks(const struct terminal *terminal,
                         const struct summary *summary) {
    print_title(terminal, "Largest blocks");
    for (size_t i = 0; i < summary->largest_count; i++) {
        const struct summary_block *block = &summary->largest[i];
        char count[SIZE_TEXT];
        size_t used = put_size(terminal, TERMINAL_PLAIN, block->size);
        snprintf(count, sizeof count, " x %-6" PRIu64 " ", block->count);
        used +=
            put(terminal, TERMINAL_FAINT, count, terminal_width_left(terminal, used));
        frame_text_put(terminal, &summary->profiles[SUMMARY_NOW], block->stack, true,
                       terminal_width_left(terminal, used));
        newline(terminal);
    }
}

/* Prints a label, a size, a share and a bar in `width` columns; only the first two if
 * the share is negative, that is unknown. */
static size_t print_share(const struct terminal *terminal, const char *label,
                          uint64_t size, double share, size_t width) {
    enum { LABEL = 12, PERCENT = 7 };
    char percent[SIZE_TEXT], number[SIZE_TEXT] = ">999%";
    size_t used = pad(terminal, put(terminal, TERMINAL_NAME, label, LABEL), LABEL);
    used += put_size(terminal, TERMINAL_PLAIN, size);
    if (share < 0)
        return used;
    if (share < 9.995)
        snprintf(number, sizeof number, "%.0f%%", 100 * share);
    snprintf(percent, sizeof percent, "%6s ", number);
    used += put(terminal, TERMINAL_PLAIN, percent, PERCENT);
    return used + (width > used ? plot_bar(terminal, share, width - used) : 0);
}

static size_t print_class(const struct terminal *terminal,
                          const struct summary *summary, size_t number, size_t width) {
    static const char *const labels[SUMMARY_CLASSES] = {
        "to 64 B",   "to 256 B",   "to 512 B", "to 4 KiB",
        "to 32 KiB", "to 256 KiB", "to 2 MiB", "larger"};
    double total = (double)summary->profiles[SUMMARY_NOW].total.size;
    uint64_t size = summary->classes[number].size;
    return print_share(terminal, labels[number], size,
                       total > 0 ? (double)size / total : 0, width);
}

/* The parts that there are, in the order of their numbers. */
struct rss_parts {
    enum resident_part shown[RESIDENT_PARTS];
    size_t count;
};

static void find_parts(const struct resident *rss, struct rss_parts *parts) {
    parts->count = 0;
    for (int part = 0; part < RESIDENT_PARTS; part++)
        if (rss->parts[part] > 0)
            parts->shown[parts->count++] = (enum resident_part)part;
}

static size_t print_rss_part(const struct terminal *terminal,
                             const struct resident *rss, enum resident_part part,
                             size_t width) {
    uint64_t size = rss->parts[part];
    double share = rss->whole > 0 ? (double)size / (double)rss->whole : -1;
    return print_share(terminal, resident_label(part), size, share, width);
}

static void format_rss_title(const struct summary *summary, char *text, size_t size) {
    char rss[SIZE_TEXT];
    statistics_format_size(rss, sizeof rss, (double)summary->rss.whole, false);
    if (summary->rss.whole > 0)
        snprintf(text, size, "Resident memory: %s", rss);
    else
        snprintf(text, size, "Memory by use");
}

static void print_side_by_side(const struct terminal *terminal,
                               const struct summary *summary) {
    char title[SIZE_TEXT * 2];
    struct rss_parts parts;
    size_t half = drawn_width(terminal) / 2, width = half - 3;
    find_parts(&summary->rss, &parts);
    newline(terminal);
    format_rss_title(summary, title, sizeof title);
    pad(terminal, put(terminal, TERMINAL_STRONG, "Sizes of blocks", width), half);
    put(terminal, TERMINAL_STRONG, title, width);
    newline(terminal);
    for (size_t i = 0; i < SUMMARY_CLASSES || i < parts.count; i++) {
        size_t used =
            i < SUMMARY_CLASSES ? print_class(terminal, summary, i, width) : 0;
        if (i < parts.count) {
            pad(terminal, used, half);
            print_rss_part(terminal, &summary->rss, parts.shown[i], width);
        }
        newline(terminal);
    }
}

static void print_one_by_one(const struct terminal *terminal,
                             const struct summary *summary) {
    char title[SIZE_TEXT * 2];
    struct rss_parts parts;
    size_t width = terminal->width - 1;
    find_parts(&summary->rss, &parts);
    print_title(terminal, "Sizes of blocks");
    for (size_t i = 0; i < SUMMARY_CLASSES; i++) {
        print_class(terminal, summary, i, width);
        newline(terminal);
    }
    format_rss_title(summary, title, sizeof title);
    print_title(terminal, title);
    for (size_t i = 0; i < parts.count; i++) {
        print_rss_part(terminal, &summary->rss, parts.shown[i], width);
        newline(terminal);
    }
}

/* Returns the length of the leading words that fit into `width` columns; at least one
 * word, which the terminal cuts. */
static size_t fit_words(const char *text, size_t width) {
    size_t length = strlen(text), fits = 0;
    if (length <= width)
        return length;
    for (size_t i = 0; i <= width; i++)
        if (text[i] == ' ')
            fits = i;
    return fits > 0 ? fits : strcspn(text, " ");
}

static void print_advice(const struct terminal *terminal,
                         const struct summary *summary) {
    print_title(terminal, "Next");
    for (const char *text = summary->advice; *text != '\0';) {
        size_t length = fit_words(text, drawn_width(terminal));
        terminal_put_start(terminal, TERMINAL_PLAIN, text, length,
                           terminal_width_left(terminal, 0));
        newline(terminal);
        text += length;
        text += *text == ' ';
    }
}

void summary_text_print(const struct terminal *terminal,
                        const struct summary *summary) {
    print_program(terminal, summary);
    print_processes(terminal, summary);
    print_timeline(terminal, summary);
    print_tops(terminal, summary);
    print_blocks(terminal, summary);
    if (!is_narrow(terminal))
        print_side_by_side(terminal, summary);
    else
        print_one_by_one(terminal, summary);
    print_advice(terminal, summary);
}
