/* SPDX-License-Identifier: MIT */
#include "cli/top_loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/born_selection.h"
#include "cli/command.h"
#include "cli/module_notes.h"
#include "cli/source_notes.h"
#include "cli/top_screen.h"
#include "output/failure.h"
#include "profile/births.h"
#include "profile/heap_history.h"
#include "profile/import_frames.h"
#include "symbols/shown_stacks.h"

/* Reading a large dump takes long: it is read at most for 1 / COST_FACTOR of the
 * time. */
enum { COST_FACTOR = 5, BILLION = 1000000000, MILLION = 1000000, MIN_ROWS = 1 };

static uint64_t now(clockid_t clock) {
    struct timespec time = {0};
    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * BILLION + (uint64_t)time.tv_nsec;
}

int top_loop_open(struct top_loop *loop, struct watched *watched,
                  struct top_settings settings) {
    *loop = (struct top_loop){
        .watched = watched,
        .settings = settings,
        .key = GROUPING_LINENO,
        .rows = MIN_ROWS,
    };
    return symbols_open(&loop->symbols);
}

static void drop_reading(struct top_loop *loop) {
    top_table_close(&loop->table);
    profile_close(&loop->profile);
    frame_names_close(&loop->names);
    dump_reader_close(loop->reader);
    loop->reader = NULL;
}

void top_loop_close(struct top_loop *loop) {
    drop_reading(loop);
    symbols_close(loop->symbols);
    top_sample_drop(&loop->start);
    top_sample_drop(&loop->before);
    top_sample_drop(&loop->last);
}

/* The end of the dump's data, in nanoseconds since its start: now if the process
 * runs. */
static uint64_t end_of(const struct dump_reader *reader) {
    uint64_t start = reader->header.start_time, wall = now(CLOCK_REALTIME);
    if (dump_reader_may_run(reader) && wall > start)
        return wall - start;
    if (reader->header.end_time > start)
        return reader->header.end_time - start;
    return heap_history_end(reader);
}

/* Makes the table from the last reading, as the user chose. */
static int tabulate(struct top_loop *loop) {
    struct top_table table;
    int error = top_table_open(&table, &loop->profile, loop->key, &loop->start,
                               &loop->before, loop->last.time);
    if (error < 0)
        return error;
    if (loop->filter[0] != '\0')
        top_table_filter(&table, &loop->profile, loop->filter);
    top_table_sort(&table, loop->order);
    top_table_close(&loop->table);
    loop->table = table;
    return 0;
}

/* If the process began a new dump, growth and rates start over: the first reading then
 * has as its rate all that was allocated since the start of the dump. */
static int take_samples(struct top_loop *loop, bool is_new) {
    struct top_sample sample;
    int error = top_sample_take(&sample, &loop->profile, end_of(loop->reader));
    if (error < 0)
        return error;
    top_sample_drop(&loop->before);
    if (is_new)
        top_sample_drop(&loop->last);
    loop->before = loop->last;
    loop->last = sample;
    if (!is_new)
        return 0;
    top_sample_drop(&loop->start);
    return top_sample_take(&loop->start, &loop->profile, sample.time);
}

static int show_stacks(struct top_loop *loop, struct dump_reader *reader) {
    const struct selection *selection = &loop->settings.selection;
    bool may_open = module_notes_may_open(reader, selection->open_modules);
    reader->hides_source = source_notes_hides(reader, selection->source);
    const struct shown_stacks_options options = {
        .native = selection_shown_native(selection, SHOWN_NATIVE_BY_OWNER),
        .symbols = may_open ? loop->symbols : NULL,
    };
    int error = shown_stacks_apply(reader, &options);
    return error < 0 || selection->shows_imports ? error
                                                 : import_frames_fold(reader, false);
}

static int open_profile(struct frame_names *names, struct profile *profile,
                        const struct dump_reader *reader, enum profile_point point) {
    int error = frame_names_open(names);
    if (error == 0)
        error = profile_open(profile, reader, names, point);
    if (error < 0)
        frame_names_close(names);
    return error;
}

static bool has_ended(const struct top_loop *loop) {
    return loop->reader != NULL && !dump_reader_may_run(loop->reader);
}

int top_loop_refresh(struct top_loop *loop) {
    struct dump_reader *reader;
    struct frame_names names;
    struct profile profile;
    uint64_t began = now(CLOCK_MONOTONIC);
    int error = watched_read(loop->watched, has_ended(loop), &reader);
    if (error < 0)
        return error;
    error = births_select(reader, &loop->settings.selection.born);
    if (error == 0 && born_selection_lacks_temporary(reader, &loop->settings.selection))
        error = -ENOTUNIQ;
    if (error == 0)
        error = show_stacks(loop, reader);
    if (error == 0)
        error = open_profile(&names, &profile, reader, loop->settings.selection.point);
    if (error < 0) {
        dump_reader_close(reader);
        return error;
    }
    bool is_new = loop->reader == NULL ||
                  loop->reader->header.start_time != reader->header.start_time;
    drop_reading(loop);
    loop->reader = reader;
    loop->names = names;
    loop->profile = profile;
    loop->profile.names = &loop->names;
    loop->rss = watched_rss(loop->watched, reader);
    if (watched_describe(loop->watched, loop->note, sizeof loop->note) == NULL)
        loop->note[0] = '\0';
    error = take_samples(loop, is_new);
    if (error == 0)
        error = tabulate(loop);
    loop->cost = now(CLOCK_MONOTONIC) - began;
    return error;
}

int top_loop_explain(const struct top_loop *loop, int error) {
    const struct selection *selection = &loop->settings.selection;
    const char *name = loop->watched->name;
    if (error == -EDOM || error == -ERANGE || error == -ENODATA)
        return born_selection_explain(NULL, selection, name, error);
    if (error == -ENOTUNIQ)
        return born_selection_explain_temporary(name);
    return failure_print("%s: %s", name, dump_reader_strerror(error));
}

struct top_view top_loop_view(const struct top_loop *loop) {
    return (struct top_view){
        .table = &loop->table,
        .profile = &loop->profile,
        .order = loop->order,
        .note = loop->note[0] != '\0' ? loop->note : NULL,
        .rss = loop->rss,
        .temporary = loop->settings.selection.point == PROFILE_TEMPORARY,
        .end = end_of(loop->reader),
        .first = loop->first,
        .rows = loop->rows,
    };
}

/* Keeps the selected row within the table, and on the screen. */
static void keep_selected(struct top_loop *loop) {
    if (loop->selected >= loop->table.count)
        loop->selected = loop->table.count > 0 ? loop->table.count - 1 : 0;
    if (loop->first > loop->selected)
        loop->first = loop->selected;
    if (loop->selected >= loop->first + loop->rows)
        loop->first = loop->selected - loop->rows + 1;
}

static void print_view(const void *input, const struct terminal *terminal) {
    const struct top_loop *loop = input;
    struct top_view view = top_loop_view(loop);
    if (loop->traceback && loop->selected < loop->table.count)
        top_report_print_traceback(terminal, &loop->profile, &loop->table,
                                   &loop->table.rows[loop->selected]);
    else
        top_report_print(terminal, &view);
}

static void print_bottom(const void *input, const struct terminal *terminal) {
    const struct top_loop *loop = input;
    char line[TOP_FILTER_SIZE * 4];
    const char *paused = loop->paused ? "PAUSED  " : "";
    if (loop->typing)
        snprintf(line, sizeof line, "filter: %s_", loop->filter);
    else if (loop->traceback)
        snprintf(line, sizeof line, "Enter back  up/down scroll  q quit");
    else
        snprintf(line, sizeof line,
                 "%s%s%s%ss sort  g group  / filter  space pause  "
                 "Enter traceback  q quit",
                 paused, loop->filter[0] != '\0' ? "[" : "", loop->filter,
                 loop->filter[0] != '\0' ? "]  " : "");
    enum terminal_style style =
        loop->typing || loop->paused ? TERMINAL_WARNING : TERMINAL_FAINT;
    terminal_put_start(terminal, style, line, strlen(line),
                       terminal_width_left(terminal, 1));
}

static const char *skip_lines(const char *text, size_t count) {
    for (; count > 0 && *text != '\0'; count--) {
        text = strchrnul(text, '\n');
        text += *text == '\n';
    }
    return text;
}

static void draw(struct top_loop *loop, struct top_screen *screen) {
    size_t around = TOP_REPORT_HEAD_LINES + 1;
    loop->rows = screen->height > around ? screen->height - around : MIN_ROWS;
    keep_selected(loop);
    char *text = top_screen_compose(screen, print_view, loop);
    char *bottom = top_screen_compose(screen, print_bottom, loop);
    size_t highlighted = TOP_REPORT_HEAD_LINES + loop->selected - loop->first;
    if (loop->traceback || loop->table.count == 0)
        highlighted = SIZE_MAX;
    if (text != NULL && bottom != NULL)
        top_screen_draw(screen, skip_lines(text, loop->traceback ? loop->scroll : 0),
                        highlighted, bottom);
    free(text);
    free(bottom);
}

static void move_by(struct top_loop *loop, long rows) {
    size_t *position = loop->traceback ? &loop->scroll : &loop->selected;
    if (rows < 0 && (size_t)-rows > *position)
        *position = 0;
    else
        *position += (size_t)rows;
}

/* Edits the filter, which takes effect with each key. */
static void type(struct top_loop *loop, int key) {
    size_t length = strlen(loop->filter);
    if (key == TOP_KEY_ENTER || key == TOP_KEY_ESCAPE)
        loop->typing = false;
    if (key == TOP_KEY_ESCAPE)
        loop->filter[0] = '\0';
    else if (key == TOP_KEY_ERASE && length > 0)
        loop->filter[length - 1] = '\0';
    else if (key >= ' ' && key < 0x100 && length + 1 < sizeof loop->filter) {
        loop->filter[length] = (char)key;
        loop->filter[length + 1] = '\0';
    }
}

static void choose(struct top_loop *loop, int key) {
    switch (key) {
    case 's':
        loop->order = (loop->order + 1) % TOP_ORDERS;
        loop->selected = 0;
        break;
    case 'g':
        loop->key = (loop->key + 1) % (GROUPING_TRACEBACK + 1);
        loop->selected = 0;
        break;
    case '/':
        loop->typing = true;
        break;
    case ' ':
        loop->paused = !loop->paused;
        break;
    case TOP_KEY_ENTER:
        loop->traceback = !loop->traceback;
        loop->scroll = 0;
        break;
    case TOP_KEY_ESCAPE:
        loop->filter[0] = '\0';
        loop->traceback = false;
        break;
    }
}

static void move(struct top_loop *loop, int key) {
    switch (key) {
    case 'k':
    case TOP_KEY_UP:
        move_by(loop, -1);
        break;
    case 'j':
    case TOP_KEY_DOWN:
        move_by(loop, 1);
        break;
    case TOP_KEY_PAGE_UP:
        move_by(loop, -(long)loop->rows);
        break;
    case TOP_KEY_PAGE_DOWN:
        move_by(loop, (long)loop->rows);
        break;
    }
}

/* Handles a key. Returns false if the user quits. */
static bool handle_key(struct top_loop *loop, int key) {
    if (key == TOP_KEY_QUIT || (key == 'q' && !loop->typing))
        return false;
    if (key == TOP_KEY_NONE || key == TOP_KEY_RESIZED)
        return true;
    if (loop->typing) {
        type(loop, key);
    } else {
        choose(loop, key);
        move(loop, key);
    }
    if (tabulate(loop) < 0)
        loop->paused = true; /* the rows are unchanged */
    return true;
}

static uint64_t interval(const struct top_loop *loop) {
    uint64_t delay = (uint64_t)loop->settings.delay * BILLION;
    return delay > COST_FACTOR * loop->cost ? delay : COST_FACTOR * loop->cost;
}

/* A dump that has ended does not change, but its process may begin another one. */
static bool needs_reading(const struct top_loop *loop) {
    return !loop->paused && !loop->traceback &&
           (!has_ended(loop) || loop->watched->pid != 0);
}

static void watch(struct top_loop *loop, struct top_screen *screen) {
    uint64_t next = now(CLOCK_MONOTONIC) + interval(loop);
    bool running = true;
    while (running) {
        draw(loop, screen);
        uint64_t time = now(CLOCK_MONOTONIC);
        int left = next > time ? (int)((next - time) / MILLION) + 1 : 0;
        running = handle_key(loop, top_screen_wait(screen, left));
        if (!running || now(CLOCK_MONOTONIC) < next)
            continue;
        /* If it fails, the last reading stays on the screen. */
        if (needs_reading(loop) && top_loop_refresh(loop) < 0)
            loop->paused = true;
        next = now(CLOCK_MONOTONIC) + interval(loop);
    }
}

int top_loop_run(struct top_loop *loop) {
    struct top_screen screen;
    int error = top_loop_refresh(loop);
    if (error < 0)
        return top_loop_explain(loop, error);
    if (top_screen_open(&screen) < 0)
        return failure_print("this terminal cannot show a full screen; use --once");
    watch(loop, &screen);
    top_screen_close(&screen);
    return 0;
}
