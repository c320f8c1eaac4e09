/* SPDX-License-Identifier: MIT */
/* The live view of `top`: polls the dump, and shows it as the user chose. One thread;
 * allocates. */
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
    uint32_t delay; /* seconds between two polls */
    /* Only births, temporary blocks or not, and how frames are shown. */
    struct selection selection;
};

enum { TOP_FILTER_SIZE = 80 };

struct top_loop {
    struct watched *watched;
    struct top_settings settings;
    struct symbols *symbols; /* shared by all readings */
    /* The last reading. */
    struct dump_reader *reader;
    struct frame_names names;
    struct profile profile;
    struct top_table table;
    uint64_t rss;
    char note[64]; /* see watched_describe */
    uint64_t cost; /* nanoseconds that it took */
    /* The first reading, the last but one, and the last. */
    struct top_sample start, before, last;
    /* The user's choices. */
    enum top_order order;
    enum grouping_key key;
    char filter[TOP_FILTER_SIZE];
    bool typing; /* the filter is being typed */
    bool paused;
    bool traceback;  /* the traceback of the selected row is shown */
    size_t selected; /* row of the table */
    size_t first;    /* row of the table that is on top of the screen */
    size_t scroll;   /* lines of the traceback that are scrolled out */
    size_t rows;     /* that fit on the screen */
};

/* 0 or -ENOMEM. */
must_check int top_loop_open(struct top_loop *loop, struct watched *watched,
                             struct top_settings settings);
void top_loop_close(struct top_loop *loop);

/* Reads the dump. 0; or -errno, and the previous reading stays; -ENOTUNIQ if temporary
 * blocks are wanted and it does not count them. */
must_check int top_loop_refresh(struct top_loop *loop);

/* Reports an error of the first refresh. Returns 1. */
must_check int top_loop_explain(const struct top_loop *loop, int error);

/* What to show, after the first refresh. */
struct top_view top_loop_view(const struct top_loop *loop);

/* Shows the full screen until the user quits. Returns the exit status. */
must_check int top_loop_run(struct top_loop *loop);
