/* SPDX-License-Identifier: MIT */
#include "profile/births.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/process.h"
#include "profile/last_epoch.h"

static_assert(TRACEMALLOC_DUMP_MAX_EPOCHS == 64, "a bit for each epoch");

/* A process that runs is seen now; if nothing happened, its timeline does not go on. */
static uint64_t end_of(const struct dump_reader *reader, uint32_t process,
                       struct dump_epochs epochs) {
    uint64_t end = last_epoch_end(reader, process, epochs);
    uint64_t now = dump_reader_may_run(reader) ? process_clock() : end;
    return now > end ? now : end;
}

void births_each_epoch(const struct dump_reader *reader,
                       void (*visit)(void *context, uint32_t process, unsigned epoch,
                                     struct birth_span span),
                       void *context) {
    for (uint32_t process = 0; process < reader->process_count; process++) {
        struct dump_epochs epochs = dump_reader_epochs(reader, process);
        for (unsigned i = 0; i < epochs.count; i++) {
            uint64_t end = i + 1 < epochs.count ? epochs.entries[i + 1].start
                                                : end_of(reader, process, epochs);
            visit(context, process, i,
                  (struct birth_span){epochs.entries[i].start, end});
        }
    }
}

static void widen(void *context, uint32_t process, unsigned epoch,
                  struct birth_span span) {
    struct birth_span *sum = context;
    (void)process;
    (void)epoch;
    sum->from = span.from < sum->from ? span.from : sum->from;
    sum->to = span.to > sum->to ? span.to : sum->to;
}

bool births_known(const struct dump_reader *reader, struct birth_span *known) {
    *known = (struct birth_span){UINT64_MAX, 0};
    births_each_epoch(reader, widen, known);
    return known->to >= known->from;
}

/* The epochs that a span touches. */
struct choice {
    const struct dump_reader *reader;
    struct birth_span span;
    struct dump_births births;
};

static void note_length(struct dump_births *births, uint64_t length) {
    if (births->longest == 0 || length < births->shortest)
        births->shortest = length;
    if (length > births->longest)
        births->longest = length;
}

/* The last epoch may have no length. */
static bool touches(struct birth_span span, struct birth_span epoch) {
    uint64_t end = epoch.to > epoch.from ? epoch.to : epoch.from + 1;
    return epoch.from < span.to && end > span.from;
}

static void choose(void *context, uint32_t process, unsigned epoch,
                   struct birth_span span) {
    struct choice *choice = context;
    struct dump_births *births = &choice->births;
    if (!touches(choice->span, span))
        return;
    births->epochs[process] |= (uint64_t)1 << epoch;
    births->from = span.from < births->from ? span.from : births->from;
    births->to = span.to > births->to ? span.to : births->to;
    if (epoch + 1 < dump_reader_epochs(choice->reader, process).count)
        note_length(births, span.to - span.from);
}

static uint64_t count_unknown(const struct dump_reader *reader) {
    uint64_t blocks = 0;
    for (size_t i = 0; i < reader->bucket_count; i++) {
        uint32_t site = dump_bucket_site(&reader->buckets[i]);
        if (reader->sites[site].stack == TRACEMALLOC_DUMP_OVERFLOW_STACK)
            blocks += reader->buckets[i].live;
    }
    return blocks;
}

int births_select(struct dump_reader *reader, const struct birth_range *range) {
    struct birth_span known;
    struct choice choice = {.reader = reader, .births = {.from = UINT64_MAX}};
    if (!range->is_set)
        return 0;
    if (!births_known(reader, &known))
        return -ENODATA;
    int error =
        birth_range_resolve(range, reader->header.start_time, known, &choice.span);
    if (error < 0)
        return error;
    choice.births.epochs = calloc(reader->process_count, sizeof *choice.births.epochs);
    if (choice.births.epochs == NULL)
        return -ENOMEM;
    births_each_epoch(reader, choose, &choice);
    choice.births.unknown = count_unknown(reader);
    reader->births = choice.births;
    return 0;
}
