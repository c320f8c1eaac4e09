/* SPDX-License-Identifier: MIT */
#include "leak/leak_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "collection/array.h"
#include "leak/leak_find.h"
#include "profile/heap_history.h"

static struct dump_text function_of(const struct leak_lines *lines, uint32_t frame) {
    return profile_function(lines->profile, lines->paths.functions[frame]);
}

static bool is_same(struct frame first, struct frame second) {
    return first.name == second.name && first.line == second.line;
}

static struct leak_entry *find_entry(struct leak_report *report, struct frame frame) {
    for (size_t i = 0; i < report->count; i++)
        if (is_same(report->entries[i].frame, frame))
            return &report->entries[i];
    return NULL;
}

static int add_other(struct leak_entry *entry, struct frame frame) {
    if (is_same(entry->frame, frame))
        return 0;
    for (size_t i = 0; i < entry->line_count; i++)
        if (is_same(entry->lines[i], frame))
            return 0;
    if (array_reserve(&entry->lines, &entry->line_capacity, entry->line_count + 1,
                      sizeof frame) < 0)
        return -ENOMEM;
    entry->lines[entry->line_count++] = frame;
    return 0;
}

/* Of the line that carries most: the leader of the first process. */
static void describe(struct leak_entry *entry, const struct leak_lines *lines,
                     const struct leak_line *line) {
    const struct profile *profile = lines->profile;
    entry->function = function_of(lines, line->named);
    entry->profile = profile;
    entry->stack = line->stack;
    entry->allocated_in = profile_frame(profile, line->stack);
    entry->time = lines->time;
    memcpy(entry->born, line->born, sizeof entry->born);
    entry->is_one_block = line->judgement.is_one_block;
    entry->slows = line->judgement.slows;
    entry->has_died = line->judgement.last_death >= 0;
    entry->death_seconds = leak_time_span(&lines->time, line->judgement.age / 2);
    if (line->caller == 0)
        return;
    entry->caller = leak_path_name(&lines->paths, line->caller);
    entry->caller_function = function_of(lines, line->caller);
    entry->caller_share = line->caller_share;
}

static void add_numbers(struct leak_entry *entry, const struct leak_lines *lines,
                        const struct leak_line *line, double *freed) {
    const struct leak_time *time = &lines->time;
    uint64_t since = time->starts[line->judgement.first];
    double oldest = leak_time_between(time, line->oldest, time->count);
    if (line->judgement.word > entry->word)
        entry->word = line->judgement.word;
    if (entry->since == 0 || since < entry->since)
        entry->since = since;
    entry->oldest_seconds =
        oldest > entry->oldest_seconds ? oldest : entry->oldest_seconds;
    entry->bytes_rate += line->judgement.bytes_rate;
    entry->sure_rate += line->judgement.sure_rate;
    entry->blocks_rate += line->judgement.blocks_rate;
    entry->live_bytes += line->live_bytes;
    entry->live_blocks += line->live_blocks;
    *freed += (double)line->freed_late;
}

static struct leak_entry *add_entry(struct leak_report *report,
                                    const struct leak_lines *lines,
                                    const struct leak_line *leader) {
    struct frame frame = leak_path_name(&lines->paths, leader->named);
    struct leak_entry *entry = find_entry(report, frame);
    if (entry != NULL)
        return entry;
    if (array_reserve(&report->entries, &report->capacity, report->count + 1,
                      sizeof *entry) < 0)
        return NULL;
    entry = &report->entries[report->count++];
    *entry = (struct leak_entry){.frame = frame};
    describe(entry, lines, leader);
    return entry;
}

/* Room for the rate of the process that is examined; 0 for those before it. */
static int reserve_rate(struct leak_entry *entry, uint32_t processes) {
    size_t before = entry->process_capacity;
    if (array_reserve(&entry->process_rates, &entry->process_capacity, processes,
                      sizeof *entry->process_rates) < 0)
        return -ENOMEM;
    for (size_t i = before; i < entry->process_capacity; i++)
        entry->process_rates[i] = 0;
    return 0;
}

static int add_lines(struct leak_report *report, const struct leak_lines *lines) {
    for (size_t i = 0, next; i < lines->count; i = next) {
        struct leak_entry *entry = add_entry(report, lines, &lines->lines[i]);
        if (entry == NULL || reserve_rate(entry, report->processes) < 0)
            return -ENOMEM;
        double rate = entry->bytes_rate;
        double freed = entry->freed_late_share * (double)entry->live_blocks /
                       (1.000001 - entry->freed_late_share);
        entry->processes++;
        for (next = i; next < lines->count && lines->lines[next].leader == i; next++) {
            const struct leak_line *line = &lines->lines[next];
            add_numbers(entry, lines, line, &freed);
            if (add_other(entry, leak_path_name(&lines->paths, line->named)) < 0)
                return -ENOMEM;
        }
        entry->process_rates[report->processes - 1] += entry->bytes_rate - rate;
        double all = freed + (double)entry->live_blocks;
        entry->freed_late_share = all > 0 ? freed / all : 0;
    }
    return 0;
}

static double watched_seconds(const struct leak_time *time) {
    return time->count > 0 ? leak_time_between(time, 0, time->count) : 0;
}

static int add_process(struct leak_report *report, const struct profile *profile,
                       uint32_t process) {
    struct leak_lines lines;
    int error = leak_lines_open(&lines, profile, process);
    if (error == 0)
        error = add_lines(report, &lines);
    leak_lines_close(&lines);
    return error;
}

int leak_report_add(struct leak_report *report, const struct profile *profile,
                    uint32_t process) {
    struct leak_time time;
    if (array_reserve(&report->pids, &report->pid_capacity, report->processes + 1,
                      sizeof *report->pids) < 0)
        return -ENOMEM;
    report->pids[report->processes++] = profile->reader->processes[process].pid;
    leak_time_open(&time, profile->reader, process);
    report->untimed += time.count == 0;
    double watched = watched_seconds(&time);
    if (watched > report->watched_seconds)
        report->watched_seconds = watched;
    if (watched >= HEAP_HISTORY_MIN_SECONDS)
        return add_process(report, profile, process);
    report->brief++;
    return 0;
}

static bool has_rates(const struct dump_reader *reader) {
    struct leak_time time;
    for (uint32_t i = 0; i < reader->process_count; i++) {
        leak_time_open(&time, reader, i);
        if (watched_seconds(&time) >= HEAP_HISTORY_MIN_SECONDS)
            return true;
    }
    return false;
}

void leak_report_add_rss(struct leak_report *report, const struct dump_reader *reader) {
    struct rss_trend trend;
    rss_trend_find(&trend, reader);
    report->rss.bytes += trend.bytes;
    if (has_rates(reader)) {
        report->rss.rate += trend.rate;
        report->rss.traced_rate += trend.traced_rate;
    }
    const struct tracemalloc_dump_header *header = &reader->header;
    if (header->memory_limit == 0 ||
        (report->limit != 0 && header->memory_limit >= report->limit))
        return;
    report->limit = header->memory_limit;
    report->limit_source = header->memory_limit_source;
}

static int compare(const void *first, const void *second) {
    const struct leak_entry *a = first, *b = second;
    bool a_sure = a->word >= LEAK_BACKLOG, b_sure = b->word >= LEAK_BACKLOG;
    if (a_sure != b_sure)
        return a_sure ? -1 : 1;
    if (a->sure_rate != b->sure_rate)
        return a->sure_rate < b->sure_rate ? 1 : -1;
    return (a->bytes_rate < b->bytes_rate) - (a->bytes_rate > b->bytes_rate);
}

/* From the rates that are named, which are certain, to that of RSS, of which all is a
 * part; only where the two agree, and no further than the time watched allows. */
static void forecast(struct leak_report *report) {
    enum { FURTHEST = 20, AGREE = 2 };
    double left = (double)report->limit - (double)report->rss.bytes;
    double low = report->named_rate, high = report->rss.rate;
    if (report->limit == 0 || left <= 0 || low <= 0 || high <= 0)
        return;
    if (low > high) {
        double rate = low;
        low = high;
        high = rate;
    }
    report->forecast_from = left / high;
    report->forecast_to = left / low;
    double furthest = FURTHEST * report->watched_seconds;
    report->has_forecast = high <= AGREE * low && report->forecast_from <= furthest;
}

static double at_least_0(double number) {
    return number > 0 ? number : 0;
}

/* The untraced part is known best, since RSS and the traced bytes are both counted. */
static void explain_rest(struct leak_report *report) {
    double rest = at_least_0(report->rss.rate - report->grown_rate);
    double untraced =
        at_least_0(report->rss.rate - at_least_0(report->rss.traced_rate));
    report->unexplained_rate = rest;
    report->untraced_rate = untraced < rest ? untraced : rest;
    report->unlisted_rate = rest - report->untraced_rate;
}

void leak_report_finish(struct leak_report *report) {
    if (report->count > 0)
        qsort(report->entries, report->count, sizeof *report->entries, compare);
    for (size_t i = 0; i < report->count; i++) {
        const struct leak_entry *entry = &report->entries[i];
        report->grown_rate += entry->bytes_rate;
        report->named_rate += entry->word >= LEAK_BACKLOG ? entry->bytes_rate : 0;
    }
    for (size_t i = 0; i < report->count && report->grown_rate > 0; i++)
        report->entries[i].share = report->entries[i].bytes_rate / report->grown_rate;
    explain_rest(report);
    forecast(report);
}

void leak_report_close(struct leak_report *report) {
    for (size_t i = 0; i < report->count; i++) {
        free(report->entries[i].lines);
        free(report->entries[i].process_rates);
    }
    free(report->entries);
    free(report->pids);
    *report = (struct leak_report){0};
}

bool leak_report_has_rates(const struct leak_report *report) {
    return report->brief < report->processes;
}

bool leak_report_has_verdict(const struct leak_report *report) {
    return report->count > 0 && report->entries[0].word >= LEAK_BACKLOG;
}

double leak_report_process_rate(const struct leak_entry *entry, uint32_t process) {
    return process < entry->process_capacity ? entry->process_rates[process] : 0;
}

const char *leak_report_word(enum leak_word word) {
    static const char *const words[] = {
        [LEAK_NONE] = "none",
        [LEAK_WATCH] = "watch",
        [LEAK_BACKLOG] = "backlog",
        [LEAK_LEAK] = "leak",
    };
    return words[word];
}

const char *leak_report_limit_name(uint32_t source) {
    static const char *const names[] = {
        [TRACEMALLOC_DUMP_LIMIT_CGROUP] = "cgroup",
        [TRACEMALLOC_DUMP_LIMIT_AS] = "RLIMIT_AS",
        [TRACEMALLOC_DUMP_LIMIT_DATA] = "RLIMIT_DATA",
        [TRACEMALLOC_DUMP_LIMIT_MACHINE] = "memory",
    };
    return source < sizeof names / sizeof *names ? names[source] : NULL;
}

const char *leak_report_source(const struct leak_report *report) {
    return report->limit != 0 ? leak_report_limit_name(report->limit_source) : NULL;
}
