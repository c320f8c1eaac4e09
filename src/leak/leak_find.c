/* SPDX-License-Identifier: MIT */
#include "leak/leak_find.h"

#include <errno.h>
#include <stdlib.h>

#include "collection/array.h"
#include "leak/leak_cluster.h"

/* A site of the process, and whether its blocks are among those that grow. */
struct item {
    uint32_t line; /* frame */
    uint32_t path;
    uint32_t site;
    bool grows;
    double kept;  /* survivors */
    double total; /* blocks ever allocated */
};

struct finding {
    struct leak_lines *lines;
    struct leak_buckets buckets;
    struct item *items; /* by line and path */
    size_t count;
    bool is_sampled;
    bool misses_floats;  /* the interpreter does not say when all of them are freed */
    bool ignores_floats; /* in the histories that are judged now */
    /* By frame; zero between two lines. */
    double *kept, *total;
    uint32_t *depth; /* from the innermost frame on, from 1 */
    uint32_t *seen;  /* item + 1 that was counted for the frame last */
};

/* A frame that keeps less than this of what a line keeps is no cause of it. */
static const double least_kept = 0.1, nearly_best = 0.8;

static int compare_items(const void *first, const void *second) {
    const struct item *a = first, *b = second;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->path != b->path)
        return a->path < b->path ? -1 : 1;
    return (a->site > b->site) - (a->site < b->site);
}

static void find_items(struct finding *finding, uint32_t process) {
    const struct profile *profile = finding->lines->profile;
    const struct leak_paths *paths = &finding->lines->paths;
    const struct dump_reader *reader = profile->reader;
    for (uint32_t site = 0; site < reader->site_count; site++) {
        uint32_t path = paths->stacks[reader->sites[site].stack];
        if (profile->sites[site].count == 0 || path == 0 ||
            reader->sites[site].process != process)
            continue;
        finding->items[finding->count++] = (struct item){
            .line = leak_path_frame(paths, path), .path = path, .site = site};
    }
    qsort(finding->items, finding->count, sizeof *finding->items, compare_items);
}

static void add_items(struct leak_history *history, const struct finding *finding,
                      size_t first, size_t end) {
    *history = (struct leak_history){.ignores_floats = finding->ignores_floats};
    for (size_t i = first; i < end; i++)
        leak_history_add_site(history, &finding->buckets, finding->items[i].site);
}

/* Behind the items of the same line and, if wanted, path. */
static size_t end_of(const struct finding *finding, size_t first, bool same_path) {
    const struct item *items = finding->items;
    size_t end = first;
    while (end < finding->count && items[end].line == items[first].line &&
           (!same_path || items[end].path == items[first].path))
        end++;
    return end;
}

static void mark(struct finding *finding, size_t first, size_t end, bool grows) {
    for (size_t i = first; i < end; i++)
        finding->items[i].grows = grows;
}

/* What the callers of a line say one by one. Those that leak count, else those to
 * watch; the judgement is that of the one that grows most, with the rates of all. */
static struct leak_judgement judge_paths(struct finding *finding, size_t first,
                                         size_t end, const struct leak_history *line) {
    struct leak_judgement best = {.word = LEAK_NONE};
    double most = 0;
    for (size_t i = first, next; i < end; i = next) {
        struct leak_history history;
        next = end_of(finding, i, true);
        add_items(&history, finding, i, next);
        struct leak_judgement path = leak_judge(&history, &finding->lines->time, line);
        if (path.word == LEAK_NONE || path.word < best.word)
            continue;
        if (path.word > best.word) {
            mark(finding, first, i, false);
            best = (struct leak_judgement){.word = path.word};
            most = 0;
        }
        mark(finding, i, next, true);
        double bytes = best.bytes_rate + path.bytes_rate;
        double blocks = best.blocks_rate + path.blocks_rate;
        double sure = best.sure_rate + path.sure_rate;
        if (path.bytes_rate >= most) {
            most = path.bytes_rate;
            best = path;
        }
        best.bytes_rate = bytes;
        best.blocks_rate = blocks;
        best.sure_rate = sure;
    }
    return best;
}

static struct leak_judgement judge_line(struct finding *finding, size_t first,
                                        size_t end, const struct leak_history *line) {
    struct leak_judgement whole = leak_judge(line, &finding->lines->time, NULL);
    mark(finding, first, end, false);
    if (whole.word != LEAK_LEAK && end_of(finding, first, true) < end) {
        struct leak_judgement paths = judge_paths(finding, first, end, line);
        if (paths.word == LEAK_LEAK || whole.word == LEAK_NONE)
            return paths;
    }
    mark(finding, first, end, true);
    return whole;
}

/* Calls for each frame of an item's path once, however often it is in it. */
static void count_path(struct finding *finding, size_t item) {
    const struct leak_paths *paths = &finding->lines->paths;
    const struct item *it = &finding->items[item];
    uint32_t depth = 1;
    for (uint32_t path = it->path; path != 0; path = leak_path_caller(paths, path)) {
        uint32_t frame = leak_path_frame(paths, path);
        if (finding->depth[frame] == 0 || depth < finding->depth[frame])
            finding->depth[frame] = depth;
        depth++;
        if (finding->seen[frame] == item + 1)
            continue;
        finding->seen[frame] = (uint32_t)item + 1;
        finding->kept[frame] += it->grows ? it->kept : 0;
        finding->total[frame] += it->total;
    }
}

static void forget_path(struct finding *finding, uint32_t path) {
    const struct leak_paths *paths = &finding->lines->paths;
    for (; path != 0; path = leak_path_caller(paths, path)) {
        uint32_t frame = leak_path_frame(paths, path);
        finding->kept[frame] = finding->total[frame] = 0;
        finding->depth[frame] = finding->seen[frame] = 0;
    }
}

/* Of a few samples, all may have survived by chance. */
static double share_of(const struct finding *finding, uint32_t frame, double kept) {
    double own = finding->kept[frame], total = finding->total[frame];
    double doubt = finding->is_sampled ? 2 : 0;
    return own < least_kept * kept || own < 1 || total < 1 ? 0 : own / (total + doubt);
}

/* The innermost frame whose share is nearly the best of all. */
static uint32_t choose_frame(const struct finding *finding, size_t first, size_t end,
                             double kept) {
    const struct leak_paths *paths = &finding->lines->paths;
    double best = 0;
    for (size_t i = first; i < end; i++)
        for (uint32_t path = finding->items[i].path; path != 0;
             path = leak_path_caller(paths, path)) {
            double share = share_of(finding, leak_path_frame(paths, path), kept);
            best = share > best ? share : best;
        }
    uint32_t chosen = finding->items[first].line, least = UINT32_MAX;
    for (size_t i = first; i < end; i++)
        for (uint32_t path = finding->items[i].path; path != 0;
             path = leak_path_caller(paths, path)) {
            uint32_t frame = leak_path_frame(paths, path);
            if (best > 0 && finding->depth[frame] < least &&
                share_of(finding, frame, kept) >= nearly_best * best) {
                least = finding->depth[frame];
                chosen = frame;
            }
        }
    return chosen;
}

/* The frame that called the named one for most of what is kept. */
static void find_caller(const struct finding *finding, struct leak_line *line,
                        size_t first, size_t end, double kept) {
    const struct leak_paths *paths = &finding->lines->paths;
    for (size_t i = first; i < end; i++) {
        uint32_t path = finding->items[i].path;
        while (path != 0 && leak_path_frame(paths, path) != line->named)
            path = leak_path_caller(paths, path);
        uint32_t outer = path != 0 ? leak_path_caller(paths, path) : 0;
        if (!finding->items[i].grows || outer == 0)
            continue;
        uint32_t frame = leak_path_frame(paths, outer);
        double share = kept > 0 ? finding->kept[frame] / kept : 0;
        if (share > line->caller_share) {
            line->caller = frame;
            line->caller_share = share;
        }
    }
}

static void count_survivors(struct finding *finding, struct leak_line *line,
                            size_t first, size_t end) {
    const struct dump_reader *reader = finding->lines->profile->reader;
    double most = -1;
    for (size_t i = first; i < end; i++) {
        struct item *item = &finding->items[i];
        struct leak_history history = {.ignores_floats = finding->ignores_floats};
        leak_history_add_site(&history, &finding->buckets, item->site);
        item->kept = (double)leak_judge_survivors(&line->judgement, &history);
        item->total = (double)history.total_blocks;
        if (item->grows && item->kept > most) {
            most = item->kept;
            line->stack = reader->sites[item->site].stack;
        }
    }
}

static void choose(struct finding *finding, struct leak_line *line, size_t first,
                   size_t end) {
    double kept = 0;
    count_survivors(finding, line, first, end);
    for (size_t i = first; i < end; i++) {
        kept += finding->items[i].grows ? finding->items[i].kept : 0;
        count_path(finding, i);
    }
    line->named = choose_frame(finding, first, end, kept);
    find_caller(finding, line, first, end, kept);
    for (size_t i = first; i < end; i++)
        forget_path(finding, finding->items[i].path);
}

static void describe(struct finding *finding, struct leak_line *line, size_t first,
                     size_t end) {
    struct leak_history history = {0};
    uint64_t live = 0;
    double alive = 0;
    for (size_t i = first; i < end; i++)
        if (finding->items[i].grows)
            leak_history_add_site(&history, &finding->buckets, finding->items[i].site);
    line->oldest = finding->lines->time.count - 1;
    for (unsigned i = TRACEMALLOC_DUMP_MAX_EPOCHS; i > 0; i--) {
        line->born[i - 1] = history.blocks[i - 1];
        live += history.blocks[i - 1];
        alive += history.alive[i - 1];
        line->live_bytes += history.bytes[i - 1];
        if (history.blocks[i - 1] > 0)
            line->oldest = i - 1;
    }
    for (unsigned i = 0; i < TRACEMALLOC_DUMP_AGES; i++)
        line->freed_late += history.freed_late[i];
    if (live > 0)
        line->judgement.blocks_rate *= alive / (double)live;
    line->live_blocks = (uint64_t)(alive + 0.5);
}

static int add_line(struct finding *finding, size_t first, size_t end) {
    struct leak_lines *lines = finding->lines;
    struct leak_history history;
    finding->ignores_floats = finding->misses_floats;
    add_items(&history, finding, first, end);
    finding->is_sampled = history.is_sampled;
    struct leak_line line = {.own = finding->items[first].line,
                             .is_sampled = history.is_sampled};
    line.judgement = judge_line(finding, first, end, &history);
    if (line.judgement.word == LEAK_NONE && finding->ignores_floats) {
        finding->ignores_floats = false;
        add_items(&history, finding, first, end);
        line.judgement = judge_line(finding, first, end, &history);
        if (line.judgement.word != LEAK_NONE)
            line.judgement.word = LEAK_WATCH;
        line.judgement.sure_rate = 0;
    }
    if (line.judgement.word == LEAK_NONE)
        return 0;
    choose(finding, &line, first, end);
    describe(finding, &line, first, end);
    if (array_reserve(&lines->lines, &lines->capacity, lines->count + 1, sizeof line) <
        0)
        return -ENOMEM;
    lines->lines[lines->count++] = line;
    return 0;
}

static int find_lines(struct finding *finding) {
    int error = 0;
    for (size_t i = 0, end; i < finding->count && error == 0; i = end) {
        end = end_of(finding, i, false);
        error = add_line(finding, i, end);
    }
    return error;
}

static int open_finding(struct finding *finding, uint32_t process) {
    const struct leak_lines *lines = finding->lines;
    size_t frames = lines->paths.frames.count;
    /* 3.11 and 3.12 free some floats without a call that the tracer sees. */
    uint32_t version = lines->profile->reader->header.python_version >> 16;
    finding->misses_floats = version == 0x030b || version == 0x030c;
    int error = leak_buckets_open(&finding->buckets, lines->profile->reader);
    finding->items =
        calloc(lines->profile->reader->site_count + 1, sizeof *finding->items);
    finding->kept = calloc(frames, sizeof *finding->kept);
    finding->total = calloc(frames, sizeof *finding->total);
    finding->depth = calloc(frames, sizeof *finding->depth);
    finding->seen = calloc(frames, sizeof *finding->seen);
    if (error < 0 || finding->items == NULL || finding->kept == NULL ||
        finding->total == NULL || finding->depth == NULL || finding->seen == NULL)
        return -ENOMEM;
    find_items(finding, process);
    return 0;
}

static void close_finding(struct finding *finding) {
    leak_buckets_close(&finding->buckets);
    free(finding->items);
    free(finding->kept);
    free(finding->total);
    free(finding->depth);
    free(finding->seen);
}

int leak_lines_open(struct leak_lines *lines, const struct profile *profile,
                    uint32_t process) {
    *lines = (struct leak_lines){.profile = profile};
    struct finding finding = {.lines = lines};
    leak_time_open(&lines->time, profile->reader, process);
    int error = leak_paths_open(&lines->paths, profile);
    if (error == 0)
        error = open_finding(&finding, process);
    if (error == 0 && lines->time.count > 0)
        error = find_lines(&finding);
    close_finding(&finding);
    return error == 0 ? leak_cluster(lines) : error;
}

void leak_lines_close(struct leak_lines *lines) {
    leak_paths_close(&lines->paths);
    free(lines->lines);
    *lines = (struct leak_lines){0};
}
