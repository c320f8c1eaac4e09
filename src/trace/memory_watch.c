/* SPDX-License-Identifier: MIT */
#include "trace/memory_watch.h"

#include <string.h>

enum {
    INTERVAL = 10000000,    /* nanoseconds between two readings */
    LIMITS_INTERVAL = 10,   /* readings between two searches for limits */
    LARGE_BLOCK = 64 << 10, /* bytes; fewer are not worth asking at each */
    FEW_EVENTS = 64,        /* so many after a large block, more of them may come */
    SHARE = 64,             /* growth by this part of the limit is read at once */
};

bool memory_watch_is_open;

static struct dump_file *dump;
static struct options_thresholds left;
static memory_watch_reached *call;
static uint64_t next_time;
static uint64_t last_bytes;        /* live, at the last call */
static uint64_t grown, max_growth; /* live bytes since the last reading */
static unsigned readings;
static uint32_t events_after_large;

void memory_watch_open(struct dump_file *file,
                       const struct options_thresholds *thresholds,
                       memory_watch_reached *reached) {
    dump = file;
    left = *thresholds;
    call = reached;
    next_time = last_bytes = grown = max_growth = readings = 0;
    events_after_large = FEW_EVENTS;
    memory_watch_is_open = left.count > 0;
}

void memory_watch_close(void) {
    memory_watch_is_open = false;
}

static bool is_reached(const struct options_threshold *threshold,
                       const struct memory_use *use) {
    if (threshold->unit != '%')
        return use->resident >= options_threshold_bytes(threshold);
    return use->limit != 0 &&
           (double)use->used * 100 >= (double)use->limit * (double)threshold->number;
}

/* Below it, how much of a cgroup's memory is file pages does not matter. */
static unsigned least_percent(void) {
    unsigned least = 50;
    for (uint32_t i = 0; i < left.count; i++)
        if (left.entries[i].unit == '%' && left.entries[i].number < least)
            least = (unsigned)left.entries[i].number;
    return least;
}

/* A threshold is taken out before it is reported: it is reached once. */
static void report_reached(const struct memory_use *use) {
    for (uint32_t i = 0; i < left.count;) {
        struct options_threshold threshold = left.entries[i];
        if (!is_reached(&threshold, use)) {
            i++;
            continue;
        }
        left.count--;
        memmove(left.entries + i, left.entries + i + 1,
                (left.count - i) * sizeof *left.entries);
        call(&threshold, use);
    }
}

static void read_use(void) {
    struct tracemalloc_dump_header *header = dump->header;
    if (readings++ % LIMITS_INTERVAL == 0)
        memory_use_find_limits();
    struct memory_use use = memory_use_read(least_percent());
    header->nearest_used = use.used;
    header->nearest_limit = use.limit;
    header->nearest_source = use.source;
    max_growth = (use.limit != 0 ? use.limit : use.resident) / SHARE;
    report_reached(&use);
}

bool memory_watch_ask(uint64_t now, uint32_t events) {
    uint64_t bytes = dump->header->python_bytes + dump->header->native_bytes;
    uint64_t more = bytes > last_bytes ? bytes - last_bytes : 0;
    last_bytes = bytes;
    grown += more;
    if (now >= next_time || grown > max_growth) {
        next_time = now + INTERVAL;
        grown = 0;
        read_use();
    }
    if (more / LARGE_BLOCK >= events)
        events_after_large = 0;
    else if (events_after_large < FEW_EVENTS)
        events_after_large += events;
    return events_after_large < FEW_EVENTS;
}
