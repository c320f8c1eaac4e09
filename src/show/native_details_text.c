/* SPDX-License-Identifier: MIT */
#include "show/native_details_text.h"

#include <stdio.h>
#include <string.h>

#include "show/frame_text.h"

enum { MAX_SHOWN = 3, INDENT = 4, GAP = 2, MIN_LOCATION = 16 };

/* Prints `native size=64.0 MiB, count=2: `. Returns the columns taken. */
static size_t print_numbers(const struct terminal *terminal, struct weight weight) {
    const struct statistic sum = {.weight = weight};
    char numbers[STATISTICS_TEXT_SIZE];
    statistics_format(numbers, &sum, false);
    char *average = strstr(numbers, ", average=");
    if (average != NULL)
        *average = '\0';
    fprintf(terminal->out, "%*snative ", INDENT, "");
    size_t taken = terminal_put_start(terminal, TERMINAL_PLAIN, numbers,
                                      strlen(numbers), SIZE_MAX);
    fputs(": ", terminal->out);
    return INDENT + sizeof "native " - 1 + taken + 2;
}

static void print_detail(const struct terminal *terminal, const struct profile *profile,
                         const struct native_detail *detail) {
    size_t used = print_numbers(terminal, detail->weight);
    struct dump_text function = frame_text_function(profile, detail->stack);
    used += terminal_put_start(terminal, TERMINAL_PLAIN, function.bytes,
                               function.length, terminal_width_left(terminal, used));
    struct dump_text location = native_details_location(profile, detail);
    size_t width = terminal_width_left(terminal, used + GAP);
    if (width >= MIN_LOCATION) {
        fprintf(terminal->out, "%*s", GAP, "");
        terminal_put_end(terminal, TERMINAL_NAME, location.bytes, location.length,
                         width);
    }
    fputc('\n', terminal->out);
}

static void print_others(const struct terminal *terminal,
                         const struct native_detail *details, size_t count) {
    struct weight sum = {0};
    for (size_t i = 0; i < count; i++) {
        weight_add(&sum, details[i].weight);
    }
    print_numbers(terminal, sum);
    fprintf(terminal->out, count > 1 ? "%zu others\n" : "%zu other\n", count);
}

void native_details_print(const struct terminal *terminal,
                          const struct native_details *details,
                          const struct statistic *entry) {
    const struct profile *profile = entry->grouping->profile;
    size_t count;
    const struct native_detail *first =
        native_details_find(details, entry->group, &count);
    if (count == 1 && native_details_is_interpreter(profile, first))
        return;
    for (size_t i = 0; i < count && i < MAX_SHOWN; i++)
        print_detail(terminal, profile, &first[i]);
    if (count > MAX_SHOWN)
        print_others(terminal, first + MAX_SHOWN, count - MAX_SHOWN);
}
