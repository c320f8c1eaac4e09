/* SPDX-License-Identifier: MIT */
#include "trace/timeline.h"

#include <time.h>

#include "base/io.h"
#include "base/machine.h"
#include "base/process.h"
#include "trace/epoch_table.h"
#include "trace/memory_limit.h"
#include "trace/memory_watch.h"
#include "trace/tables_valid.h"
#include "trace/tracer.h"

enum {
    FIRST_INTERVAL = 10000000, /* nanoseconds */
    MAX_SAMPLES = 32768,
    REST = 50,           /* measuring takes at most this fraction of the time */
    BUCKET_REST = 20000, /* min length of an epoch for each bucket made in it, ns */
};

uint64_t timeline_next_time;

static struct dump_file *dump;
/* CLOCK_MONOTONIC, nanoseconds. */
static uint64_t start_time, interval, next_measure;
static uint64_t epoch_length, next_epoch;

static uint64_t read_clock(clockid_t clock) {
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static uint64_t monotonic(void) {
    return read_clock(CLOCK_MONOTONIC);
}

static uint64_t sample_count(void) {
    return dump->header->sections[TRACEMALLOC_DUMP_TIMELINE].count;
}

static struct tracemalloc_dump_timeline_sample *samples(void) {
    return (void *)dump->base[TRACEMALLOC_DUMP_TIMELINE];
}

/* Drops every second sample. */
static void thin(void) {
    uint64_t kept = sample_count() / 2;
    for (uint64_t i = 0; i < kept; i++)
        samples()[i] = samples()[2 * i];
    dump_file_publish(dump, TRACEMALLOC_DUMP_TIMELINE, kept);
    interval *= 2;
}

static void append(uint64_t time) {
    struct tracemalloc_dump_header *header = dump->header;
    uint64_t at = sample_count();
    if (at == MAX_SAMPLES ||
        (dump_file_reserve(dump, TRACEMALLOC_DUMP_TIMELINE, at + 1) < 0 && at > 1)) {
        thin();
        at = sample_count();
    }
    if (dump_file_reserve(dump, TRACEMALLOC_DUMP_TIMELINE, at + 1) < 0)
        return;
    struct process_memory memory = process_memory_read();
    header->shared_bytes = memory.shared;
    samples()[at] = (struct tracemalloc_dump_timeline_sample){
        time, header->python_bytes, header->native_bytes, memory.resident};
    dump_file_publish(dump, TRACEMALLOC_DUMP_TIMELINE, at + 1);
}

/* What cannot be read is unchanged. */
static void name_process(void) {
    struct tracemalloc_dump_header *header = dump->header;
    (void)!process_title(0, header->title, sizeof header->title);
    (void)!process_comm(0, header->comm, sizeof header->comm);
}

/* Takes the thread's CPU time, not the time that it waits for a processor. */
static void measure(uint64_t now) {
    uint64_t begin = read_clock(CLOCK_THREAD_CPUTIME_ID);
    tracer_measure();
    /* If another process truncated the dump, the tables hold zeros, and tracing has
     * stopped. */
    assert(tables_are_valid(dump) || !gate.active);
    name_process();
    next_measure = now + REST * (read_clock(CLOCK_THREAD_CPUTIME_ID) - begin);
}

/* Nanoseconds since 1970, by the clock that is not put back. */
static uint64_t since_1970(uint64_t now) {
    return dump->header->start_time + (now - start_time);
}

static void begin_epoch(uint64_t now) {
    /* A new epoch makes each bucket in use anew: that is to take at most a hundredth of
     * the time. */
    uint64_t min_length = (uint64_t)bucket_table.created * BUCKET_REST;
    struct memory_limit limit = memory_limit_read(process_memory_read().resident);
    if (epoch_table_begin(dump, since_1970(now)))
        epoch_length *= 2;
    dump->header->memory_limit = limit.bytes;
    dump->header->memory_limit_source = limit.source;
    next_epoch = now + (epoch_length > min_length ? epoch_length : min_length);
}

/* Growth by large blocks takes few events: then the next one reads the clock. */
static cold_path void watch_memory(uint64_t now) {
    bool is_fast = memory_watch_ask(now, event_clock.stride);
    event_clock_begin(is_fast ? 1 : EVENT_CLOCK_MIN_STRIDE);
}

/* The coarse clock is late by up to a step: it decides whether a sample is due, and the
 * exact clock gives the sample's time. */
void timeline_tick(struct event_guard guard) {
    event_guard_check(guard);
    uint64_t coarse = read_clock(CLOCK_MONOTONIC_COARSE);
    if (unlikely(memory_watch_is_open))
        watch_memory(coarse);
    else
        event_clock_note(coarse);
    if (likely(coarse < timeline_next_time))
        return;
    uint64_t now = monotonic();
    if (now >= next_measure)
        measure(now);
    append(now - start_time);
    if (now >= next_epoch)
        begin_epoch(now);
    timeline_next_time = now + interval;
}

void timeline_add(void) {
    if (dump == NULL || dump->header == NULL)
        return;
    measure(monotonic());
    append(monotonic() - start_time);
}

void timeline_open(struct dump_file *file) {
    dump = file;
    dump_file_publish(file, TRACEMALLOC_DUMP_TIMELINE, 0);
    start_time = monotonic();
    interval = FIRST_INTERVAL;
    next_measure = start_time;
    /* The child of a fork goes on with its parent's epochs. */
    if (file->header->sections[TRACEMALLOC_DUMP_EPOCHS].count == 0) {
        epoch_length = EPOCH_TABLE_FIRST;
        memory_limit_open();
        begin_epoch(start_time);
    }
    timeline_next_time = 0;
    event_clock_restart();
}
