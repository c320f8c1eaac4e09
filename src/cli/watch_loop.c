/* SPDX-License-Identifier: MIT */
#include "cli/watch_loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/process.h"
#include "cli/command.h"
#include "cli/stop_signals.h"
#include "cli/top_screen.h"
#include "cli/watch_directory.h"
#include "output/failure.h"
#include "output/progress.h"
#include "process/clock.h"
#include "show/watch_json.h"

/* Reading many dumps takes long: they are read at most for 1 / COST_FACTOR of the
 * time. */
enum { COST_FACTOR = 5, MILLION = 1000000, MIN_ROWS = 1 };

struct watch_loop {
    const struct watch_options *options;
    struct watch_directory directory;
    struct terminal terminal;
    uint64_t cost;      /* of the last round, in milliseconds */
    size_t first, rows; /* on the screen */
};

static int scan(struct watch_loop *loop) {
    uint64_t began = clock_ms();
    int error = watch_directory_scan(&loop->directory);
    loop->cost = clock_ms() - began;
    progress_end();
    return error == 0 ? 0
                      : failure_print("%s: %s", loop->options->path, strerror(-error));
}

/* The first round, which must find a dump unless the user waits for it. */
static int scan_first(struct watch_loop *loop) {
    int status = scan(loop);
    if (status != 0 || loop->directory.count > 0 || loop->options->waits)
        return status;
    const char *note = loop->directory.note;
    return failure_print("there is no dump in %s%s%s%s", loop->options->path,
                         note[0] != '\0' ? " (" : "", note, note[0] != '\0' ? ")" : "");
}

static uint64_t interval(const struct watch_loop *loop) {
    uint64_t asked = loop->options->interval / MILLION,
             least = COST_FACTOR * loop->cost;
    return asked > least ? asked : least;
}

static struct watch_view view_of(const struct watch_loop *loop) {
    return (struct watch_view){
        .directory = loop->options->path,
        .rows = loop->directory.rows,
        .count = loop->directory.count,
        .first = loop->first,
        .limit = loop->rows,
    };
}

static int report_json(void *input, struct watch_entry *entry,
                       const struct dump_reader *reader,
                       const struct leak_report *report) {
    (void)input;
    progress_end();
    int error = watch_json_print(stdout, &entry->row, process_clock(), reader, report);
    return error == 0 && ferror(stdout) ? -EIO : error;
}

static int report_line(void *input, struct watch_entry *entry,
                       const struct dump_reader *reader,
                       const struct leak_report *report) {
    const struct watch_loop *loop = input;
    char *state = watch_report_state(&entry->row);
    (void)reader;
    (void)report;
    if (state == NULL)
        return -ENOMEM;
    bool is_new = entry->reported == NULL || strcmp(entry->reported, state) != 0;
    free(entry->reported);
    entry->reported = state;
    if (!is_new)
        return 0;
    progress_end();
    watch_report_print_line(&loop->terminal, &entry->row, process_clock());
    return ferror(stdout) ? -EIO : 0;
}

static int run_once(struct watch_loop *loop) {
    if (loop->options->json)
        loop->directory.report = report_json;
    int status = scan_first(loop);
    if (status == 0 && !loop->options->json) {
        struct watch_view view = view_of(loop);
        view.limit = loop->options->limit;
        view.note = loop->directory.note[0] != '\0' ? loop->directory.note : NULL;
        watch_report_print(&loop->terminal, &view);
    } else if (status == 0 && loop->directory.note[0] != '\0') {
        failure_note("%s", loop->directory.note);
    }
    int closed = command_close_output();
    return status != 0 ? status : closed;
}

/* Says of files that cannot be read when that changes. */
static void note_unreadable(const struct watch_loop *loop, size_t before) {
    if (loop->directory.unreadable != before && loop->directory.unreadable > 0)
        failure_note("%s", loop->directory.note);
}

static int follow(struct watch_loop *loop) {
    loop->directory.report = loop->options->json ? report_json : report_line;
    loop->directory.input = loop;
    int status = scan_first(loop);
    if (status == 0)
        note_unreadable(loop, 0);
    stop_signals_open();
    while (status == 0 && fflush(stdout) == 0 &&
           !stop_signals_wait(interval(loop) * MILLION)) {
        size_t before = loop->directory.unreadable;
        status = scan(loop);
        note_unreadable(loop, before);
    }
    stop_signals_close();
    int closed = command_close_output();
    return status != 0 ? status : closed;
}

static void print_view(const void *input, const struct terminal *terminal) {
    struct watch_view view = view_of(input);
    watch_report_print(terminal, &view);
}

static void print_bottom(const void *input, const struct terminal *terminal) {
    const struct watch_loop *loop = input;
    const char *note = loop->directory.note;
    const char *line = note[0] != '\0' ? note : "up/down scroll  q quit";
    terminal_put_start(terminal, note[0] != '\0' ? TERMINAL_WARNING : TERMINAL_FAINT,
                       line, strlen(line), terminal_width_left(terminal, 1));
}

static void draw(struct watch_loop *loop, struct top_screen *screen) {
    size_t around = WATCH_REPORT_HEAD_LINES + 1;
    loop->rows = screen->height > around ? screen->height - around : MIN_ROWS;
    if (loop->first >= loop->directory.count)
        loop->first = loop->directory.count > 0 ? loop->directory.count - 1 : 0;
    char *text = top_screen_compose(screen, print_view, loop);
    char *bottom = top_screen_compose(screen, print_bottom, loop);
    if (text != NULL && bottom != NULL)
        top_screen_draw(screen, text, SIZE_MAX, bottom);
    free(text);
    free(bottom);
}

/* Handles a key. Returns false if the user quits. */
static bool handle_key(struct watch_loop *loop, int key) {
    size_t by = key == TOP_KEY_PAGE_UP || key == TOP_KEY_PAGE_DOWN ? loop->rows : 1;
    switch (key) {
    case 'q':
    case TOP_KEY_QUIT:
        return false;
    case 'j':
    case TOP_KEY_DOWN:
    case TOP_KEY_PAGE_DOWN:
        loop->first += by;
        return true;
    case 'k':
    case TOP_KEY_UP:
    case TOP_KEY_PAGE_UP:
        loop->first -= by < loop->first ? by : loop->first;
        return true;
    default:
        return true;
    }
}

static int watch_screen(struct watch_loop *loop, struct top_screen *screen) {
    uint64_t next = clock_ms() + interval(loop);
    for (;;) {
        draw(loop, screen);
        uint64_t time = clock_ms();
        int left = next > time ? (int)(next - time) + 1 : 0;
        if (!handle_key(loop, top_screen_wait(screen, left)))
            return 0;
        if (clock_ms() < next)
            continue;
        int error = watch_directory_scan(&loop->directory);
        if (error < 0)
            return error;
        next = clock_ms() + interval(loop);
    }
}

static int run_screen(struct watch_loop *loop) {
    struct top_screen screen;
    loop->directory.shows_progress = true;
    int status = scan_first(loop);
    loop->directory.shows_progress = false;
    if (status != 0)
        return status;
    if (top_screen_open(&screen) < 0)
        return failure_print("this terminal cannot show a full screen; use --once");
    int error = watch_screen(loop, &screen);
    top_screen_close(&screen);
    return error == 0 ? 0
                      : failure_print("%s: %s", loop->options->path, strerror(-error));
}

int watch_loop_run(const struct watch_options *options) {
    struct watch_loop loop = {.options = options};
    if (watch_directory_open(&loop.directory, options->path) != 0)
        return 1;
    terminal_open(&loop.terminal, stdout);
    bool has_screen =
        !options->json && isatty(STDOUT_FILENO) != 0 && isatty(STDIN_FILENO) != 0;
    int status;
    if (options->once) {
        loop.directory.shows_progress = true;
        status = run_once(&loop);
    } else {
        status = has_screen ? run_screen(&loop) : follow(&loop);
    }
    watch_directory_close(&loop.directory);
    return status;
}
