/* SPDX-License-Identifier: MIT */
#include "cli/check_output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "output/failure.h"
#include "output/output_file.h"
#include "output/terminal_text.h"
#include "profile/statistics.h"

enum { AMOUNT_SIZE = 32, LINE_SIZE = CHECK_NAME_SIZE + 4 * AMOUNT_SIZE };

static void format(char text[AMOUNT_SIZE], const struct check_limit *limit,
                   uint64_t amount) {
    if (limit->kind == CHECK_LEAKS)
        snprintf(text, AMOUNT_SIZE, "%" PRIu64, amount);
    else
        statistics_format_size(text, AMOUNT_SIZE, (double)amount, false);
}

static void describe(char text[LINE_SIZE], const struct check_limit *limit) {
    char value[AMOUNT_SIZE], max[AMOUNT_SIZE];
    format(value, limit, limit->value);
    format(max, limit, limit->max);
    snprintf(text, LINE_SIZE, "%s: %s, but at most %s allowed", limit->name, value,
             max);
}

static void count(const struct check_limits *limits, size_t *set, size_t *exceeded) {
    *set = *exceeded = 0;
    for (size_t i = 0; i < limits->count; i++) {
        *set += limits->limits[i].is_set;
        *exceeded += check_limit_is_exceeded(&limits->limits[i]);
    }
}

static void print_row(const char *value, const char *max, const char *name) {
    char line[LINE_SIZE];
    snprintf(line, sizeof line, "%12s %12s  %s", value, max, name);
    terminal_text_line(stdout, line);
}

void check_output_print(const struct check_limits *limits) {
    char value[AMOUNT_SIZE], max[AMOUNT_SIZE];
    size_t set, exceeded;
    count(limits, &set, &exceeded);
    if (exceeded == 0) {
        printf("within all limits: %zu\n", set);
        return;
    }
    print_row("FOUND", "ALLOWED", "LIMIT");
    for (size_t i = 0; i < limits->count; i++) {
        const struct check_limit *limit = &limits->limits[i];
        if (!check_limit_is_exceeded(limit))
            continue;
        format(value, limit, limit->value);
        format(max, limit, limit->max);
        print_row(value, max, limit->name);
    }
}

/* In a property a comma and a colon end it; a line feed would end the command. */
static void put_escaped(FILE *out, const char *text, size_t length,
                        const char *special) {
    for (size_t i = 0; i < length; i++) {
        if (strchr(special, text[i]) != NULL)
            fprintf(out, "%%%02X", (unsigned char)text[i]);
        else
            fputc(text[i], out);
    }
}

static void annotate(FILE *out, const struct check_limit *limit) {
    char text[LINE_SIZE];
    describe(text, limit);
    fputs("::error ", out);
    if (limit->kind == CHECK_LINE) {
        const char *colon = strrchr(limit->pattern, ':');
        fputs("file=", out);
        put_escaped(out, limit->pattern, (size_t)(colon - limit->pattern), "%\r\n:,");
        fprintf(out, ",line=%" PRIu64 ",", (uint64_t)strtoull(colon + 1, NULL, 10));
    }
    fputs("title=tracemalloc::", out);
    put_escaped(out, text, strlen(text), "%\r\n");
    fputc('\n', out);
}

void check_output_annotate(const struct check_limits *limits) {
    for (size_t i = 0; i < limits->count; i++)
        if (check_limit_is_exceeded(&limits->limits[i]))
            annotate(stdout, &limits->limits[i]);
}

/* Control characters cannot be written in XML. */
static void put_xml(FILE *out, const char *text) {
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (strchr("<>&\"", c) != NULL)
            fprintf(out, "&#%u;", c);
        else
            fputc(c < ' ' ? '?' : c, out);
    }
}

static void put_case(FILE *out, const struct check_limit *limit) {
    char text[LINE_SIZE];
    describe(text, limit);
    fputs("  <testcase classname=\"tracemalloc\" name=\"", out);
    put_xml(out, limit->name);
    if (!check_limit_is_exceeded(limit)) {
        fputs("\"/>\n", out);
        return;
    }
    fputs("\">\n    <failure message=\"", out);
    put_xml(out, text);
    fputs("\"/>\n  </testcase>\n", out);
}

static void put_suite(FILE *out, const struct check_limits *limits) {
    size_t set, exceeded;
    count(limits, &set, &exceeded);
    fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out);
    fprintf(out, "<testsuite name=\"tracemalloc\" tests=\"%zu\" failures=\"%zu\">\n",
            set, exceeded);
    for (size_t i = 0; i < limits->count; i++)
        if (limits->limits[i].is_set)
            put_case(out, &limits->limits[i]);
    fputs("</testsuite>\n", out);
}

int check_output_write(const struct check_limits *limits, const char *path) {
    const struct copied_rights rights = {geteuid(), getegid(), 0666};
    struct output_file file;
    int error = output_file_open(&file, path, &rights);
    if (error == 0) {
        put_suite(file.stream, limits);
        error = output_file_commit(&file);
    }
    return error == 0 ? 0 : failure_print("%s: %s", path, strerror(-error));
}
