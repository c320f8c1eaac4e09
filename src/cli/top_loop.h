/* SPDX-License-Identifier: MIT */
/* The live view: reads the dump again and again, keeps what the user chose, and shows
 * it. One thread; allocates. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "cli/selection_options.h"
#include "dump/frame_names.h"
#include "process/watched.h"
#include "profile/top_table.h"
#include "show/top_report.h"
#include "symbols/shown_stacks.h"
#include "symbols/symbols.h"

struct top_settings {
    uint32_t delay; /* seconds between two looks */
    enum shown_native native;
    enum selection_source source;
    bool shows_imports; /* the frames of the import system too */
    bool open_modules;  /* also those that a dump of another user names */
};

enum { TOP_FILTER_SIZE = 80 };

struct top_loop {
    struct watched *watched;
    struct top_settings settings;
    struct symbols *symbols; /* of all readings */
    /* As last read. */
    struct dump_reader *reader;
    struct frame_names names;
    struct profile profile;
    struct top_table table;
    uint64_t rss;
    char note[64]; /* see watched_describe */
    uint64_t cost; /* of reading it: nanoseconds */
    /* Of the first reading, of the one before the last, and of the last. */
    struct top_sample start, before, last;
    /* What the user chose. */
    enum top_order order;
    enum grouping_key key;
    char filter[TOP_FILTER_SIZE];
    bool typing; /* the filter */
    bool paused;
    bool traceback; /* of the selected row */
    size_t selected, first, scroll;
    size_t rows; /* on the screen */
};

/* 0 or -ENOMEM. */
must_check int top_loop_open(struct top_loop *loop, struct watched *watched,
                             struct top_settings settings);
void top_loop_close(struct top_loop *loop);

/* Reads the dump. 0 or -errno; then the last state stays. */
must_check int top_loop_refresh(struct top_loop *loop);

/* What is shown, after a first refresh. */
struct top_view top_loop_view(const struct top_loop *loop);

/* The full screen, until the user quits. Returns the exit status. */
must_check int top_loop_run(struct top_loop *loop);
