/* SPDX-License-Identifier: MIT */
/* What `watch` shows of the dumps of a directory, for people. For offline code; one
 * thread at a time; write errors stay in the stream. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leak/leak_judge.h"
#include "output/terminal.h"
#include "show/dump_info.h"

/* A dump, as last read. */
struct watch_row {
    char *file;    /* its name in the directory */
    char *program; /* see process_list_title; NULL: unknown */
    char *line;    /* `FILE:LINE` of the line that grows most; NULL: none */
    char state[DUMP_INFO_TEXT_SIZE * 2]; /* or why it cannot be read */
    bool is_readable, runs, has_failed;
    bool is_sampled;
    uint64_t bytes, rss; /* traced and resident, now or at the end */
    uint64_t end_time;   /* 0: it has none */
    enum leak_word word; /* of the line */
    double rate;         /* bytes a second, of the line or of all blocks; 0: none */
};

struct watch_view {
    const char *directory;
    const struct watch_row *const *rows;
    size_t count, first;
    size_t limit;     /* rows to show */
    const char *note; /* of files that cannot be read; NULL: there are none */
};

/* The lines above the rows, without the note. */
enum { WATCH_REPORT_HEAD_LINES = 2 };

/* Orders rows: what grows, then what runs, then what has ended, the last one first. */
void watch_report_sort(const struct watch_row **rows, size_t count);

/* Prints a table. */
void watch_report_print(const struct terminal *terminal, const struct watch_view *view);

/* What is said of a row in a line, without numbers: `running; leak at app.py:3`. The
 * caller frees it; NULL if there is no memory. */
char *watch_report_state(const struct watch_row *row);

/* Prints a row in a line of its own, with the time. */
void watch_report_print_line(const struct terminal *terminal,
                             const struct watch_row *row, uint64_t time);
