/* SPDX-License-Identifier: MIT */
#include "trace/bucket_table.h"

#include <errno.h>
#include <string.h>

#include "base/arena_array.h"
#include "dump/dump_census.h"
#include "dump/dump_temporary.h"
#include "trace/event_clock.h"
#include "trace/name_table.h"
#include "trace/site_table.h"

enum {
    FIRST_SLOTS = 8192,
    MAX_BUCKETS = 0x7fffffff, /* a slot of the block map has 31 bits for an id */
    MIN_RECLAIM = 4096,       /* buckets in a table that is worth a sweep */
    RESERVED_BUCKETS = 1024,  /* for the overflow's blocks once the dump is full */
};

struct bucket_table bucket_table;

static struct dump_file *dump;
/* [next_reserved, reserved_end): ids that only the overflow may take. */
static uint32_t next_reserved, reserved_end;
static uint32_t first_free;     /* list of free buckets, chained by peak_live */
static uint64_t new_buckets;    /* since the last sweep */
static uint64_t sweep_interval; /* new buckets before the next sweep */
/* The epoch's stamp if a sweep of older births freed too little in this epoch. */
static uint32_t swept_stamp;

enum reclaimed_births { OLDER_BIRTHS, ALL_BIRTHS };

static uint64_t count_of(unsigned section) {
    return dump->header->sections[section].count;
}

/* Blocks of the bucket that its site counts as allocated. What estimates have beyond
 * whole blocks is kept for the next ones, so that their sum is right. */
static void add_ever(const struct tracemalloc_dump_bucket *bucket, uint64_t blocks) {
    static uint32_t rest; /* in units of 2^-32 block */
    struct tracemalloc_dump_site *site = bucket_site(bucket);
    uint64_t size = bucket->size, weight = sample_weight(size, bucket_distance(bucket));
    site->total_bytes += blocks * weight;
    if (bucket_table.header->sample_distance != 0)
        site->sampled_blocks += blocks;
    if (weight == size) {
        site->total_blocks += blocks;
        return;
    }
    __extension__ unsigned __int128 all = (unsigned __int128)blocks * weight;
    uint32_t fraction = (uint32_t)((all % size << 32) / size);
    site->total_blocks += (uint64_t)(all / size);
    site->total_blocks += __builtin_add_overflow(rest, fraction, &rest);
}

void bucket_table_carry(const struct tracemalloc_dump_bucket *bucket) {
    add_ever(bucket, (uint64_t)1 << 32);
}

static struct dump_epochs epochs_of(void) {
    return (struct dump_epochs){(const void *)dump->base[TRACEMALLOC_DUMP_EPOCHS],
                                count_of(TRACEMALLOC_DUMP_EPOCHS)};
}

/* The history ends when the runtime starts finalizing. */
cold_path void bucket_table_begin_epoch(struct tracemalloc_dump_bucket *bucket) {
    if (dump->header->finalized == 0)
        dump_history_add(bucket_site(bucket), bucket, bucket_distance(bucket),
                         dump_history_epoch(epochs_of(), bucket->stamp));
    bucket->live_before = bucket->live;
}

cold_path void bucket_table_note_resize(struct tracemalloc_dump_bucket *bucket,
                                        int blocks) {
    if (blocks < 0 && bucket->live_before == 0)
        return;
    bucket->live_before += (uint32_t)blocks;
    uint64_t weight = sample_weight(bucket->size, bucket_distance(bucket));
    dump_history_add_bytes(bucket_site(bucket), bucket_table.birth,
                           blocks * (int64_t)weight);
}

/* A bucket with blocks at the peak is needed until there is a higher peak. */
bool bucket_table_is_dead(const struct tracemalloc_dump_bucket *bucket) {
    const struct tracemalloc_dump_header *header = dump->header;
    bool at_peak = !dump_history_is_older(bucket->stamp, header->peak_number) &&
                   bucket->peak_live > 0 &&
                   header->python_bytes + header->native_bytes <= header->peak_bytes;
    return bucket->live == 0 && bucket->at_exit == 0 && !at_peak;
}

/* Moves the bucket's total to its site. */
static void fold(struct tracemalloc_dump_bucket *bucket) {
    add_ever(bucket, bucket->total);
    bucket->total = 0;
    dump_temporary_fold(bucket_site(bucket), bucket, dump_temporary_get(bucket));
    dump_temporary_clear(bucket);
}

static uint64_t hash_of(const struct tracemalloc_dump_bucket *bucket) {
    const struct tracemalloc_dump_site *site = bucket_site(bucket);
    return bucket_hash(site->stack, site->domain, bucket->size, bucket->birth);
}

static void close_by_stack(void) {
    arena_array_release(&bucket_table.by_stack, &bucket_table.stacks,
                        sizeof *bucket_table.by_stack);
}

/* Rebuilds the list of free buckets and the index. */
static uint64_t reclaim(enum reclaimed_births births) {
    uint64_t count = count_of(TRACEMALLOC_DUMP_BUCKETS), freed = 0;
    /* What was live when the runtime began to finalize is never reclaimed. */
    if (dump->header->finalized == 0 && dump_census_exists(dump))
        dump_census_drop(dump);
    id_table_clear(&bucket_table.index);
    close_by_stack();
    epoch_raise();
    first_free = 0;
    for (uint64_t id = count - 1; id > 0; id--) {
        struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + id;
        bool is_reserved = id < reserved_end;
        if (is_reserved && id >= next_reserved)
            continue;
        bool is_new = births == OLDER_BIRTHS && bucket->birth == bucket_table.birth;
        if (is_reserved || is_new || !bucket_table_is_dead(bucket)) {
            /* Cannot fail: the cleared index has the capacity. */
            if (id_table_add(&bucket_table.index, hash_of(bucket), (uint32_t)id) < 0)
                dump->header->lost[TRACEMALLOC_DUMP_LOST_MEMORY]++;
            continue;
        }
        bucket_table_begin_epoch(bucket);
        fold(bucket);
        /* A reader ignores peak_live of a bucket whose stamp is older than the peak. */
        bucket->peak_live = first_free;
        bucket->stamp = dump->header->peak_number - 1;
        first_free = (uint32_t)id;
        freed++;
    }
    return freed;
}

uint64_t bucket_table_reclaim(void) {
    return reclaim(ALL_BIRTHS);
}

/* Reclaims the dead buckets of older epochs, which no new block needs while the table
 * can grow. Whether it freed enough that the table need not grow; if not, it is not
 * tried again in this epoch. */
static bool older_births_pay(uint64_t count) {
    if (count < MIN_RECLAIM || swept_stamp == bucket_table.epoch_stamp)
        return false;
    if (reclaim(OLDER_BIRTHS) >= count / 8)
        return true;
    swept_stamp = bucket_table.epoch_stamp;
    return false;
}

/* Sweeps if that is due; whether it freed enough buckets that the table need not grow.
 * A sweep that freed few is followed by the next one only after count / 8 new buckets:
 * amortised O(1) per bucket. */
static bool sweep_pays(uint64_t count) {
    if (count < MIN_RECLAIM || new_buckets++ < sweep_interval)
        return false;
    new_buckets = 0;
    sweep_interval = bucket_table_reclaim() < count / 8 ? count / 8 : 0;
    return sweep_interval == 0;
}

static uint32_t pop_free(void) {
    uint32_t id = first_free;
    if (id != 0)
        first_free = bucket_table.buckets[id].peak_live;
    return id;
}

static uint32_t take_id(void) {
    uint64_t id = count_of(TRACEMALLOC_DUMP_BUCKETS);
    bool full = (id + 1) * sizeof(struct tracemalloc_dump_bucket) >
                dump->mapped[TRACEMALLOC_DUMP_BUCKETS];
    bool grow = first_free == 0 && full && !older_births_pay(id) && !sweep_pays(id);
    if (first_free != 0 && !grow)
        return pop_free();
    if (id < MAX_BUCKETS &&
        dump_file_reserve(dump, TRACEMALLOC_DUMP_BUCKETS, id + 1) == 0)
        return (uint32_t)id;
    return pop_free();
}

/* Without memory, lookups use the index alone. */
static void note_by_stack(uint32_t stack, uint32_t id) {
    if (arena_array_reserve(&bucket_table.by_stack, &bucket_table.stacks,
                            (uint64_t)stack + 1, sizeof *bucket_table.by_stack) == 0)
        bucket_table.by_stack[stack] = id;
}

static uint32_t make_bucket(uint32_t site, uint64_t size, uint8_t birth) {
    uint32_t id = take_id();
    bool overflow = bucket_table.sites[site].stack == TRACEMALLOC_DUMP_OVERFLOW_STACK;
    if (id == 0 && overflow && next_reserved < reserved_end)
        id = next_reserved++;
    if (id == 0)
        return 0;
    struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + id;
    uint32_t other = bucket_table.sites[site].domain == TRACEMALLOC_DUMP_DOMAIN_PYTHON
                         ? 0
                         : TRACEMALLOC_DUMP_NOT_PYTHON;
    *bucket = (struct tracemalloc_dump_bucket){.site = site | other,
                                               .size = size,
                                               .stamp = dump->header->stamp,
                                               .birth = birth};
    if (id_table_add(&bucket_table.index, hash_of(bucket), id) < 0) {
        bucket_table.failure = TRACEMALLOC_DUMP_LOST_MEMORY;
        return 0;
    }
    if (id >= count_of(TRACEMALLOC_DUMP_BUCKETS))
        dump_file_publish(dump, TRACEMALLOC_DUMP_BUCKETS, (uint64_t)id + 1);
    bucket_table.created++;
    event_clock_hasten();
    return id;
}

/* The youngest bucket of an older birth, or 0. */
static uint32_t find_older(uint32_t stack, uint32_t domain, uint64_t size,
                           uint8_t birth) {
    struct id_probe probe;
    while (birth-- > 0) {
        uint32_t id;
        id_probe_start(&probe, &bucket_table.index,
                       bucket_hash(stack, domain, size, birth));
        while ((id = id_probe_next(&probe)) != 0)
            if (bucket_table_is(id, stack, domain, size, birth))
                return id;
    }
    return 0;
}

uint32_t bucket_table_add(uint32_t stack, uint32_t domain, uint64_t size,
                          uint8_t birth) {
    uint32_t site = site_table_find(stack, domain);
    bucket_table.failure = TRACEMALLOC_DUMP_LOST_BLOCKS;
    uint32_t id = site == 0 ? 0 : make_bucket(site, size, birth);
    if (id == 0 && site != 0)
        id = find_older(stack, domain, size, birth);
    if (id != 0)
        note_by_stack(stack, id);
    if (id != 0 || stack == TRACEMALLOC_DUMP_OVERFLOW_STACK)
        return id;
    id = bucket_table_find(TRACEMALLOC_DUMP_OVERFLOW_STACK, domain, size);
    if (id != 0)
        dump->header->lost[TRACEMALLOC_DUMP_LOST_STACKS]++;
    return id;
}

/* 0xff in all bytes is a domain that does not exist, so it matches no event. */
static void clear_cache(struct bucket_cache *cache) {
    memset(cache->entries, 0xff, sizeof cache->entries);
    cache->epoch = epoch_now;
}

uint32_t bucket_cache_miss(struct bucket_cache *cache, uint32_t stack, uint32_t domain,
                           uint64_t size) {
    uint32_t bucket = bucket_table_find(stack, domain, size);
    if (cache->epoch != epoch_now)
        clear_cache(cache);
    if (bucket != 0)
        *bucket_cache_slot(cache, stack, size) =
            (struct bucket_cache_entry){size, stack, domain, bucket, 0};
    return bucket;
}

static int64_t add_domain(uint32_t number, const char *name) {
    uint64_t index = count_of(TRACEMALLOC_DUMP_DOMAINS);
    if (dump_file_reserve(dump, TRACEMALLOC_DUMP_DOMAINS, index + 1) < 0)
        return -ENOSPC;
    ((struct tracemalloc_dump_domain *)dump->base[TRACEMALLOC_DUMP_DOMAINS])[index] =
        (struct tracemalloc_dump_domain){number, name_table_string(name, strlen(name))};
    dump_file_publish(dump, TRACEMALLOC_DUMP_DOMAINS, index + 1);
    return (int64_t)index;
}

int64_t bucket_table_domain(uint32_t number) {
    const struct tracemalloc_dump_domain *domains =
        (const void *)dump->base[TRACEMALLOC_DUMP_DOMAINS];
    uint64_t count = count_of(TRACEMALLOC_DUMP_DOMAINS);
    if (number == TRACEMALLOC_DUMP_DOMAIN_PYTHON)
        return TRACEMALLOC_DUMP_DOMAIN_PYTHON;
    for (uint64_t index = TRACEMALLOC_DUMP_DOMAIN_MMAP + 1; index < count; index++)
        if (domains[index].number == number)
            return (int64_t)index;
    return -ENOENT;
}

int64_t bucket_table_make_domain(uint32_t number) {
    int64_t index = bucket_table_domain(number);
    return index < 0 ? add_domain(number, "tracked") : index;
}

uint64_t bucket_table_count_allocations(void) {
    uint64_t buckets = count_of(TRACEMALLOC_DUMP_BUCKETS), sum = 0;
    uint64_t sites = count_of(TRACEMALLOC_DUMP_SITES);
    bool sampled = bucket_table.header->sample_distance != 0;
    for (uint64_t id = 0; id < sites; id++) {
        const struct tracemalloc_dump_site *site = bucket_table.sites + id;
        sum += sampled ? site->sampled_blocks : site->total_blocks;
    }
    for (uint64_t id = 1; id < buckets; id++)
        sum += bucket_table.buckets[id].total;
    return sum;
}

void bucket_table_freeze(void) {
    uint64_t count = count_of(TRACEMALLOC_DUMP_BUCKETS);
    if (dump->header->finalized)
        return;
    for (uint64_t id = 1; id < count; id++) {
        bucket_table_begin_epoch(&bucket_table.buckets[id]);
        bucket_table.buckets[id].at_exit = bucket_table.buckets[id].live;
    }
    __atomic_store_n(&dump->header->finalized, 1, __ATOMIC_RELEASE);
}

void bucket_table_clear(void) {
    dump_census_drop(dump);
    struct tracemalloc_dump_header *header = dump->header;
    uint64_t buckets = count_of(TRACEMALLOC_DUMP_BUCKETS);
    uint64_t sites = count_of(TRACEMALLOC_DUMP_SITES);
    for (uint64_t id = 1; id < buckets; id++) {
        struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + id;
        bucket->live = bucket->at_exit = bucket->total = bucket->peak_live = 0;
        bucket->live_before = 0;
        dump_temporary_clear(bucket);
    }
    for (uint64_t id = 0; id < sites; id++) {
        struct tracemalloc_dump_site *site = bucket_table.sites + id;
        *site = (struct tracemalloc_dump_site){.stack = site->stack,
                                               .domain = site->domain};
    }
    header->python_bytes = header->native_bytes = 0;
    header->peak_bytes = header->python_peak_bytes = 0;
    bucket_table.bytes_without_peak = 0;
}

static int open_domains(void) {
    static const char *const names[] = {"python", "libc", "mmap"};
    for (uint32_t number = 0; number < 3; number++)
        if (add_domain(number, names[number]) != number)
            return -ENOSPC;
    return 0;
}

/* Entry 0 is unused; the next RESERVED_BUCKETS are kept for the overflow's blocks. The
 * tracer does not touch their pages before the dump is full. */
static void open_reserved(void) {
    next_reserved = reserved_end = 1;
    if (dump_file_reserve(dump, TRACEMALLOC_DUMP_BUCKETS, 1 + RESERVED_BUCKETS) == 0)
        reserved_end += RESERVED_BUCKETS;
    dump_file_publish(dump, TRACEMALLOC_DUMP_BUCKETS, reserved_end);
}

int bucket_table_open(struct dump_file *file) {
    dump = file;
    bucket_table.header = file->header;
    epoch_raise();
    bucket_table.buckets = (void *)file->base[TRACEMALLOC_DUMP_BUCKETS];
    bucket_table.sites = (void *)file->base[TRACEMALLOC_DUMP_SITES];
    bucket_table.bytes_without_peak = 0;
    first_free = 0;
    new_buckets = sweep_interval = swept_stamp = 0;
    int error = id_table_open(&bucket_table.index, FIRST_SLOTS);
    if (error == 0)
        error = site_table_open(file);
    if (error == 0)
        error = open_domains();
    if (error == 0)
        open_reserved();
    return error;
}

void bucket_table_close(void) {
    close_by_stack();
    id_table_close(&bucket_table.index);
    site_table_close();
}
