/* SPDX-License-Identifier: MIT */
#include "show/text_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "show/completeness.h"
#include "show/frame_text.h"
#include "show/native_details_text.h"
#include "show/sampling.h"
#include "show/source_lines.h"

/* If fewer columns are left for a frame, its numbers go on a line of their own. */
enum { MIN_FRAME_COLUMNS = 16, INDENT = 4 };

struct printer {
    const struct terminal *terminal;
    const struct statistics *statistics;
    struct source_lines sources;
};

static void newline(const struct printer *printer) {
    fputc('\n', printer->terminal->out);
}

static void indent(const struct printer *printer, int columns) {
    fprintf(printer->terminal->out, "%*s", columns, "");
}

static enum terminal_style number_style(const struct printer *printer,
                                        const struct statistic *entry) {
    if (!printer->statistics->compared || entry->size_diff == 0)
        return TERMINAL_PLAIN;
    return entry->size_diff > 0 ? TERMINAL_GROWN : TERMINAL_SHRUNK;
}

/* Writes quotes[1] and the line, such as `:12`; for native code without a known line
 * only the closing quote. */
static int format_line(const struct profile *profile, uint32_t stack,
                       const char *const quotes[2], char *text, size_t size) {
    struct frame frame = profile_frame(profile, stack);
    if (frame.line > 0 || profile_native(profile, stack) == NULL)
        return snprintf(text, size, "%s%" PRIu32, quotes[1], frame.line);
    return snprintf(text, size, "%.*s", quotes[1][0] == '"', "\"");
}

static void print_function(const struct printer *printer, const struct profile *profile,
                           uint32_t stack, size_t used) {
    static const char joint[] = ", in ";
    struct dump_text function = profile_function(profile, stack);
    size_t taken = used + sizeof joint - 1;
    if (profile_native(profile, stack) == NULL || function.length == 0 ||
        (printer->terminal->interactive && taken >= printer->terminal->width))
        return;
    fputs(joint, printer->terminal->out);
    terminal_put_start(printer->terminal, TERMINAL_PLAIN, function.bytes,
                       function.length, terminal_width_left(printer->terminal, taken));
}

/* Prints quotes[0] FILE quotes[1] LINE in `width` columns; a long FILE loses its start.
 * Returns the columns taken. */
static size_t print_frame(const struct printer *printer, const struct profile *profile,
                          uint32_t stack, const char *const quotes[2], size_t width) {
    struct dump_text filename = frame_text_file(profile, profile_frame(profile, stack));
    char line[48];
    if (profile_code(profile, stack) == 0) {
        size_t columns = strspn(quotes[0], " ");
        fprintf(printer->terminal->out, "%*s", (int)columns, "");
        return columns + terminal_put_start(printer->terminal, TERMINAL_NAME,
                                            filename.bytes, filename.length,
                                            width > columns ? width - columns : 0);
    }
    int length = format_line(profile, stack, quotes, line, sizeof line);
    size_t used = strlen(quotes[0]) + (size_t)length;
    fputs(quotes[0], printer->terminal->out);
    used += terminal_put_end(printer->terminal, TERMINAL_NAME, filename.bytes,
                             filename.length, width > used ? width - used : 0);
    fputs(line, printer->terminal->out);
    return used;
}

static void print_source(struct printer *printer, const struct profile *profile,
                         struct frame frame) {
    struct dump_text source =
        source_lines_get(&printer->sources, profile->reader,
                         profile_filename(profile, frame), frame.line);
    if (source.length == 0)
        return;
    indent(printer, INDENT);
    terminal_put_line(printer->terminal, TERMINAL_FAINT, source.bytes, source.length,
                      INDENT);
}

/* Prints a name in `width` columns; for a function, with its file or module in
 * parentheses. */
static void print_name(const struct printer *printer, const struct statistic *entry,
                       size_t width) {
    const struct profile *profile = entry->grouping->profile;
    struct dump_text name = frame_text_file(profile, entry->frame);
    struct dump_text owner = grouping_owner(profile, entry->stack);
    bool is_function = entry->grouping->key == GROUPING_FUNCTION &&
                       profile_function(profile, entry->stack).length > 0;
    if (!is_function) {
        terminal_put_end(printer->terminal, TERMINAL_NAME, name.bytes, name.length,
                         width);
        return;
    }
    size_t taken = terminal_put_start(printer->terminal, TERMINAL_NAME, name.bytes,
                                      name.length, width);
    if (printer->terminal->interactive && width < taken + MIN_FRAME_COLUMNS)
        return;
    fputs(" (", printer->terminal->out);
    terminal_put_end(printer->terminal, TERMINAL_PLAIN, owner.bytes, owner.length,
                     width - taken - 3);
    fputc(')', printer->terminal->out);
}

/* Prints the type of an entry in half of `width` columns at most. Returns how many are
 * left. */
static size_t print_type(const struct printer *printer, const struct statistic *entry,
                         size_t width) {
    static const char joint[] = " at ";
    struct dump_text type = statistics_type(entry);
    size_t taken = terminal_put_end(printer->terminal, TERMINAL_PLAIN, type.bytes,
                                    type.length, width / 2);
    fputs(joint, printer->terminal->out);
    taken += sizeof joint - 1;
    return width > taken ? width - taken : 0;
}

/* Prints what comes before the numbers. For a traceback that is its most recent frame,
 * which readers look for; str(Statistic) has the oldest one there. */
static void print_head(const struct printer *printer, const struct statistic *entry,
                       size_t width) {
    static const char *const quotes[2] = {"", ":"};
    const struct profile *profile = entry->grouping->profile;
    enum grouping_key key = entry->grouping->key;
    if (key == GROUPING_FUNCTION || key == GROUPING_MODULE || key == GROUPING_TYPE) {
        print_name(printer, entry, width);
        return;
    }
    if (key == GROUPING_TYPE_LINENO)
        width = print_type(printer, entry, width);
    if (key != GROUPING_FILENAME) {
        print_frame(printer, profile, entry->stack, quotes, width);
        return;
    }
    static const char no_line[] = ":0";
    bool is_file = entry->frame.name != FRAME_NAMES_UNKNOWN;
    struct dump_text filename = frame_text_file(profile, entry->frame);
    size_t used = is_file ? strlen(no_line) : 0;
    terminal_put_end(printer->terminal, TERMINAL_NAME, filename.bytes, filename.length,
                     width > used ? width - used : 0);
    fputs(is_file ? no_line : "", printer->terminal->out);
}

/* Removes the average if the numbers do not fit: a number that is cut would be
 * wrong. */
static size_t drop_average(char *numbers) {
    char *average = strstr(numbers, ", average=");
    if (average != NULL)
        *average = '\0';
    return strlen(numbers);
}

static void print_statistic(const struct printer *printer,
                            const struct statistic *entry) {
    const struct terminal *terminal = printer->terminal;
    char numbers[STATISTICS_TEXT_SIZE];
    size_t length = statistics_format(numbers, entry, printer->statistics->compared);
    bool two_lines =
        terminal->interactive && length + 2 + MIN_FRAME_COLUMNS > terminal->width;
    if (two_lines && length > terminal_width_left(terminal, 2))
        length = drop_average(numbers);
    print_head(printer, entry,
               terminal_width_left(terminal, two_lines ? 1 : length + 2));
    fputs(two_lines ? ":\n  " : ": ", terminal->out);
    terminal_put_start(terminal, number_style(printer, entry), numbers, length,
                       two_lines ? terminal_width_left(terminal, 2) : length);
    newline(printer);
}

/* Prints the frames, oldest first as in Traceback.format. */
static void print_traceback(struct printer *printer, const struct statistic *entry) {
    static const char *const quotes[2] = {"  File \"", "\", line "};
    const struct stack_index *index = &entry->grouping->index;
    const struct profile *profile = entry->grouping->profile;
    for (uint32_t i = stack_index_window(index, entry->stack); i-- > 0;) {
        uint32_t stack = stack_index_ancestor(index, entry->stack, i);
        size_t used = print_frame(printer, profile, stack, quotes,
                                  terminal_width_left(printer->terminal, 0));
        print_function(printer, profile, stack, used);
        newline(printer);
        print_source(printer, profile, profile_frame(profile, stack));
    }
}

static void print_sum(const struct printer *printer, const char *label,
                      const struct statistic *sum) {
    char numbers[STATISTICS_TEXT_SIZE];
    statistics_format(numbers, sum, printer->statistics->compared);
    drop_average(numbers);
    terminal_print_line(printer->terminal, TERMINAL_STRONG, "%s: %s", label, numbers);
}

/* Cumulative entries overlap, so that their sum would be meaningless. */
static void print_rest(const struct printer *printer) {
    const struct statistics *statistics = printer->statistics;
    size_t hidden = statistics->count - statistics->shown;
    char label[48];
    if (hidden == 0)
        return;
    snprintf(label, sizeof label, "%zu other", hidden);
    if (statistics->grouping->cumulative) {
        fprintf(printer->terminal->out, "%zu other\n", hidden);
        return;
    }
    struct statistic rest = statistics_rest(statistics);
    print_sum(printer, label, &rest);
}

void text_report_print(const struct terminal *terminal,
                       const struct statistics *statistics) {
    struct printer printer = {.terminal = terminal, .statistics = statistics};
    struct native_details details;
    /* If there is no memory, the details are left out. */
    if (native_details_open(&details, statistics->grouping) < 0)
        native_details_close(&details);
    for (size_t i = 0; i < statistics->shown; i++) {
        const struct statistic *entry = &statistics->entries[i];
        print_statistic(&printer, entry);
        if (statistics->grouping->key == GROUPING_TRACEBACK)
            print_traceback(&printer, entry);
        else
            print_source(&printer, entry->grouping->profile, entry->frame);
        if (entry->grouping == statistics->grouping)
            native_details_print(terminal, &details, entry);
    }
    native_details_close(&details);
    print_rest(&printer);
    print_sum(&printer, "Total", &statistics->total);
    source_lines_close(&printer.sources);
}

void text_report_print_temporary(const struct terminal *terminal) {
    static const char line[] =
        "Temporary blocks: freed before their thread allocated another one";
    terminal_put_line(terminal, TERMINAL_STRONG, line, sizeof line - 1, 0);
}

static void print_sampling(const struct terminal *terminal,
                           const struct dump_reader *reader, const char *name) {
    char sampling[SAMPLING_TEXT_SIZE];
    if (sampling_describe(reader, sampling))
        terminal_print_line(
            terminal, TERMINAL_STRONG, "Estimates: %s%s%s; ± is the standard error",
            name != NULL ? name : "", name != NULL ? ": " : "", sampling);
}

void text_report_print_completeness(const struct terminal *terminal,
                                    const struct dump_reader *reader,
                                    const char *name) {
    char reason[COMPLETENESS_TEXT_SIZE], *line = NULL;
    size_t at = 0, size = 0;
    print_sampling(terminal, reader, name);
    FILE *stream = completeness_holds(reader) ? NULL : open_memstream(&line, &size);
    if (stream == NULL)
        return;
    fprintf(stream, "Incomplete%s%s", name != NULL ? ": " : "",
            name != NULL ? name : "");
    for (const char *joint = ": "; completeness_next(reader, &at, reason); joint = "; ")
        fprintf(stream, "%s%s", joint, reason);
    if (fclose(stream) == 0) {
        terminal_put_line(terminal, TERMINAL_WARNING, line, size, 0);
    }
    free(line);
}
