/* SPDX-License-Identifier: MIT */
#include "export/lake_samples.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "collection/array.h"
#include "export/frame_table.h"
#include "export/stack_hash.h"
#include "profile/estimate.h"

/* Prevents that a small damaged file keeps an export busy or leads to a huge one. */
static const uint64_t max_frames = (uint64_t)1 << 28;

struct reading {
    struct lake_tables *tables;
    struct id_map *stacks;
    const struct export_input *input;
    const struct dump_reader *reader;
    struct frame_table frames;
    struct frame_cache cache;
    struct stack_hash *hashes; /* by frame */
    size_t hash_count, hash_capacity;
    uint32_t *window;       /* frames of a stack, innermost first */
    int64_t *stack_numbers; /* by stack: number + 1; 0 if it is not known yet */
    uint64_t frame_count;
    bool is_estimate;
};

static int open_reading(struct reading *reading, struct export_input *input) {
    const struct dump_reader *reader = input->reader;
    reading->frames.names = &input->names;
    reading->is_estimate = estimate_is_needed(reader);
    reading->window = calloc(reader->header.nframe + 1, sizeof *reading->window);
    reading->stack_numbers =
        calloc(reader->stack_count, sizeof *reading->stack_numbers);
    if (reading->window == NULL || reading->stack_numbers == NULL)
        return -ENOMEM;
    return frame_cache_open(&reading->cache, &input->shown);
}

static void close_reading(struct reading *reading) {
    frame_cache_close(&reading->cache);
    frame_table_close(&reading->frames);
    free(reading->hashes);
    free(reading->window);
    free(reading->stack_numbers);
}

static struct stack_hash hash_frame(const struct frame_table *table,
                                    const struct named_frame *frame) {
    struct dump_text file = frame_table_filename(table, frame);
    struct dump_text function = frame_table_function(table, frame);
    struct stack_hash hash = stack_hash_begin();
    stack_hash_add_text(&hash, file.bytes, file.length);
    stack_hash_add_text(&hash, function.bytes, function.length);
    stack_hash_add_number(&hash, frame->line);
    stack_hash_add_number(&hash, frame->native);
    return hash;
}

/* Frames that are new get their hashes. */
static int hash_frames(struct reading *reading) {
    size_t count = reading->frames.ids.count;
    int error = array_reserve(&reading->hashes, &reading->hash_capacity, count,
                              sizeof *reading->hashes);
    for (size_t i = reading->hash_count; error == 0 && i < count; i++)
        reading->hashes[i] = hash_frame(&reading->frames, &reading->frames.frames[i]);
    reading->hash_count = count;
    return error;
}

/* Fills the window. Returns the number of frames, or -errno. */
static int64_t walk(struct reading *reading, uint32_t stack) {
    uint32_t length = 0, longest = reading->reader->header.nframe;
    do {
        int64_t frame = frame_table_at(&reading->frames, &reading->cache, stack);
        if (frame < 0)
            return frame;
        reading->window[length++] = (uint32_t)frame;
        stack = reading->reader->stacks[stack].parent;
    } while (stack != TRACEMALLOC_DUMP_EMPTY_STACK && length < longest);
    reading->frame_count += length;
    return reading->frame_count > max_frames ? -EFBIG : (int64_t)length;
}

static void add_frames(struct reading *reading, int64_t number, int64_t length) {
    const enum lake_table table = LAKE_FRAMES;
    for (int64_t i = 0; i < length; i++) {
        const struct named_frame *frame = &reading->frames.frames[reading->window[i]];
        lake_tables_number(reading->tables, table, number);
        lake_tables_number(reading->tables, table, i);
        lake_tables_text(reading->tables, table,
                         frame_table_filename(&reading->frames, frame));
        lake_tables_text(reading->tables, table,
                         frame_table_function(&reading->frames, frame));
        lake_tables_number(reading->tables, table, frame->line);
        lake_tables_number(reading->tables, table, frame->native);
        lake_tables_end_row(reading->tables, table);
    }
}

/* Returns the number of a stack in the set, or -errno. */
static int64_t add_stack(struct reading *reading, uint32_t stack) {
    char text[STACK_HASH_TEXT_SIZE];
    struct stack_hash hash = stack_hash_begin();
    int64_t length = walk(reading, stack);
    int error = length < 0 ? (int)length : hash_frames(reading);
    if (error < 0)
        return error;
    for (int64_t i = 0; i < length; i++) {
        struct stack_hash frame = reading->hashes[reading->window[i]];
        stack_hash_add_number(&hash, frame.high);
        stack_hash_add_number(&hash, frame.low);
    }
    size_t known = reading->stacks->count;
    int64_t number = id_map_add(reading->stacks, (struct id_pair){hash.high, hash.low});
    if (number < 0 || (size_t)number < known)
        return number;
    stack_hash_format(hash, text);
    lake_tables_number(reading->tables, LAKE_STACK_IDS, number);
    lake_tables_word(reading->tables, LAKE_STACK_IDS, text);
    lake_tables_end_row(reading->tables, LAKE_STACK_IDS);
    add_frames(reading, number, length);
    return number;
}

static int64_t find_stack(struct reading *reading, uint32_t stack) {
    if (reading->stack_numbers[stack] != 0)
        return reading->stack_numbers[stack] - 1;
    int64_t number = add_stack(reading, stack);
    if (number >= 0)
        reading->stack_numbers[stack] = number + 1;
    return number;
}

static void put_domain(struct reading *reading, uint32_t domain) {
    const struct tracemalloc_dump_domain *entry = &reading->reader->domains[domain];
    struct dump_text name = dump_reader_text(reading->reader, entry->name);
    char number[16];
    snprintf(number, sizeof number, "%" PRIu32, entry->number);
    if (name.length > 0)
        lake_tables_text(reading->tables, LAKE_SAMPLES, name);
    else
        lake_tables_word(reading->tables, LAKE_SAMPLES, number);
}

static void put_weight(struct reading *reading, struct weight weight) {
    lake_tables_number(reading->tables, LAKE_SAMPLES, (int64_t)weight.size);
    lake_tables_number(reading->tables, LAKE_SAMPLES, (int64_t)weight.count);
}

/* Blocks of one size; of unknown sizes if `block_size` is negative. */
struct sample {
    int64_t block_size;
    struct weight live, peak, allocated;
};

static int add_sample(struct reading *reading, int64_t process, uint32_t site,
                      const struct sample *sample) {
    struct lake_tables *tables = reading->tables;
    const struct tracemalloc_dump_site *entry = &reading->reader->sites[site];
    int64_t stack = find_stack(reading, entry->stack);
    if (stack < 0)
        return (int)stack;
    lake_tables_number(tables, LAKE_SAMPLES, process);
    lake_tables_number(tables, LAKE_SAMPLES, stack);
    put_domain(reading, entry->domain);
    if (sample->block_size >= 0)
        lake_tables_number(tables, LAKE_SAMPLES, sample->block_size);
    else
        lake_tables_null(tables, LAKE_SAMPLES);
    put_weight(reading, sample->live);
    put_weight(reading, sample->peak);
    put_weight(reading, sample->allocated);
    if (reading->is_estimate) {
        lake_tables_real(tables, LAKE_SAMPLES, sample->live.variance);
        lake_tables_number(tables, LAKE_SAMPLES, (int64_t)sample->live.sampled);
    } else {
        lake_tables_null(tables, LAKE_SAMPLES);
        lake_tables_null(tables, LAKE_SAMPLES);
    }
    lake_tables_end_row(tables, LAKE_SAMPLES);
    return 0;
}

/* All that was allocated in a bucket. */
static struct weight allocated_of(const struct reading *reading, size_t number) {
    const struct tracemalloc_dump_bucket *bucket = &reading->reader->buckets[number];
    if (!reading->is_estimate)
        return (struct weight){.size = bucket->total * bucket->size,
                               .count = bucket->total};
    struct estimate sum = {0};
    estimate_add(&sum, reading->reader, bucket, bucket->total);
    return estimate_round(&sum, number);
}

/* Filters have removed the weight of what is not selected. */
static bool is_wanted(const struct reading *reading, uint32_t site,
                      const int64_t *numbers) {
    const struct export_input *input = reading->input;
    return numbers[reading->reader->sites[site].process] >= 0 &&
           (input->allocated.sites[site].count > 0 ||
            input->shown.sites[site].count > 0 || input->peak.sites[site].count > 0);
}

/* What a site allocated in buckets that it has no longer. */
static struct sample folded(const struct reading *reading, uint32_t site) {
    const struct tracemalloc_dump_site *entry = &reading->reader->sites[site];
    return (struct sample){
        .block_size = -1,
        .allocated = {.size = entry->total_bytes, .count = entry->total_blocks},
    };
}

static int add_all(struct reading *reading, const int64_t *numbers, size_t *rows) {
    const struct dump_reader *reader = reading->reader;
    int error = 0;
    for (size_t i = 0; error == 0 && i < reader->bucket_count; i++) {
        const struct tracemalloc_dump_bucket *bucket = &reader->buckets[i];
        uint32_t site = dump_bucket_site(bucket);
        const struct sample sample = {
            .block_size = (int64_t)bucket->size,
            .live = profile_bucket_weight(reader, bucket, PROFILE_NOW),
            .peak = profile_bucket_weight(reader, bucket, PROFILE_PEAK),
            .allocated = allocated_of(reading, i),
        };
        bool has_any = sample.live.count > 0 || sample.peak.count > 0 ||
                       sample.allocated.count > 0;
        if (!has_any || !is_wanted(reading, site, numbers))
            continue;
        error =
            add_sample(reading, numbers[reader->sites[site].process], site, &sample);
        ++*rows;
    }
    for (uint32_t i = 0; error == 0 && i < reader->site_count; i++) {
        const struct sample sample = folded(reading, i);
        if (sample.allocated.count == 0 || !is_wanted(reading, i, numbers))
            continue;
        error = add_sample(reading, numbers[reader->sites[i].process], i, &sample);
        ++*rows;
    }
    return error;
}

int lake_samples_add(struct lake_tables *tables, struct id_map *stacks,
                     struct export_input *input, const int64_t *numbers, size_t *rows) {
    struct reading reading = {
        .tables = tables,
        .stacks = stacks,
        .input = input,
        .reader = input->reader,
    };
    int error = open_reading(&reading, input);
    if (error == 0)
        error = add_all(&reading, numbers, rows);
    close_reading(&reading);
    return error;
}
