/* SPDX-License-Identifier: MIT */
#include "show/resident.h"

#include <sys/stat.h>

#include "base/machine.h"
#include "dump/dump_process.h"
#include "process/live_dump.h"
#include "process/memory_map.h"
#include "profile/last_sample.h"

/* Of the interpreter's own allocator, and of libc's; bytes. */
enum {
    MAX_SMALL = 512,
    SMALL_ALIGNMENT = 16,
    CHUNK_HEADER = 8,
    CHUNK_ALIGNMENT = 16,
    MIN_CHUNK = 32,
    MIN_MAPPED = 128 << 10, /* blocks that have a mapping of their own; at first */
};

/* What the blocks take. */
struct blocks {
    uint64_t python, libc, mmap;
    uint64_t in_arenas; /* with what they are rounded up by */
    uint64_t in_heap;   /* chunks of libc's heaps */
    uint64_t mapped;    /* chunks with mappings of their own, as a rule */
    uint64_t overhead;
};

static uint64_t round_up(uint64_t size, uint64_t alignment) {
    return (size + alignment - 1) / alignment * alignment;
}

static uint64_t minimum(uint64_t first, uint64_t second) {
    return first < second ? first : second;
}

static uint64_t less(uint64_t first, uint64_t second) {
    return first > second ? first - second : 0;
}

static void add_chunks(struct blocks *blocks, uint64_t size, struct weight weight) {
    bool is_mapped = size >= MIN_MAPPED;
    uint64_t chunk = is_mapped ? machine_whole_pages(size + 2 * CHUNK_HEADER)
                               : round_up(size + CHUNK_HEADER, CHUNK_ALIGNMENT);
    chunk = chunk > MIN_CHUNK ? chunk : MIN_CHUNK;
    uint64_t bytes = weight.size + weight.count * (chunk - size);
    blocks->overhead += weight.count * (chunk - size);
    if (is_mapped)
        blocks->mapped += bytes;
    else
        blocks->in_heap += bytes;
}

static void add_blocks(struct blocks *blocks, uint32_t domain, bool has_arenas,
                       uint64_t size, struct weight weight) {
    bool is_small = domain == TRACEMALLOC_DUMP_DOMAIN_PYTHON && size <= MAX_SMALL;
    if (domain == TRACEMALLOC_DUMP_DOMAIN_MMAP) {
        blocks->mmap += weight.size;
        return;
    }
    if (domain == TRACEMALLOC_DUMP_DOMAIN_LIBC)
        blocks->libc += weight.size;
    else
        blocks->python += weight.size;
    if (!is_small || !has_arenas) {
        add_chunks(blocks, size, weight);
        return;
    }
    uint64_t extra = weight.count * (round_up(size, SMALL_ALIGNMENT) - size);
    blocks->in_arenas += weight.size + extra;
    blocks->overhead += extra;
}

static void measure_blocks(struct blocks *blocks, const struct profile *profile) {
    const struct dump_reader *reader = profile->reader;
    *blocks = (struct blocks){0};
    for (size_t i = 0; i < reader->bucket_count; i++) {
        const struct tracemalloc_dump_bucket *bucket = &reader->buckets[i];
        struct weight weight = profile_bucket_weight(reader, bucket, PROFILE_NOW);
        if (weight.count == 0)
            continue;
        const struct tracemalloc_dump_site *site =
            &reader->sites[dump_bucket_site(bucket)];
        add_blocks(blocks, reader->domains[site->domain].number,
                   reader->header.arena_bytes > 0, bucket->size, weight);
    }
}

/* Reads the mappings of the process that writes this dump. */
static bool read_map(struct memory_map *map, const struct dump_reader *reader) {
    struct process_status status;
    struct live_dump dump;
    struct stat file;
    pid_t pid = dump_process_pid(&reader->header);
    if (reader->process_count != 1 || reader->state != TRACEMALLOC_DUMP_TRACING ||
        pid == 0 || process_status_read(pid, &status) < 0 ||
        live_dump_open(&dump, &status) < 0)
        return false;
    bool is_same = dump.fd >= 0 &&
                   dump.header.start_time == reader->header.start_time &&
                   fstat(dump.fd, &file) == 0;
    uint64_t inode = is_same && !dump.is_memory ? file.st_ino : 0;
    live_dump_close(&dump);
    return is_same && memory_map_read(map, pid, inode) == 0 && map->whole > 0;
}

/* Large chunks are in anonymous memory or, once libc has raised its threshold, in the
 * heap; or they were not touched. What the heap has beyond them is free. */
static uint64_t find_free(const struct blocks *blocks, uint64_t heap,
                          uint64_t anonymous) {
    return less(heap, blocks->in_heap + less(blocks->mapped, anonymous));
}

static void add_map(struct resident *resident, const struct memory_map *map,
                    const struct blocks *blocks, uint64_t arenas) {
    uint64_t *parts = resident->parts;
    /* Shared memory without a file is a block of the mmap domain, as a rule. */
    uint64_t both = minimum(map->shared_anonymous, parts[RESIDENT_MMAP]);
    uint64_t others = arenas + parts[RESIDENT_MMAP] - both + parts[RESIDENT_TRACER];
    resident->whole = map->whole;
    resident->swapped = map->swapped;
    resident->is_live = true;
    resident->stacks = map->stack_count;
    resident->arenas = map->arena_count;
    parts[RESIDENT_LIBC_FREE] =
        find_free(blocks, map->heap, less(map->anonymous, others));
    parts[RESIDENT_SHARED] = map->shared - both;
    parts[RESIDENT_FILES] = map->modules + map->files;
    parts[RESIDENT_STACKS] = map->stacks;
    parts[RESIDENT_TRACER] += map->tracer;
}

/* By how much the parts are more than the whole. */
static uint64_t excess_of(const struct resident *resident) {
    uint64_t sum = 0;
    for (int part = 0; part < RESIDENT_REST; part++)
        sum += resident->parts[part];
    return less(sum, resident->whole);
}

/* The rest; or what is not resident, though it is in the parts. Room in arenas may not
 * have been used yet; and of a process that has ended, what is shared memory and mapped
 * was counted as both. */
static void balance(struct resident *resident) {
    uint64_t *parts = resident->parts, sum = 0;
    if (resident->whole == 0)
        return;
    parts[RESIDENT_ARENAS_FREE] -=
        minimum(excess_of(resident), parts[RESIDENT_ARENAS_FREE]);
    uint64_t both =
        resident->is_live ? 0 : minimum(parts[RESIDENT_MMAP], parts[RESIDENT_FILES]);
    parts[RESIDENT_FILES] -= minimum(excess_of(resident), both);
    for (int part = 0; part < RESIDENT_REST; part++)
        sum += parts[part];
    parts[RESIDENT_REST] = less(resident->whole, sum);
    resident->not_resident = excess_of(resident);
}

static uint64_t find_whole(const struct dump_reader *reader) {
    size_t count = last_sample_find(reader);
    return reader->process_count == 1 && count > 0
               ? reader->timeline[count - 1].rss_bytes
               : 0;
}

void resident_find(struct resident *resident, const struct profile *profile) {
    const struct dump_reader *reader = profile->reader;
    const struct tracemalloc_dump_header *header = &reader->header;
    struct blocks blocks;
    struct memory_map map;
    measure_blocks(&blocks, profile);
    bool is_whole = reader->births.epochs == NULL;
    *resident = (struct resident){.whole = is_whole ? find_whole(reader) : 0};
    uint64_t *parts = resident->parts;
    parts[RESIDENT_PYTHON] = blocks.python;
    parts[RESIDENT_LIBC] = blocks.libc;
    parts[RESIDENT_OVERHEAD] = blocks.overhead;
    if (!is_whole) {
        parts[RESIDENT_MMAP] = blocks.mmap;
        return;
    }
    parts[RESIDENT_ARENAS_FREE] = less(header->arena_bytes, blocks.in_arenas);
    /* Mapped memory that was never touched is not resident. */
    parts[RESIDENT_MMAP] = minimum(blocks.mmap, header->mapped_resident_bytes);
    parts[RESIDENT_TRACER] = header->tracer_bytes;
    if (read_map(&map, reader)) {
        add_map(resident, &map, &blocks, header->arena_bytes);
    } else {
        parts[RESIDENT_TRACER] += header->file_size;
        parts[RESIDENT_FILES] =
            minimum(less(header->shared_bytes, header->file_size), resident->whole);
    }
    balance(resident);
}

uint64_t resident_blocks(const struct resident *resident) {
    const uint64_t *parts = resident->parts;
    return parts[RESIDENT_PYTHON] + parts[RESIDENT_LIBC] + parts[RESIDENT_MMAP];
}

static const struct {
    const char *label, *key;
} names[RESIDENT_PARTS] = {
    [RESIDENT_PYTHON] = {"Python", "python"},
    [RESIDENT_ARENAS_FREE] = {"free arenas", "arenas_free"},
    [RESIDENT_LIBC] = {"libc", "libc"},
    [RESIDENT_LIBC_FREE] = {"free in libc", "libc_free"},
    [RESIDENT_OVERHEAD] = {"rounding", "overhead"},
    [RESIDENT_MMAP] = {"mmap", "mmap"},
    [RESIDENT_SHARED] = {"shared", "shared"},
    [RESIDENT_FILES] = {"code, files", "files"},
    [RESIDENT_STACKS] = {"stacks", "stacks"},
    [RESIDENT_TRACER] = {"the tracer", "tracer"},
    [RESIDENT_REST] = {"the rest", "rest"},
};

const char *resident_label(enum resident_part part) {
    return names[part].label;
}

/* Whether a part can be told from the rest. */
static bool is_known(const struct resident *resident, enum resident_part part) {
    bool is_of_map = part == RESIDENT_LIBC_FREE || part == RESIDENT_SHARED ||
                     part == RESIDENT_STACKS;
    if (is_of_map)
        return resident->is_live;
    return resident->whole > 0 || (part != RESIDENT_REST && part != RESIDENT_FILES);
}

void resident_add_json(struct json_writer *writer, const char *key,
                       const struct resident *resident) {
    json_writer_key(writer, key);
    json_writer_open_map(writer);
    json_writer_add_if_known(writer, "bytes", resident->whole > 0, resident->whole);
    for (int i = 0; i < RESIDENT_PARTS; i++)
        json_writer_add_if_known(writer, names[i].key, is_known(resident, i),
                                 resident->parts[i]);
    json_writer_add_if_known(writer, "not_resident", resident->whole > 0,
                             resident->not_resident);
    json_writer_add_if_known(writer, "swapped", resident->is_live, resident->swapped);
    json_writer_key(writer, "live");
    json_writer_bool(writer, resident->is_live);
    json_writer_close_map(writer);
}
