/* SPDX-License-Identifier: MIT */
#include "trace/census.h"

#include <errno.h>
#include <time.h>

#include "base/arena.h"
#include "base/machine.h"
#include "base/process.h"
#include "dump/dump_census.h"
#include "trace/block_map.h"
#include "trace/bucket_table.h"
#include "trace/name_table.h"
#include "trace/tracer.h"

enum {
    FIRST_SLOTS = 8192,
    MAX_TABLE_TYPES = 8,
    /* One page of slots at once, with the head of the last block. */
    WINDOW = MACHINE_MAX_PAGE / sizeof(uint32_t) * 16,
};

/* All of it is there only while a census is taken. */
static struct census {
    const struct census_source *source;
    struct dump_file *dump;
    struct tracemalloc_dump_census *entries;
    struct tracemalloc_dump_type *types;
    uint64_t count, type_count, seen;
    struct id_table index;      /* of entries, from 1 */
    struct id_table type_index; /* of types */
    uint32_t *last;             /* by bucket: the entry found last, from 1; or 0 */
    uint64_t buckets;
    unsigned char *window;            /* WINDOW + CENSUS_HEAD bytes */
    uint32_t tables[MAX_TABLE_TYPES]; /* types of tables */
    unsigned table_types;
} census;

static uint64_t monotonic(void) {
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint32_t census_type(const char *name, size_t length) {
    tracemalloc_dump_string text = name_table_string(name, length);
    uint64_t hash = hash_mix(text);
    struct id_probe probe;
    uint32_t id;
    for (id_probe_start(&probe, &census.type_index, hash);
         (id = id_probe_next(&probe)) != 0;)
        if (census.types[id].name == text)
            return id;
    if (dump_file_reserve(census.dump, TRACEMALLOC_DUMP_TYPES, census.type_count + 1) <
            0 ||
        id_table_add(&census.type_index, hash, (uint32_t)census.type_count) < 0)
        return 0;
    census.types[census.type_count] = (struct tracemalloc_dump_type){text, 0};
    return (uint32_t)census.type_count++;
}

/* The entry of a bucket and a type, from 1; 0 if there is no room. */
static uint32_t find(uint32_t bucket, uint32_t type) {
    uint64_t hash = hash_pair(bucket, type);
    struct id_probe probe;
    uint32_t id;
    for (id_probe_start(&probe, &census.index, hash);
         (id = id_probe_next(&probe)) != 0;)
        if (census.entries[id - 1].bucket == bucket &&
            census.entries[id - 1].type == type)
            return id;
    if (dump_file_reserve(census.dump, TRACEMALLOC_DUMP_CENSUS, census.count + 1) < 0)
        return 0;
    id = (uint32_t)census.count + 1;
    if (id_table_add(&census.index, hash, id) < 0)
        return 0;
    census.entries[census.count++] =
        (struct tracemalloc_dump_census){.bucket = bucket, .type = type};
    return id;
}

/* The bucket of a slot, if its block may hold an object; else 0. */
static uint32_t bucket_of(uint32_t slot) {
    uint32_t bucket = slot & BLOCK_MAP_BUCKET;
    if (bucket == 0 || bucket >= census.buckets ||
        (bucket_at(bucket)->site & TRACEMALLOC_DUMP_NOT_PYTHON) != 0)
        return 0;
    return bucket;
}

static bool is_table(uint32_t type) {
    for (unsigned i = 0; i < census.table_types; i++)
        if (census.tables[i] == type)
            return true;
    return false;
}

/* Whether it is one from now on. */
static bool note_table(uint32_t type) {
    if (is_table(type))
        return true;
    if (census.table_types == MAX_TABLE_TYPES)
        return false;
    census.tables[census.table_types++] = type;
    return true;
}

/* A table is visited as well, as a block without an object, before or after its owner:
 * that is taken back here. */
static cold_path void count_table(uintptr_t address, uint32_t type) {
    const uint32_t *slot = block_map_is_start(address) ? block_map_find(address) : NULL;
    uint32_t bucket = slot != NULL ? bucket_of(*slot) : 0;
    uint32_t none = bucket != 0 && note_table(type) ? find(bucket, 0) : 0;
    uint32_t id = none != 0 ? find(bucket, type) : 0;
    if (id == 0)
        return;
    census.entries[none - 1].blocks--;
    census.entries[id - 1].blocks++;
}

static void count_block(uint32_t bucket, const unsigned char *head) {
    uintptr_t table;
    uint32_t table_type;
    uint64_t size = bucket_at(bucket)->size;
    uint32_t type = census.source->type_of(head, size, &table, &table_type);
    uint32_t id = census.last[bucket];
    if (unlikely(id == 0 || census.entries[id - 1].type != type))
        id = census.last[bucket] = find(bucket, type);
    if (unlikely(id == 0))
        return;
    census.entries[id - 1].blocks++;
    census.seen++;
    if (table != 0)
        count_table(table, table_type);
}

/* Of a block that a window has only in part, or not at all. */
static void count_alone(uint32_t bucket, uintptr_t address) {
    unsigned char head[CENSUS_HEAD] = {0};
    uint64_t size = bucket_at(bucket)->size;
    size_t wanted = size < CENSUS_HEAD ? (size_t)size : CENSUS_HEAD;
    if (own_memory_read(census.source->memory, address, head, wanted) == wanted)
        count_block(bucket, head);
}

/* Reads from the first block to the last one's head. */
static bool visit(uintptr_t address, const uint32_t *slots, unsigned count,
                  void *context) {
    unsigned first = 0, end = count;
    (void)context;
    while (first < count && bucket_of(slots[first]) == 0)
        first++;
    while (end > first && bucket_of(slots[end - 1]) == 0)
        end--;
    if (first == end)
        return true;
    const unsigned shift = block_map.granule_shift;
    uintptr_t start = address + ((uintptr_t)first << shift);
    size_t size = ((size_t)(end - 1 - first) << shift) + CENSUS_HEAD;
    size_t got = own_memory_read(census.source->memory, start, census.window, size);
    for (unsigned i = first; i < end; i++) {
        size_t at = (size_t)(i - first) << shift;
        uint32_t bucket = bucket_of(slots[i]);
        if (bucket == 0)
            continue;
        if (likely(at + CENSUS_HEAD <= got))
            count_block(bucket, census.window + at);
        else
            count_alone(bucket, start + at);
    }
    return true;
}

static int open(const struct census_source *source) {
    census = (struct census){
        .source = source,
        .dump = tracer.dump,
        .entries = (void *)tracer.dump->base[TRACEMALLOC_DUMP_CENSUS],
        .types = (void *)tracer.dump->base[TRACEMALLOC_DUMP_TYPES],
        .buckets = tracer.dump->header->sections[TRACEMALLOC_DUMP_BUCKETS].count,
    };
    census.last = arena_map(census.buckets * sizeof *census.last);
    census.window = arena_map(WINDOW + CENSUS_HEAD);
    int error = census.last != NULL && census.window != NULL ? 0 : -ENOMEM;
    if (error == 0)
        error = id_table_open(&census.index, FIRST_SLOTS);
    if (error == 0)
        error = id_table_open(&census.type_index, FIRST_SLOTS);
    if (error == 0)
        error = dump_file_reserve(census.dump, TRACEMALLOC_DUMP_TYPES, 1);
    if (error == 0)
        census.types[census.type_count++] = (struct tracemalloc_dump_type){0};
    return error;
}

static void close(void) {
    if (census.last != NULL)
        arena_unmap(census.last, census.buckets * sizeof *census.last);
    if (census.window != NULL)
        arena_unmap(census.window, WINDOW + CENSUS_HEAD);
    id_table_close(&census.index);
    id_table_close(&census.type_index);
}

/* Live blocks of Python's own domain. */
static uint64_t count_live(void) {
    uint64_t live = 0;
    for (uint32_t id = 1; id < census.buckets; id++)
        if ((bucket_at(id)->site & TRACEMALLOC_DUMP_NOT_PYTHON) == 0)
            live += bucket_at(id)->live;
    return live;
}

/* An object that is being freed may name a block that is no longer its table. Then
 * fewer blocks than none hold no object: that many are no tables. */
static void correct_tables(void) {
    for (uint64_t id = 0; id < census.buckets; id++)
        census.last[id] = 0;
    for (uint64_t i = 0; i < census.count; i++)
        if ((int32_t)census.entries[i].blocks < 0) {
            census.last[census.entries[i].bucket] = -census.entries[i].blocks;
            census.entries[i].blocks = 0;
        }
    for (uint64_t i = 0; i < census.count; i++) {
        struct tracemalloc_dump_census *entry = &census.entries[i];
        uint32_t *wrong = &census.last[entry->bucket];
        if (*wrong == 0 || !is_table(entry->type))
            continue;
        uint32_t less = *wrong < entry->blocks ? *wrong : entry->blocks;
        entry->blocks -= less;
        *wrong -= less;
    }
}

static void drop_empty(void) {
    uint64_t kept = 0;
    for (uint64_t i = 0; i < census.count; i++)
        if (census.entries[i].blocks > 0)
            census.entries[kept++] = census.entries[i];
    census.count = kept;
}

static void publish(uint64_t began) {
    struct tracemalloc_dump_header *header = census.dump->header;
    correct_tables();
    drop_empty();
    dump_file_publish(census.dump, TRACEMALLOC_DUMP_TYPES, census.type_count);
    dump_file_publish(census.dump, TRACEMALLOC_DUMP_CENSUS, census.count);
    uint64_t live = count_live();
    header->census_unread = live > census.seen ? live - census.seen : 0;
    header->census_duration = monotonic() - began;
    header->census_time = process_clock();
}

int census_take(const struct census_source *source) {
    uint64_t began = monotonic();
    dump_census_drop(tracer.dump);
    int error = open(source);
    if (error == 0) {
        block_map_visit(visit, NULL);
        publish(began);
    }
    close();
    return error;
}
