/* SPDX-License-Identifier: MIT */
#include "show/summary.h"

#include <errno.h>
#include <stdlib.h>

#include "profile/import_frames.h"

/* The largest block and the alignment of the interpreter's own allocator, in bytes. */
enum { MAX_SMALL = 512, SMALL_ALIGNMENT = 16 };

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

/* The bytes that blocks of this site and size take in the interpreter's arenas. */
static uint64_t arena_share(const struct dump_reader *reader,
                            const struct tracemalloc_dump_site *site, uint64_t size,
                            uint64_t count) {
    uint32_t number = reader->domains[site->domain].number;
    if (number != TRACEMALLOC_DUMP_DOMAIN_PYTHON || size > MAX_SMALL)
        return 0;
    return (size + SMALL_ALIGNMENT - 1) / SMALL_ALIGNMENT * SMALL_ALIGNMENT * count;
}

/* Ranks and classifies all blocks. Returns the bytes of arenas that are in use. */
static uint64_t scan_blocks(struct summary *summary) {
    const struct dump_reader *reader = summary->reader;
    uint64_t in_arenas = 0;
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
        in_arenas += arena_share(reader, site, bucket->size, weight.count);
    }
    return in_arenas;
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

/* A program frees its memory as it ends, so that the last sample says little. Returns
 * the resident bytes of the last sample with at least nine tenths of the bytes
 * reported; 0 if there is none. */
static uint64_t find_rss(const struct summary *summary) {
    const struct dump_reader *reader = summary->reader;
    uint64_t total = summary->profiles[SUMMARY_NOW].total.size;
    for (size_t i = reader->timeline_count; i-- > 0;) {
        const struct tracemalloc_dump_timeline_sample *sample = &reader->timeline[i];
        if (sample->python_bytes + sample->native_bytes >= total - total / 10)
            return sample->rss_bytes;
    }
    return 0;
}

static void explain_rss(struct summary *summary, uint64_t in_arenas) {
    const struct dump_reader *reader = summary->reader;
    const struct tracemalloc_dump_header *header = &reader->header;
    struct summary_rss *rss = &summary->rss;
    const struct profile *profile = &summary->profiles[SUMMARY_NOW];
    rss->whole = reader->process_count == 1 ? find_rss(summary) : 0;
    rss->tracer = header->tracer_bytes + header->file_size;
    if (header->arena_bytes > in_arenas)
        rss->arenas_free = header->arena_bytes - in_arenas;
    for (size_t i = 0; i < reader->site_count; i++) {
        uint32_t number = reader->domains[reader->sites[i].domain].number;
        uint64_t size = profile->sites[i].size;
        if (number == TRACEMALLOC_DUMP_DOMAIN_LIBC)
            rss->libc += size;
        else if (number == TRACEMALLOC_DUMP_DOMAIN_MMAP)
            rss->mmap += size;
        else
            rss->python += size;
    }
    /* Mapped memory that was never touched is not resident. */
    if (rss->mmap > header->mapped_resident_bytes)
        rss->mmap = header->mapped_resident_bytes;
}

uint64_t summary_rss_rest(const struct summary_rss *rss) {
    uint64_t explained =
        rss->python + rss->arenas_free + rss->libc + rss->mmap + rss->tracer;
    return rss->whole > explained ? rss->whole - explained : 0;
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
    explain_rss(summary, scan_blocks(summary));
    error = name_blocks(summary);
    if (error == 0)
        error = separate_imports(summary);
    if (error == 0)
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
