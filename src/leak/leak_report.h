/* SPDX-License-Identifier: MIT */
/* What `leaks` says: the entries of all processes together, by line, and when the
 * memory runs out.
 *
 * For offline code; allocates; one thread at a time. Readers, profiles and their name
 * table belong to the caller and must outlive the report.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "leak/leak_lines.h"
#include "leak/rss_trend.h"

struct leak_entry {
    struct frame frame; /* the line that is named */
    struct dump_text function;
    enum leak_word word;
    bool is_one_block; /* a block that grows */
    bool slows;
    bool has_died;                  /* blocks were freed late */
    double bytes_rate, blocks_rate; /* a second */
    double sure_rate;               /* bytes a second, at least */
    double share;                   /* of what all verdicts and watches grow by */
    uint64_t since;                 /* nanoseconds since 1970 */
    double oldest_seconds;
    double death_seconds; /* of the survivors no older one was freed */
    double freed_late_share;
    uint64_t live_bytes, live_blocks;
    struct frame caller; /* line 0: none */
    struct dump_text caller_function;
    double caller_share;
    struct frame allocated_in; /* the innermost frame of the example */
    uint32_t processes;        /* in how many it grows */
    double *process_rates;     /* by process of the report; NULL: only one */
    size_t process_capacity;
    /* An example of a traceback. */
    const struct profile *profile;
    uint32_t stack;
    /* Of the line that carries most, in the process of the example: its live blocks by
     * epoch of birth. */
    struct leak_time time;
    uint64_t born[TRACEMALLOC_DUMP_MAX_EPOCHS];
    struct frame *lines; /* the others that rise in step */
    size_t line_count;
    size_t line_capacity;
};

struct leak_report {
    struct leak_entry *entries; /* verdicts first, the worst first */
    size_t count;
    size_t capacity;
    uint32_t processes; /* that were examined */
    uint32_t *pids;     /* theirs */
    size_t pid_capacity;
    uint32_t untimed; /* of these without epochs */
    uint32_t brief;   /* of these watched too short for a rate; they have no entries */
    double watched_seconds;
    double named_rate; /* bytes a second of the verdicts */
    double grown_rate; /* of all entries */
    struct rss_trend rss;
    double unexplained_rate; /* by which RSS grows beyond the entries */
    /* Its parts: traced blocks that are in no entry, and memory outside traced blocks,
     * such as free space in arenas, threads' stacks and mappings. */
    double unlisted_rate, untraced_rate;
    uint64_t limit;        /* 0: none is known */
    uint32_t limit_source; /* enum tracemalloc_dump_limit */
    bool has_forecast;
    double forecast_from, forecast_to; /* seconds from now */
};

/* Adds one process of a dump. 0 or -ENOMEM. */
must_check int leak_report_add(struct leak_report *report,
                               const struct profile *profile, uint32_t process);
/* Adds the RSS of a dump, and its limit. */
void leak_report_add_rss(struct leak_report *report, const struct dump_reader *reader);
/* Sorts the entries, and works out shares and the forecast. */
void leak_report_finish(struct leak_report *report);
void leak_report_close(struct leak_report *report);

/* Whether a process was watched for long enough that rates say something; if not, there
 * are no entries, and all rates are 0. */
bool leak_report_has_rates(const struct leak_report *report);
/* Whether there is a verdict. */
bool leak_report_has_verdict(const struct leak_report *report);
/* By how many bytes a second an entry grows in one of the processes. */
double leak_report_process_rate(const struct leak_entry *entry, uint32_t process);
/* `leak`, `backlog` or `watch`. */
const char *leak_report_word(enum leak_word word);
/* The names of enum tracemalloc_dump_limit; NULL for any other number, and for none. */
const char *leak_report_limit_name(uint32_t source);
/* What the limit is: `cgroup`, `RLIMIT_AS`, `RLIMIT_DATA` or `memory`; NULL: none. */
const char *leak_report_source(const struct leak_report *report);
