/* SPDX-License-Identifier: MIT */
#include "show/leaks_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "profile/heap_history.h"
#include "profile/statistics.h"
#include "show/source_lines.h"

enum { INDENT = 7, PLACE_COLUMNS = 58, WORD_COLUMNS = 8, SENTENCE = 320 };

/* Of RSS: growth less than that is not worth a line. */
static const double noteworthy = 0.05;

struct printer {
    const struct terminal *terminal;
    const struct leak_report *report;
    const struct frame_names *names;
    bool verbose;
    struct source_lines sources;
};

void leaks_text_rate(char text[LEAKS_TEXT_SIZE], double rate) {
    static const struct {
        const char *unit;
        double seconds;
    } units[] = {{"s", 1}, {"min", 60}, {"h", 3600}, {"day", 86400}};
    static const double least = 10240;
    char size[LEAKS_TEXT_SIZE - 8];
    size_t i = 0;
    double amount = rate < 0 ? -rate : rate;
    while (i + 1 < sizeof units / sizeof *units && amount * units[i].seconds < least)
        i++;
    statistics_format_size(size, sizeof size, rate * units[i].seconds, true);
    snprintf(text, LEAKS_TEXT_SIZE, "%s/%s", size, units[i].unit);
}

void leaks_text_time(char text[LEAKS_TEXT_SIZE], double seconds) {
    unsigned long whole = (unsigned long)(seconds + 0.5);
    if (seconds < 10)
        snprintf(text, LEAKS_TEXT_SIZE, "%.1f s", seconds);
    else if (whole < 120)
        snprintf(text, LEAKS_TEXT_SIZE, "%lu s", whole);
    else if (whole < 7200)
        snprintf(text, LEAKS_TEXT_SIZE, "%lu min", (whole + 30) / 60);
    else if (whole < 172800)
        snprintf(text, LEAKS_TEXT_SIZE, "%lu h %lu min", whole / 3600,
                 whole % 3600 / 60);
    else
        snprintf(text, LEAKS_TEXT_SIZE, "%lu days", (whole + 43200) / 86400);
}

static size_t put(const struct printer *printer, enum terminal_style style,
                  const char *text, size_t length) {
    return terminal_put_start(printer->terminal, style, text, length, SIZE_MAX);
}

static size_t put_word(const struct printer *printer, enum terminal_style style,
                       const char *text) {
    return put(printer, style, text, strlen(text));
}

static void indent(const struct printer *printer) {
    fprintf(printer->terminal->out, "%*s", INDENT, "");
}

static void print_sentence(const struct printer *printer, const char *text) {
    indent(printer);
    terminal_put_line(printer->terminal, TERMINAL_PLAIN, text, strlen(text), INDENT);
}

static void print_paragraph(const struct printer *printer, const char *text) {
    fputc('\n', printer->terminal->out);
    put_word(printer, TERMINAL_PLAIN, text);
    fputc('\n', printer->terminal->out);
}

/* `chart.py:20 in Signals.connect`. Returns the columns. */
static size_t put_place(const struct printer *printer, struct frame frame,
                        struct dump_text function) {
    struct dump_text file = printer->names->texts[frame.name];
    char line[16];
    snprintf(line, sizeof line, ":%" PRIu32, frame.line);
    size_t used = terminal_put_end(printer->terminal, TERMINAL_NAME, file.bytes,
                                   file.length, PLACE_COLUMNS - 12);
    used += put_word(printer, TERMINAL_NAME, line);
    if (function.length == 0)
        return used;
    used += put_word(printer, TERMINAL_PLAIN, " in ");
    return used + put(printer, TERMINAL_PLAIN, function.bytes, function.length);
}

static void print_headline(const struct printer *printer,
                           const struct leak_entry *entry, size_t number) {
    static const char *const words[] = {[LEAK_NONE] = "",
                                        [LEAK_WATCH] = "watch",
                                        [LEAK_BACKLOG] = "backlog",
                                        [LEAK_LEAK] = "LEAK"};
    char rate[LEAKS_TEXT_SIZE], text[LEAKS_TEXT_SIZE * 2];
    snprintf(text, sizeof text, "%-3zu", number);
    size_t used = put_word(printer, TERMINAL_PLAIN, text);
    used += put_place(printer, entry->frame, entry->function);
    fprintf(printer->terminal->out, "%*s",
            used < PLACE_COLUMNS ? (int)(PLACE_COLUMNS - used) : 2, "");
    enum terminal_style style =
        entry->word >= LEAK_BACKLOG ? TERMINAL_WARNING : TERMINAL_STRONG;
    used = put_word(printer, style, words[entry->word]);
    fprintf(printer->terminal->out, "%*s",
            used < WORD_COLUMNS ? (int)(WORD_COLUMNS - used) : 1, "");
    leaks_text_rate(rate, entry->bytes_rate);
    snprintf(text, sizeof text, "%-16s %3.0f %% of what grows", rate,
             entry->share * 100);
    put_word(printer, TERMINAL_PLAIN, text);
    fputc('\n', printer->terminal->out);
}

static void print_source(struct printer *printer, const struct leak_entry *entry) {
    struct dump_text source =
        source_lines_get(&printer->sources, entry->profile->reader,
                         printer->names->texts[entry->frame.name], entry->frame.line);
    if (source.length == 0)
        return;
    indent(printer);
    terminal_put_line(printer->terminal, TERMINAL_FAINT, source.bytes, source.length,
                      INDENT);
}

static const char *doubt_of(const struct leak_entry *entry) {
    if (entry->word == LEAK_LEAK && entry->is_one_block)
        return "one block grows";
    if (entry->word == LEAK_BACKLOG)
        return "all are freed, but more are waiting; slow the producer or drain faster";
    if (entry->slows)
        return "it slows: may be a cache that fills";
    return "may be a cache that is not full; look again later";
}

/* A process differs if it grows by less than half of the mean, or more than twice. */
static bool differs(double rate, double mean) {
    return rate < mean / 2 || rate > mean * 2;
}

/* In how many it grows, and those that differ from the others; if it grows in fewer
 * than half, these are the ones that differ. */
static void print_processes(const struct printer *printer,
                            const struct leak_entry *entry) {
    enum { FEW = 4 };
    const struct leak_report *report = printer->report;
    char text[SENTENCE], rate[LEAKS_TEXT_SIZE];
    double mean = entry->bytes_rate / (entry->processes > 0 ? entry->processes : 1);
    bool in_few = entry->processes * 2 < report->processes;
    unsigned listed = 0;
    int used =
        snprintf(text, sizeof text, "grows in %" PRIu32 " of %" PRIu32 " processes",
                 entry->processes, report->processes);
    for (uint32_t i = 0; i < report->processes; i++) {
        double own = leak_report_process_rate(entry, i);
        if ((in_few ? own <= 0 : !differs(own, mean)) || listed++ >= FEW)
            continue;
        leaks_text_rate(rate, own);
        const char *first = in_few ? ":" : "; but";
        used += snprintf(text + used, sizeof text - (size_t)used, "%s %" PRIu32 " %s",
                         listed == 1 ? first : ",", report->pids[i],
                         own > 0 ? rate : "not");
    }
    if (listed > FEW)
        snprintf(text + used, sizeof text - (size_t)used, " and %u more", listed - FEW);
    print_sentence(printer, text);
}

/* How many live, the age of the oldest, what was ever freed. */
static void print_evidence(const struct printer *printer,
                           const struct leak_entry *entry) {
    char text[SENTENCE], oldest[LEAKS_TEXT_SIZE], death[LEAKS_TEXT_SIZE];
    char freed[SENTENCE / 2];
    leaks_text_time(oldest, entry->oldest_seconds);
    leaks_text_time(death, entry->death_seconds);
    if (entry->word == LEAK_BACKLOG)
        snprintf(freed, sizeof freed, "%.0f %% of those that got old were freed",
                 entry->freed_late_share * 100);
    else if (entry->has_died)
        snprintf(freed, sizeof freed,
                 "%.0f %% of those that got old were freed, none older than %s",
                 entry->freed_late_share * 100, death);
    else
        snprintf(freed, sizeof freed, "none older than %s was ever freed", death);
    snprintf(text, sizeof text, "%" PRIu64 " block%s live, the oldest %s; %s",
             entry->live_blocks, entry->live_blocks == 1 ? "" : "s", oldest, freed);
    print_sentence(printer, text);
    if (entry->word != LEAK_LEAK || entry->is_one_block)
        print_sentence(printer, doubt_of(entry));
    if (printer->report->processes > 1)
        print_processes(printer, entry);
}

static void print_caller(const struct printer *printer,
                         const struct leak_entry *entry) {
    char text[LEAKS_TEXT_SIZE];
    if (entry->caller.line == 0)
        return;
    indent(printer);
    put_word(printer, TERMINAL_PLAIN, "called from ");
    put_place(printer, entry->caller, entry->caller_function);
    snprintf(text, sizeof text, "  (%.0f %%)", entry->caller_share * 100);
    put_word(printer, TERMINAL_PLAIN, text);
    fputc('\n', printer->terminal->out);
}

static void print_others(const struct printer *printer,
                         const struct leak_entry *entry) {
    enum { FEW = 5 };
    size_t count = entry->line_count;
    if (entry->allocated_in.name != entry->frame.name && entry->allocated_in.line > 0) {
        indent(printer);
        put_word(printer, TERMINAL_PLAIN, "memory allocated in ");
        put_place(printer, entry->allocated_in, (struct dump_text){"", 0});
        fputc('\n', printer->terminal->out);
    }
    if (count == 0)
        return;
    indent(printer);
    put_word(printer, TERMINAL_PLAIN, "with it grow");
    for (size_t i = 0; i < count && (i < FEW || printer->verbose); i++) {
        put_word(printer, TERMINAL_PLAIN, i == 0 ? " " : ", ");
        put_place(printer, entry->lines[i], (struct dump_text){"", 0});
    }
    if (count > FEW && !printer->verbose)
        put_word(printer, TERMINAL_PLAIN, ", ...");
    fputc('\n', printer->terminal->out);
}

static void print_entry(struct printer *printer, const struct leak_entry *entry,
                        size_t number) {
    fputc('\n', printer->terminal->out);
    print_headline(printer, entry, number);
    print_source(printer, entry);
    print_evidence(printer, entry);
    print_caller(printer, entry);
    print_others(printer, entry);
}

static void print_title(const struct printer *printer, const char *title) {
    const struct leak_report *report = printer->report;
    char text[SENTENCE], watched[LEAKS_TEXT_SIZE], size[LEAKS_TEXT_SIZE];
    char rss[LEAKS_TEXT_SIZE], rate[LEAKS_TEXT_SIZE];
    put_word(printer, TERMINAL_STRONG, title);
    leaks_text_time(watched, report->watched_seconds);
    statistics_format_size(rss, sizeof rss, (double)report->rss.bytes, false);
    leaks_text_rate(rate, report->rss.rate);
    int used = snprintf(text, sizeof text, ", traced for %s, RSS %s", watched, rss);
    if (report->rss.rate > 0)
        used += snprintf(text + used, sizeof text - (size_t)used, ", %s", rate);
    if (report->limit != 0) {
        statistics_format_size(size, sizeof size, (double)report->limit, false);
        snprintf(text + used, sizeof text - (size_t)used, ", limit %s (%s)", size,
                 leak_report_source(report));
    }
    put_word(printer, TERMINAL_PLAIN, text);
    fputc('\n', printer->terminal->out);
}

static void print_nothing(const struct printer *printer) {
    char text[SENTENCE], watched[LEAKS_TEXT_SIZE];
    leaks_text_time(watched, printer->report->watched_seconds);
    snprintf(text, sizeof text, "No line grew in every part of the last %s.", watched);
    print_paragraph(printer, text);
}

static void print_brief(const struct printer *printer) {
    const struct leak_report *report = printer->report;
    char text[SENTENCE], watched[LEAKS_TEXT_SIZE];
    leaks_text_time(watched, report->watched_seconds);
    if (leak_report_has_rates(report))
        snprintf(text, sizeof text,
                 "%" PRIu32 " of %" PRIu32 " processes were traced for less than %d s: "
                 "too short for a rate.",
                 report->brief, report->processes, HEAP_HISTORY_MIN_SECONDS);
    else
        snprintf(text, sizeof text,
                 "Traced for %s: too short for a rate, as in the first %d s memory "
                 "grows because the program starts.",
                 watched, HEAP_HISTORY_MIN_SECONDS);
    print_paragraph(printer, text);
}

static void print_end(const struct printer *printer) {
    const struct leak_report *report = printer->report;
    char text[SENTENCE], from[LEAKS_TEXT_SIZE], to[LEAKS_TEXT_SIZE];
    if (report->has_forecast) {
        leaks_text_time(from, report->forecast_from);
        leaks_text_time(to, report->forecast_to);
        snprintf(text, sizeof text, "Limit reached in %s to %s.", from, to);
        print_paragraph(printer, text);
    }
    if (report->unexplained_rate * report->watched_seconds >
        noteworthy * (double)report->rss.bytes) {
        char other[LEAKS_TEXT_SIZE];
        leaks_text_rate(from, report->unexplained_rate);
        leaks_text_rate(to, report->unlisted_rate);
        leaks_text_rate(other, report->untraced_rate);
        snprintf(text, sizeof text,
                 "Not explained: RSS grows by %s beyond these lines: %s in other "
                 "traced blocks, %s in no block (arenas, stacks of threads).",
                 from, to, other);
        print_paragraph(printer, text);
    }
}

static void print_change(const struct printer *printer,
                         const struct leak_change *change) {
    char text[SENTENCE], size[LEAKS_TEXT_SIZE];
    statistics_format_size(size, sizeof size, (double)change->bytes, true);
    snprintf(text, sizeof text, "%*s  %+" PRId64 " block%s  ", INDENT + 8, size,
             change->blocks, change->blocks == 1 || change->blocks == -1 ? "" : "s");
    put_word(printer, TERMINAL_PLAIN, text);
    put_place(printer, change->frame, (struct dump_text){"", 0});
    fputc('\n', printer->terminal->out);
}

/* Two points say less than the history that the later copy has. */
static void print_copies(const struct printer *printer,
                         const struct leak_copies *copies) {
    enum { FEW = 3 };
    char text[SENTENCE], time[LEAKS_TEXT_SIZE], size[LEAKS_TEXT_SIZE];
    char rss[LEAKS_TEXT_SIZE];
    leaks_text_time(time, copies->seconds);
    statistics_format_size(size, sizeof size, (double)copies->total.bytes, true);
    statistics_format_size(rss, sizeof rss, (double)copies->rss_bytes, true);
    snprintf(text, sizeof text,
             "Two copies of process %" PRIu32
             " in one run, %s apart: traced blocks %s, "
             "RSS %s. That these lines grew from one to the other does not say that "
             "they go on:",
             copies->pid, time, size, rss);
    print_paragraph(printer, text);
    size_t count = copies->count;
    for (size_t i = 0; i < count && (i < FEW || printer->verbose); i++)
        if (copies->changes[i].bytes > 0)
            print_change(printer, &copies->changes[i]);
}

void leaks_text_print(const struct terminal *terminal,
                      const struct leaks_document *document, const char *title,
                      size_t limit, bool verbose) {
    const struct leak_report *report = document->report;
    struct printer printer = {.terminal = terminal,
                              .report = report,
                              .names = document->names,
                              .verbose = verbose};
    char text[SENTENCE];
    print_title(&printer, title);
    if (report->count == 0 && leak_report_has_rates(report))
        print_nothing(&printer);
    size_t shown = report->count < limit ? report->count : limit;
    for (size_t i = 0; i < shown; i++)
        print_entry(&printer, &report->entries[i], i + 1);
    if (shown < report->count) {
        snprintf(text, sizeof text, "%zu more grow; -v shows them.",
                 report->count - shown);
        print_paragraph(&printer, text);
    }
    if (report->brief > 0)
        print_brief(&printer);
    print_end(&printer);
    for (int i = 0; i < document->copies_count; i++)
        print_copies(&printer, &document->copies[i]);
    source_lines_close(&printer.sources);
}
