/* SPDX-License-Identifier: MIT */
#include "show/summary.h"

#include <errno.h>
#include <stdlib.h>

#include "profile/import_frames.h"

static const uint64_t class_limits[SUMMARY_CLASSES] = {
    64, 256, 512, 4096, 32768, 262144, 2097152, UINT64_MAX};

uint64_t summary_class_limit(size_t number) {
    return class_limits[number];
}

static int open_view(struct summary *summary, enum summary_view view,
                     enum profile_point point) {
    struct profile *profile = &summary->profiles[view];
    struct grouping *grouping = &summary->groupings[view];
    int error = profile_open(profile, summary->reader, &summary->names, point);
    if (error == 0)
        error = grouping_open(grouping, profile, GROUPING_LINENO, false);
    if (error == 0)
        error = statistics_open(&summary->tops[view], grouping);
    if (error == 0)
        statistics_sort(&summary->tops[view], SUMMARY_TOP);
    return error;
}

static int open_later(struct summary *summary, enum summary_view view,
                      const bool *imported) {
    struct summary_later *later = &summary->later[view];
    size_t count = summary->reader->site_count;
    later->profile = summary->profiles[view];
    later->profile.sites = calloc(count + 1, sizeof *later->profile.sites);
    if (later->profile.sites == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        bool has_frames =
            summary->reader->sites[i].stack != TRACEMALLOC_DUMP_EMPTY_STACK;
        if (has_frames && !imported[i])
            later->profile.sites[i] = summary->profiles[view].sites[i];
    }
    profile_update_total(&later->profile);
    int error =
        grouping_open(&later->grouping, &later->profile, GROUPING_LINENO, false);
    if (error == 0)
        error = statistics_open(&later->top, &later->grouping);
    if (error == 0)
        statistics_sort(&later->top, 1);
    return error;
}

static int separate_imports(struct summary *summary) {
    bool *imported = import_frames_find(summary->reader);
    if (imported == NULL)
        return -ENOMEM;
    int error = open_later(summary, SUMMARY_NOW, imported);
    if (error == 0)
        error = open_later(summary, SUMMARY_PEAK, imported);
    const struct profile *now = &summary->profiles[SUMMARY_NOW];
    for (size_t i = 0; i < summary->reader->site_count; i++) {
        if (imported[i])
            weight_add(&summary->imports, now->sites[i]);
    }
    free(imported);
    return error;
}

static void close_later(struct summary_later *later) {
    statistics_close(&later->top);
    grouping_close(&later->grouping);
    free(later->profile.sites);
}

static bool is_of_line(const struct profile *profile, uint32_t first, uint32_t second) {
    struct frame a = profile_frame(profile, first), b = profile_frame(profile, second);
    return a.name == b.name && a.line == b.line;
}

/* Blocks of one size that one line allocated are one entry. */
static bool add_to_listed(struct summary *summary, struct summary_block block) {
    const struct profile *profile = &summary->profiles[SUMMARY_NOW];
    for (size_t i = 0; i < summary->largest_count; i++) {
        struct summary_block *listed = &summary->largest[i];
        if (listed->size != block.size ||
            !is_of_line(profile, listed->stack, block.stack))
            continue;
        listed->count += block.count;
        return true;
    }
    return false;
}

/* Inserts a block into the list, which is sorted by size, largest first. */
static void rank_block(struct summary *summary, struct summary_block block) {
    bool full = summary->largest_count == SUMMARY_TOP;
    if (full && summary->largest[SUMMARY_TOP - 1].size > block.size)
        return;
    if (add_to_listed(summary, block))
        return;
    size_t i = summary->largest_count;
    while (i > 0 && summary->largest[i - 1].size < block.size)
        i--;
    if (i == SUMMARY_TOP)
        return;
    size_t last = summary->largest_count < SUMMARY_TOP ? summary->largest_count++
                                                       : SUMMARY_TOP - 1;
    for (; last > i; last--)
        summary->largest[last] = summary->largest[last - 1];
    summary->largest[i] = block;
}

static void count_class(struct summary *summary, uint64_t size, struct weight weight) {
    size_t number = 0;
    while (size > class_limits[number])
        number++;
    weight_add(&summary->classes[number], weight);
}

/* Ranks and classifies all blocks. */
static void scan_blocks(struct summary *summary) {
    const struct dump_reader *reader = summary->reader;
    for (size_t i = 0; i < reader->bucket_count; i++) {
        const struct tracemalloc_dump_bucket *bucket = &reader->buckets[i];
        struct weight weight = profile_bucket_weight(reader, bucket, PROFILE_NOW);
        if (weight.count == 0)
            continue;
        const struct tracemalloc_dump_site *site =
            &reader->sites[dump_bucket_site(bucket)];
        rank_block(summary,
                   (struct summary_block){bucket->size, weight.count, site->stack});
        count_class(summary, bucket->size, weight);
    }
}

/* If several functions share the line, names the one that holds most blocks of the
 * size. */
static int name_block(struct summary *summary, struct summary_block *block) {
    const struct dump_reader *reader = summary->reader;
    const struct profile *profile = &summary->profiles[SUMMARY_NOW];
    struct function_shares shares = {0};
    int error = 0;
    for (size_t i = 0; i < reader->bucket_count && error == 0; i++) {
        const struct tracemalloc_dump_bucket *bucket = &reader->buckets[i];
        if (bucket->size != block->size)
            continue;
        struct weight weight = profile_bucket_weight(reader, bucket, PROFILE_NOW);
        uint32_t stack = reader->sites[dump_bucket_site(bucket)].stack;
        uint32_t function = profile->function_names[profile_code(profile, stack)];
        if (weight.count > 0 && is_of_line(profile, stack, block->stack))
            error = function_shares_add(&shares, 0, function, stack, weight);
    }
    function_shares_sort(&shares);
    if (shares.count > 0)
        block->stack = shares.shares[shares.count - 1].stack;
    function_shares_close(&shares);
    return error;
}

static int name_blocks(struct summary *summary) {
    int error = 0;
    for (size_t i = 0; i < summary->largest_count && error == 0; i++)
        error = name_block(summary, &summary->largest[i]);
    return error;
}

static int find_leaks(struct summary *summary) {
    const struct profile *profile = &summary->profiles[SUMMARY_ALLOCATED];
    int error = 0;
    for (uint32_t i = 0; i < summary->reader->process_count && error == 0; i++)
        error = leak_report_add(&summary->leaks, profile, i);
    leak_report_add_rss(&summary->leaks, summary->reader);
    leak_report_finish(&summary->leaks);
    return error;
}

int summary_open(struct summary *summary, const struct dump_reader *reader) {
    static const enum profile_point points[SUMMARY_VIEWS] = {
        [SUMMARY_NOW] = PROFILE_NOW,
        [SUMMARY_PEAK] = PROFILE_PEAK,
        [SUMMARY_ALLOCATED] = PROFILE_ALLOCATED,
    };
    *summary = (struct summary){.reader = reader};
    int error = frame_names_open(&summary->names);
    for (int view = 0; view < SUMMARY_VIEWS && error == 0; view++)
        error = open_view(summary, (enum summary_view)view, points[view]);
    if (error < 0)
        return error;
    scan_blocks(summary);
    resident_find(&summary->rss, &summary->profiles[SUMMARY_NOW]);
    error = name_blocks(summary);
    if (error == 0)
        error = separate_imports(summary);
    if (error == 0 && reader->births.epochs == NULL)
        error = find_leaks(summary);
    return error;
}

void summary_close(struct summary *summary) {
    leak_report_close(&summary->leaks);
    for (int view = 0; view < SUMMARY_VIEWS; view++) {
        close_later(&summary->later[view]);
        statistics_close(&summary->tops[view]);
        grouping_close(&summary->groupings[view]);
        profile_close(&summary->profiles[view]);
    }
    frame_names_close(&summary->names);
}
