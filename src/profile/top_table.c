/* SPDX-License-Identifier: MIT */
#include "profile/top_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profile/heap_history.h"

int top_sample_take(struct top_sample *sample, const struct profile *profile,
                    uint64_t time) {
    const struct dump_reader *reader = profile->reader;
    size_t count = reader->site_count;
    *sample = (struct top_sample){
        .time = time,
        .count = count,
        .live = calloc(count + 1, sizeof *sample->live),
        .ever = profile_allocated(reader),
        .cleared = reader->header.cleared,
    };
    if (sample->live == NULL || sample->ever == NULL) {
        top_sample_drop(sample);
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++)
        sample->live[i] = profile->sites[i];
    return 0;
}

void top_sample_drop(struct top_sample *sample) {
    free(sample->live);
    free(sample->ever);
    *sample = (struct top_sample){0};
}

/* A copy of a profile with different weights, grouped. */
struct view {
    struct profile profile;
    struct grouping grouping;
};

static int open_view(struct view *view, const struct profile *profile,
                     enum grouping_key key, struct weight *weights) {
    view->profile = *profile;
    view->profile.sites = weights;
    return grouping_open(&view->grouping, &view->profile, key, false);
}

static uint64_t difference(uint64_t now, uint64_t before) {
    return now > before ? now - before : 0;
}

/* What each site has allocated since an earlier reading, or since the beginning if the
 * traces were cleared in between. */
static struct weight *allocated_since(const struct dump_reader *reader,
                                      const struct top_sample *before) {
    struct weight *weights = profile_allocated(reader);
    bool same = before->cleared == reader->header.cleared;
    size_t count = same ? before->count : 0;
    for (size_t i = 0; weights != NULL && i < reader->site_count && i < count; i++) {
        weights[i].size = difference(weights[i].size, before->ever[i].size);
        weights[i].count = difference(weights[i].count, before->ever[i].count);
    }
    return weights;
}

/* What each site held at `start`; what it holds now if growth does not count from
 * there. */
static struct weight *live_at(const struct profile *profile,
                              const struct top_sample *start) {
    const struct dump_reader *reader = profile->reader;
    struct weight *weights = calloc(reader->site_count + 1, sizeof *weights);
    bool watched = start->live != NULL && start->cleared == reader->header.cleared;
    for (size_t i = 0; weights != NULL && i < reader->site_count; i++) {
        if (!watched)
            weights[i] = profile->sites[i];
        else if (i < start->count)
            weights[i] = start->live[i];
    }
    return weights;
}

static void set_rate(struct top_row *row, const struct group *group, double seconds) {
    if (group == NULL || seconds <= 0)
        return;
    row->rate = (double)group->weight.size / seconds;
    row->blocks_rate = (double)group->weight.count / seconds;
}

static void add_live(struct top_table *table, const struct grouping *live,
                     const struct grouping *recent, const struct grouping *old,
                     double seconds) {
    for (size_t i = 0; i < live->count; i++) {
        const struct group *group = &live->groups[i];
        const struct group *before = grouping_find(old, live, i);
        struct top_row *row = &table->rows[table->count++];
        *row = (struct top_row){
            .frame = group->frame, .stack = group->stack, .weight = group->weight};
        row->growth =
            (int64_t)(group->weight.size - (before != NULL ? before->weight.size : 0));
        set_rate(row, grouping_find(recent, live, i), seconds);
    }
}

/* Adds the lines that allocate and hold nothing. */
static void add_recent(struct top_table *table, const struct grouping *live,
                       const struct grouping *recent, const struct grouping *old,
                       double seconds) {
    for (size_t i = 0; i < recent->count; i++) {
        const struct group *group = &recent->groups[i];
        if (grouping_find(live, recent, i) != NULL)
            continue;
        const struct group *before = grouping_find(old, recent, i);
        struct top_row *row = &table->rows[table->count++];
        *row = (struct top_row){.frame = group->frame, .stack = group->stack};
        row->growth = before != NULL ? -(int64_t)before->weight.size : 0;
        set_rate(row, group, seconds);
    }
}

static int fill(struct top_table *table, const struct view views[3], double seconds) {
    const struct grouping *live = &views[0].grouping, *recent = &views[1].grouping,
                          *old = &views[2].grouping;
    table->rows = calloc(live->count + recent->count + 1, sizeof *table->rows);
    if (table->rows == NULL)
        return -ENOMEM;
    add_live(table, live, recent, old, seconds);
    add_recent(table, live, recent, old, seconds);
    for (size_t i = 0; i < table->count; i++) {
        table->rate += table->rows[i].rate;
        table->blocks_rate += table->rows[i].blocks_rate;
    }
    return 0;
}

static void set_growth_rates(struct top_table *table, double seconds) {
    if (seconds < HEAP_HISTORY_MIN_SECONDS)
        return;
    for (size_t i = 0; i < table->count; i++)
        table->rows[i].growth_rate = (double)table->rows[i].growth / seconds;
}

int top_table_open(struct top_table *table, const struct profile *profile,
                   enum grouping_key key, const struct top_sample *start,
                   const struct top_sample *before, uint64_t time) {
    struct view views[3] = {0};
    struct weight *recent = allocated_since(profile->reader, before);
    struct weight *old = live_at(profile, start);
    double seconds = (double)difference(time, before->time) / 1e9;
    *table = (struct top_table){.key = key};
    int error = recent == NULL || old == NULL ? -ENOMEM : 0;
    if (error == 0)
        error = open_view(&views[0], profile, key, profile->sites);
    if (error == 0)
        error = open_view(&views[1], profile, key, recent);
    if (error == 0)
        error = open_view(&views[2], profile, key, old);
    if (error == 0)
        error = fill(table, views, seconds);
    if (error == 0)
        set_growth_rates(table, (double)difference(time, start->time) / 1e9);
    for (int i = 0; i < 3; i++)
        grouping_close(&views[i].grouping);
    free(recent);
    free(old);
    return error;
}

void top_table_close(struct top_table *table) {
    free(table->rows);
    *table = (struct top_table){0};
}

static double measure(const struct top_row *row, enum top_order order) {
    switch (order) {
    case TOP_BY_BLOCKS:
        return (double)row->weight.count;
    case TOP_BY_RATE:
        return row->rate;
    case TOP_BY_GROWTH:
        return (double)row->growth;
    case TOP_BY_GROWTH_RATE:
        return row->growth_rate;
    default:
        return (double)row->weight.size;
    }
}

/* Ties are broken by size, then by stack, so that the screen does not flicker. */
static int compare(const void *first, const void *second, void *order) {
    const struct top_row *a = first, *b = second;
    double left = measure(a, *(enum top_order *)order);
    double right = measure(b, *(enum top_order *)order);
    if (left != right)
        return left < right ? 1 : -1;
    if (a->weight.size != b->weight.size)
        return a->weight.size < b->weight.size ? 1 : -1;
    return (a->stack > b->stack) - (a->stack < b->stack);
}

void top_table_sort(struct top_table *table, enum top_order order) {
    qsort_r(table->rows, table->count, sizeof *table->rows, compare, &order);
}

static bool has_text(struct dump_text text, const char *wanted) {
    return memmem(text.bytes, text.length, wanted, strlen(wanted)) != NULL;
}

void top_table_filter(struct top_table *table, const struct profile *profile,
                      const char *text) {
    size_t kept = 0;
    for (size_t i = 0; i < table->count; i++) {
        const struct top_row *row = &table->rows[i];
        if (has_text(profile_filename(profile, row->frame), text) ||
            (table->key != GROUPING_FILENAME &&
             has_text(profile_function(profile, row->stack), text)))
            table->rows[kept++] = *row;
    }
    table->count = kept;
}
