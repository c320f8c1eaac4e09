/* SPDX-License-Identifier: MIT */
#include "profile/statistics.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct weight profile_total(const struct grouping *grouping) {
    return grouping->profile->total;
}

static void set_differences(struct statistic *statistic, struct weight old) {
    statistic->size_diff = (int64_t)(statistic->weight.size - old.size);
    statistic->count_diff = (int64_t)(statistic->weight.count - old.count);
    statistic->diff_variance = statistic->weight.variance + old.variance;
}

static struct statistic make_statistic(const struct grouping *grouping,
                                       const struct group *group) {
    return (struct statistic){
        .grouping = grouping,
        .frame = group->frame,
        .stack = group->stack,
        .group = (uint32_t)(group - grouping->groups),
        .weight = group->weight,
    };
}

struct dump_text statistics_type(const struct statistic *statistic) {
    const struct grouping *grouping = statistic->grouping;
    uint32_t type = grouping->groups[statistic->group].type;
    return grouping->profile->names->texts[type];
}

static int allocate(struct statistics *statistics, const struct grouping *grouping,
                    size_t count) {
    *statistics = (struct statistics){
        .grouping = grouping,
        .entries = calloc(count + 1, sizeof *statistics->entries),
        .total = {.grouping = grouping, .weight = profile_total(grouping)},
    };
    return statistics->entries == NULL ? -ENOMEM : 0;
}

int statistics_open(struct statistics *statistics, const struct grouping *grouping) {
    int error = allocate(statistics, grouping, grouping->count);
    if (error < 0)
        return error;
    for (size_t i = 0; i < grouping->count; i++)
        statistics->entries[i] = make_statistic(grouping, &grouping->groups[i]);
    statistics->count = grouping->count;
    return 0;
}

/* Adds the groups of the old grouping that the new one does not have. */
static void add_vanished(struct statistics *statistics, const struct grouping *old) {
    for (size_t i = 0; i < old->count; i++) {
        if (grouping_find(statistics->grouping, old, i) != NULL)
            continue;
        struct statistic *entry = &statistics->entries[statistics->count++];
        *entry = make_statistic(old, &old->groups[i]);
        entry->weight = (struct weight){.estimated = old->groups[i].weight.estimated};
        set_differences(entry, old->groups[i].weight);
    }
}

int statistics_compare(struct statistics *statistics, const struct grouping *old,
                       const struct grouping *grouping) {
    int error = allocate(statistics, grouping, grouping->count + old->count);
    if (error < 0)
        return error;
    statistics->compared = true;
    set_differences(&statistics->total, profile_total(old));
    for (size_t i = 0; i < grouping->count; i++) {
        const struct group *before = grouping_find(old, grouping, i);
        struct statistic *entry = &statistics->entries[statistics->count++];
        *entry = make_statistic(grouping, &grouping->groups[i]);
        set_differences(entry, before != NULL ? before->weight : (struct weight){0});
    }
    add_vanished(statistics, old);
    return 0;
}

void statistics_close(struct statistics *statistics) {
    free(statistics->entries);
    *statistics = (struct statistics){0};
}

static uint64_t magnitude(int64_t difference) {
    return difference < 0 ? -(uint64_t)difference : (uint64_t)difference;
}

static int compare_numbers(uint64_t first, uint64_t second) {
    return (first > second) - (first < second);
}

/* Orders functions of the same name by their files or modules. */
static int compare_owners(const struct statistic *first,
                          const struct statistic *second) {
    struct dump_text a = grouping_owner(first->grouping->profile, first->stack),
                     b = grouping_owner(second->grouping->profile, second->stack);
    int order = memcmp(a.bytes, b.bytes, a.length < b.length ? a.length : b.length);
    return order != 0 ? order : compare_numbers(a.length, b.length);
}

/* A line has objects of several types. */
static int compare_types(const struct statistic *first,
                         const struct statistic *second) {
    struct dump_text a = statistics_type(first), b = statistics_type(second);
    int order = memcmp(a.bytes, b.bytes, a.length < b.length ? a.length : b.length);
    return order != 0 ? order : compare_numbers(a.length, b.length);
}

static int compare_tracebacks(const struct statistic *first,
                              const struct statistic *second) {
    if (first->grouping->key == GROUPING_TRACEBACK)
        return stack_index_compare(&first->grouping->index, first->stack,
                                   &second->grouping->index, second->stack);
    int order = stack_index_compare_frames(first->grouping->profile, first->frame,
                                           second->frame);
    if (order == 0 && first->grouping->key == GROUPING_TYPE_LINENO)
        order = compare_types(first, second);
    return order != 0 ? order : compare_owners(first, second);
}

/* Positive if the first entry comes later. Without a comparison the differences are all
 * 0. */
static int compare(const void *first, const void *second) {
    const struct statistic *a = first, *b = second;
    int order = compare_numbers(magnitude(b->size_diff), magnitude(a->size_diff));
    if (order == 0)
        order = compare_numbers(b->weight.size, a->weight.size);
    if (order == 0)
        order = compare_numbers(magnitude(b->count_diff), magnitude(a->count_diff));
    if (order == 0)
        order = compare_numbers(b->weight.count, a->weight.count);
    return order != 0 ? order : compare_tracebacks(b, a);
}

static void swap(struct statistic *first, struct statistic *second) {
    struct statistic saved = *first;
    *first = *second;
    *second = saved;
}

/* Restores the heap after entry `i` changed. Its root is the entry that comes last. */
static void sift_down(struct statistic *heap, size_t count, size_t i) {
    for (size_t child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && compare(&heap[child + 1], &heap[child]) > 0)
            child++;
        if (compare(&heap[i], &heap[child]) >= 0)
            return;
        swap(&heap[i], &heap[child]);
    }
}

/* Moves the first `limit` entries to the front, unsorted: they form a heap, and any
 * entry that comes before its root replaces the root. */
static void select_first(struct statistic *entries, size_t count, size_t limit) {
    for (size_t i = limit / 2; i-- > 0;)
        sift_down(entries, limit, i);
    for (size_t i = limit; limit > 0 && i < count; i++) {
        if (compare(&entries[i], &entries[0]) >= 0)
            continue;
        swap(&entries[i], &entries[0]);
        sift_down(entries, limit, 0);
    }
}

void statistics_sort(struct statistics *statistics, size_t limit) {
    limit = limit < statistics->count ? limit : statistics->count;
    if (limit < statistics->count)
        select_first(statistics->entries, statistics->count, limit);
    qsort(statistics->entries, limit, sizeof *statistics->entries, compare);
    statistics->shown = limit;
}

/* Cumulative sums of a damaged dump may wrap. */
static int64_t add(int64_t first, int64_t second) {
    return (int64_t)((uint64_t)first + (uint64_t)second);
}

struct statistic statistics_rest(const struct statistics *statistics) {
    struct statistic rest = {.grouping = statistics->grouping};
    for (size_t i = statistics->shown; i < statistics->count; i++) {
        const struct statistic *entry = &statistics->entries[i];
        weight_add(&rest.weight, entry->weight);
        rest.size_diff = add(rest.size_diff, entry->size_diff);
        rest.count_diff = add(rest.count_diff, entry->count_diff);
        rest.diff_variance += entry->diff_variance;
    }
    return rest;
}

void statistics_format_size(char *text, size_t size, double bytes, bool sign) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    enum { LAST = sizeof units / sizeof *units - 1 };
    int unit = 0;
    while (unit < LAST && fabs(bytes) >= 10 * 1024) {
        bytes /= 1024;
        unit++;
    }
    int decimals = unit > 0 && fabs(bytes) < 100;
    snprintf(text, size, sign ? "%+.*f %s" : "%.*f %s", decimals, bytes, units[unit]);
}

void statistics_format_error(char text[STATISTICS_ERROR_SIZE], struct weight weight) {
    double percent = 100 * weight_error(weight) / (double)weight.size;
    text[0] = '\0';
    if (weight.size > 0 && percent >= 0.05)
        snprintf(text, STATISTICS_ERROR_SIZE, " ±%.*f%%", percent < 0.95, percent);
}

static void format_difference(char *text, size_t size,
                              const struct statistic *statistic) {
    char bytes[32], error[32];
    statistics_format_size(bytes, sizeof bytes, (double)statistic->size_diff, true);
    statistics_format_size(error, sizeof error,
                           weight_error_of(statistic->diff_variance), false);
    bool is_exact = weight_error_of(statistic->diff_variance) < 0.5;
    snprintf(text, size, " (%s%s%s)", bytes, is_exact ? "" : " ±",
             is_exact ? "" : error);
}

size_t statistics_format(char text[STATISTICS_TEXT_SIZE],
                         const struct statistic *statistic, bool compared) {
    char size[40], difference[80] = "", count_difference[40] = "", average[60] = "";
    char error[STATISTICS_ERROR_SIZE];
    struct weight weight = statistic->weight;
    statistics_format_size(size, sizeof size, (double)weight.size, false);
    statistics_format_error(error, weight);
    if (compared) {
        format_difference(difference, sizeof difference, statistic);
        snprintf(count_difference, sizeof count_difference, " (%+" PRId64 ")",
                 statistic->count_diff);
    }
    if (weight.count > 0) {
        memcpy(average, ", average=", 11);
        statistics_format_size(average + 10, sizeof average - 10,
                               (double)weight.size / (double)weight.count, false);
    }
    int length =
        snprintf(text, STATISTICS_TEXT_SIZE, "size=%s%s%s, count=%" PRIu64 "%s%s", size,
                 error, difference, weight.count, count_difference, average);
    return (size_t)length;
}
