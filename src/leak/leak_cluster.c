/* SPDX-License-Identifier: MIT */
#include "leak/leak_cluster.h"

#include <errno.h>
#include <stdlib.h>

enum { LEAST_EPOCHS = 4 };

/* Survivors of two lines that are born on their own differ by about the square root of
 * their number. */
static const double in_step = 0.3;

static unsigned later(unsigned first, unsigned second) {
    return first > second ? first : second;
}

static unsigned earlier(unsigned first, unsigned second) {
    return first < second ? first : second;
}

bool leak_cluster_is_one(const struct leak_line *first,
                         const struct leak_line *second) {
    if (first->named == second->named)
        return true;
    if (first->judgement.survivors == 0 || second->judgement.survivors == 0)
        return false;
    unsigned begin = later(first->judgement.first, second->judgement.first);
    unsigned end = earlier(first->judgement.end, second->judgement.end);
    double sums[2] = {0};
    for (unsigned i = begin; i < end; i++) {
        sums[0] += (double)first->born[i];
        sums[1] += (double)second->born[i];
    }
    if (end < begin + LEAST_EPOCHS || sums[0] < 1 || sums[1] < 1)
        return false;
    double ratio = sums[0] / sums[1], difference = 0;
    for (unsigned i = begin; i < end; i++) {
        double rest = (double)first->born[i] - ratio * (double)second->born[i];
        difference += rest * rest;
    }
    return difference <= in_step * (sums[0] + ratio * ratio * sums[1]);
}

static int by_rate(const void *first, const void *second) {
    const struct leak_judgement *a = &((const struct leak_line *)first)->judgement;
    const struct leak_judgement *b = &((const struct leak_line *)second)->judgement;
    if (a->sure_rate != b->sure_rate)
        return a->sure_rate < b->sure_rate ? 1 : -1;
    return (a->bytes_rate < b->bytes_rate) - (a->bytes_rate > b->bytes_rate);
}

/* An entry: a leader, and all that follow it. */
struct entry {
    uint32_t leader;
    bool verdict;
    double sure_rate, rate;
};

static int by_verdict(const void *first, const void *second) {
    const struct entry *a = first, *b = second;
    if (a->verdict != b->verdict)
        return a->verdict ? -1 : 1;
    if (a->sure_rate != b->sure_rate)
        return a->sure_rate < b->sure_rate ? 1 : -1;
    return (a->rate < b->rate) - (a->rate > b->rate);
}

static size_t find_entries(struct leak_lines *lines, struct entry *entries) {
    size_t count = 0;
    for (size_t i = 0; i < lines->count; i++) {
        struct leak_line *line = &lines->lines[i];
        size_t entry = 0;
        while (entry < count &&
               !leak_cluster_is_one(&lines->lines[entries[entry].leader], line))
            entry++;
        if (entry == count)
            entries[count++] = (struct entry){.leader = (uint32_t)i};
        line->leader = entries[entry].leader;
        entries[entry].sure_rate += line->judgement.sure_rate;
        entries[entry].rate += line->judgement.bytes_rate;
        entries[entry].verdict |= line->judgement.word >= LEAK_BACKLOG;
    }
    return count;
}

static void order_entries(struct leak_lines *lines, const struct entry *entries,
                          size_t count, struct leak_line *ordered) {
    size_t made = 0;
    for (size_t entry = 0; entry < count; entry++) {
        uint32_t leader = (uint32_t)made;
        for (size_t i = 0; i < lines->count; i++) {
            if (lines->lines[i].leader != entries[entry].leader)
                continue;
            ordered[made] = lines->lines[i];
            ordered[made++].leader = leader;
        }
    }
}

int leak_cluster(struct leak_lines *lines) {
    struct entry *entries = calloc(lines->count + 1, sizeof *entries);
    struct leak_line *ordered = calloc(lines->count + 1, sizeof *ordered);
    if (entries == NULL || ordered == NULL) {
        free(entries);
        free(ordered);
        return -ENOMEM;
    }
    if (lines->count > 0)
        qsort(lines->lines, lines->count, sizeof *lines->lines, by_rate);
    size_t count = find_entries(lines, entries);
    qsort(entries, count, sizeof *entries, by_verdict);
    order_entries(lines, entries, count, ordered);
    free(entries);
    free(lines->lines);
    lines->lines = ordered;
    lines->capacity = lines->count + 1;
    return 0;
}
