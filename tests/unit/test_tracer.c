/* SPDX-License-Identifier: MIT */
#include "trace/tracer.h"

#include <pthread.h>

#include "base/arena.h"
#include "live_blocks.h"
#include "suite.h"
#include "trace/mapping_table.h"
#include "trace/stack_table.h"
#include "trace/tables_valid.h"

enum { BLOCKS = 3000, THREADS = 4, ROUNDS = 40000 };
enum { PYTHON, LIBC, MINE = 3 }; /* domains */

static const uintptr_t base = 0x7f4560000000;
static uintptr_t freed_code;

static void note_code(uintptr_t address) {
    freed_code = address;
}

static void open_tracer(uint64_t max_file) {
    const struct tracer_start start = {16, max_file, note_code, 0};
    ck_assert_int_eq(tracer_open(&start), 0);
    tracer_activate();
}

static struct tracemalloc_dump_header *header(void) {
    return tracer.dump->header;
}

static void insert(uintptr_t block, uint64_t size, uint32_t stack) {
    struct event_guard guard = tracer_enter(NULL, false);
    tracer_insert(guard, block, bucket_table_find(stack, 0, size));
    tracer_leave(guard);
}

static void move(uintptr_t block, uint32_t stack) {
    uint32_t *slot = block_map_find(block);
    if (slot == NULL)
        return;
    const struct tracemalloc_dump_bucket *bucket =
        &bucket_table.buckets[*slot & BLOCK_MAP_BUCKET];
    tracer_move(alone, slot,
                bucket_table_find(stack, bucket_site(bucket)->domain, bucket->size));
}

/* The stack that a block belongs to. */
static uint32_t stack_of(uintptr_t block) {
    uint32_t bucket = *block_map_find(block) & BLOCK_MAP_BUCKET;
    return bucket_site(&bucket_table.buckets[bucket])->stack;
}

START_TEST(a_block_lives_and_dies) {
    open_tracer(1 << 20);
    insert(base, 100, 5);
    insert(base + 16, 50, 6);
    live_expect(2, 150);
    ck_assert_uint_eq(stack_of(base + 16), 6);
    tracer_remove(alone, base, TRACER_PYTHON);
    tracer_remove(alone, base, TRACER_PYTHON);
    tracer_remove(alone, base + 1600, TRACER_PYTHON);
    tracer_remove(alone, 0x123450, TRACER_PYTHON);
    live_expect(1, 50);
    ck_assert_uint_eq(header()->peak_bytes, 150);
}
END_TEST

START_TEST(a_block_that_vanished_is_replaced) {
    open_tracer(1 << 20);
    insert(base, 100, 5);
    insert(base, 30, 6);
    live_expect(1, 30);
    tracer_remove(alone, base, TRACER_PYTHON);
    live_expect(0, 0);
}
END_TEST

START_TEST(a_realloc_moves_or_fails) {
    open_tracer(1 << 20);
    insert(base, 100, 5);
    uint32_t bucket = tracer_take(alone, base, TRACER_PYTHON);
    ck_assert_uint_ne(bucket, 0);
    ck_assert_uint_eq(tracer_take(alone, base, TRACER_PYTHON), 0);
    live_expect(1, 100);
    tracer_put_back(alone, base, bucket);
    ck_assert_uint_eq(tracer_take(alone, base, TRACER_PYTHON), bucket);
    /* Meanwhile the address is somebody else's. */
    insert(base, 70, 6);
    tracer_uncount(alone, bucket);
    insert(base + 160, 200, 5);
    live_expect(2, 270);
    tracer_put_back(alone, base + 320, 0);
    tracer_uncount(alone, 0);
    live_expect(2, 270);
}
END_TEST

START_TEST(a_block_moves_to_another_stack) {
    open_tracer(1 << 20);
    insert(base, 100, 5);
    move(base, 6);
    ck_assert_uint_eq(stack_of(base), 6);
    live_expect(1, 100);
    move(base, 6);
    move(base + 16, 6);
    move(0x123450, 6);
    live_expect(1, 100);
    tracer_watch_code((const void *)base);
    move(base, 5);
    ck_assert_uint_eq(stack_of(base), 5);
    tracer_remove(alone, base, TRACER_PYTHON);
    ck_assert_uint_eq(freed_code, base);
}
END_TEST

START_TEST(the_death_of_code_is_told) {
    open_tracer(1 << 20);
    insert(base, 100, 5);
    tracer_watch_code((const void *)base);
    tracer_watch_code((const void *)(base + 160));
    live_expect(1, 100);
    tracer_remove(alone, base, TRACER_PYTHON);
    ck_assert_uint_eq(freed_code, base);
    live_expect(0, 0);
    /* A code object that was there before the tracing began. */
    tracer_remove(alone, base + 160, TRACER_PYTHON);
    ck_assert_uint_eq(freed_code, base + 160);
    tracer_watch_code((const void *)(base + 320));
    insert(base + 320, 10, 5);
    ck_assert_uint_eq(freed_code, base + 320);
    freed_code = 0;
    tracer_remove(alone, base + 320, TRACER_PYTHON);
    ck_assert_uint_eq(freed_code, 0);
}
END_TEST

static void expect_bytes(uint64_t python, uint64_t native) {
    ck_assert_uint_eq(header()->python_bytes, python);
    ck_assert_uint_eq(header()->native_bytes, native);
}

/* As NumPy takes its data by PyMem_RawMalloc, and gives it back. */
START_TEST(a_block_changes_its_domain) {
    open_tracer(1 << 20);
    insert(base, 100, 5);
    tracer_untrack(alone, PYTHON, base);
    expect_bytes(0, 0);
    ck_assert_int_eq(tracer_track(alone, MINE, base, 100, 5), 0);
    expect_bytes(100, 0);
    ck_assert_uint_ne(tracer_find(alone, MINE, base), 0);
    ck_assert_uint_eq(tracer_find(alone, PYTHON, base), 0);
    tracer_untrack(alone, MINE, base);
    ck_assert_int_eq(tracer_track(alone, PYTHON, base, 200, 5), 0);
    expect_bytes(200, 0);
    tracer_remove(alone, base, TRACER_PYTHON);
    expect_bytes(0, 0);
}
END_TEST

START_TEST(a_block_of_libc_that_is_tracked_counts_once) {
    open_tracer(1 << 20);
    tracer_insert(alone, base, bucket_table_find(5, LIBC, 64));
    expect_bytes(0, 64);
    ck_assert_int_eq(tracer_track(alone, MINE, base + 8, 10, 5), 0);
    expect_bytes(10, 64);
    ck_assert_int_eq(tracer_track(alone, MINE, base, 60, 5), 0);
    expect_bytes(70, 0);
    tracer_remove(alone, base, TRACER_LIBC);
    expect_bytes(70, 0);
    tracer_untrack(alone, MINE, base);
    expect_bytes(10, 0);
}
END_TEST

START_TEST(a_realloc_of_a_tracked_block_moves_or_fails) {
    open_tracer(1 << 20);
    ck_assert_int_eq(tracer_track(alone, PYTHON, base, 30, 5), 0);
    insert(base + 160, 1, 5);
    uint32_t bucket = tracer_take(alone, base, TRACER_PYTHON);
    ck_assert_uint_ne(bucket, 0);
    tracer_put_back(alone, base, bucket);
    expect_bytes(31, 0);
    tracer_uncount(alone, tracer_take(alone, base, TRACER_PYTHON));
    insert(base + 320, 40, 5);
    expect_bytes(41, 0);
}
END_TEST

/* What CPython's own tracer counts, and beside it the blocks of libc that the program
 * does not track. Each second place is no start of a block. */
enum { MODEL_BLOCKS = 12, MODEL_STEPS = 200000 };
static struct model {
    uint64_t tracked[2][2 * MODEL_BLOCKS]; /* bytes in domains PYTHON and MINE */
    uint64_t libc[MODEL_BLOCKS];
    enum { FREE, OF_PYTHON, OF_LIBC } owner[MODEL_BLOCKS];
} model;

static void allocate_or_free(uint32_t at, uint64_t size, bool by_python) {
    uintptr_t block = base + 16 * at;
    switch (model.owner[at]) {
    case FREE:
        model.owner[at] = by_python ? OF_PYTHON : OF_LIBC;
        *(by_python ? &model.tracked[PYTHON][2 * at] : &model.libc[at]) = size;
        tracer_insert(alone, block,
                      bucket_table_find(5, by_python ? PYTHON : LIBC, size));
        return;
    case OF_PYTHON:
        tracer_remove(alone, block, TRACER_PYTHON);
        model.tracked[PYTHON][2 * at] = 0;
        break;
    case OF_LIBC:
        tracer_remove(alone, block, TRACER_LIBC);
        model.libc[at] = 0;
    }
    model.owner[at] = FREE;
}

static void track_or_not(uint32_t place, uint64_t size, bool in_mine) {
    uint32_t domain = in_mine ? MINE : PYTHON;
    model.tracked[in_mine][place] = size;
    if (size == 0) {
        tracer_untrack(alone, domain, base + 8 * place);
        return;
    }
    ck_assert_int_eq(tracer_track(alone, domain, base + 8 * place, size, 5), 0);
    if (place % 2 == 0)
        model.libc[place / 2] = 0;
}

/* A realloc that fails. */
static void try_to_move(uint32_t at) {
    enum tracer_family by = model.owner[at] == OF_PYTHON ? TRACER_PYTHON : TRACER_LIBC;
    if (model.owner[at] != FREE)
        tracer_put_back(alone, base + 16 * at, tracer_take(alone, base + 16 * at, by));
}

START_TEST(random_steps_agree_with_a_model) {
    uint64_t seed = 17;
    open_tracer(1 << 20);
    ck_assert_int_eq(bucket_table_make_domain(77), MINE);
    for (int step = 0; step < MODEL_STEPS; step++) {
        uint32_t place = random_below(&seed, 2 * MODEL_BLOCKS);
        uint64_t size = 1 + random_below(&seed, 30), python = 0, native = 0;
        bool choice = random_below(&seed, 2) != 0;
        switch (random_below(&seed, 4)) {
        case 0:
            allocate_or_free(place / 2, size, choice);
            break;
        case 1:
            try_to_move(place / 2);
            break;
        default:
            track_or_not(place, size > 15 ? size : 0, choice);
        }
        for (int at = 0; at < 2 * MODEL_BLOCKS; at++) {
            python += model.tracked[0][at] + model.tracked[1][at];
            native += at % 2 != 0 ? model.libc[at / 2] : 0;
        }
        expect_bytes(python, native);
    }
}
END_TEST

/* Of an address around which there is no map yet. */
START_TEST(a_tracked_address_becomes_a_block) {
    open_tracer(1 << 20);
    ck_assert_int_eq(tracer_track(alone, PYTHON, base, 30, 5), 0);
    ck_assert_int_eq(tracer_track(alone, PYTHON, base + 8, 2, 5), 0);
    ck_assert_int_eq(tracer_track(alone, PYTHON, (uintptr_t)1 << 60, 1, 5), 0);
    ck_assert_ptr_null(block_map_find(base));
    insert(base + 160, 4, 5);
    insert(base, 40, 5);
    expect_bytes(47, 0);
    tracer_remove(alone, base, TRACER_PYTHON);
    expect_bytes(7, 0);
}
END_TEST

/* Blocks of one stack and size at the peak, as a reader finds them. */
static uint32_t at_peak(uint32_t stack, uint64_t size) {
    uint64_t count = header()->sections[TRACEMALLOC_DUMP_BUCKETS].count;
    uint32_t blocks = 0;
    for (uint64_t id = 1; id < count; id++) {
        const struct tracemalloc_dump_bucket *bucket = bucket_table.buckets + id;
        bool is_now =
            dump_history_is_older(bucket->stamp, header()->peak_number) ||
            header()->python_bytes + header()->native_bytes > header()->peak_bytes;
        if (bucket->size == size && bucket_site(bucket)->stack == stack)
            blocks += is_now ? bucket->live : bucket->peak_live;
    }
    return blocks;
}

START_TEST(peaks_begin_anew) {
    open_tracer(1 << 20);
    insert(base, 100, 5);
    insert(base + 160, 30, 6);
    tracer_remove(alone, base, TRACER_PYTHON);
    ck_assert_uint_eq(header()->peak_bytes, 130);
    ck_assert_uint_eq(at_peak(5, 100), 1);
    tracer_reset_peaks();
    ck_assert_uint_eq(header()->peak_bytes, 30);
    ck_assert_uint_eq(header()->python_peak_bytes, 30);
    ck_assert_uint_eq(at_peak(5, 100), 0);
    ck_assert_uint_eq(at_peak(6, 30), 1);
    insert(base + 320, 20, 7);
    tracer_remove(alone, base + 160, TRACER_PYTHON);
    tracer_remove(alone, base + 320, TRACER_PYTHON);
    ck_assert_uint_eq(header()->peak_bytes, 50);
    ck_assert_uint_eq(at_peak(5, 100), 0);
    ck_assert_uint_eq(at_peak(6, 30), 1);
    ck_assert_uint_eq(at_peak(7, 20), 1);
    ck_assert_uint_eq(bucket_table_count_allocations(), 3);
    bucket_table_reclaim();
    ck_assert_uint_eq(bucket_table_count_allocations(), 3);
}
END_TEST

START_TEST(clear_forgets_and_goes_on) {
    open_tracer(1 << 20);
    uint32_t generation = tracer.generation;
    insert(base, 100, 5);
    ck_assert_int_eq(mapping_table_add(alone, base, 4096, MAPPING_HEAP, 5), 0);
    tracer_clear();
    live_expect(0, 0);
    ck_assert_uint_ne(tracer.generation, generation);
    ck_assert_uint_eq(header()->peak_bytes, 0);
    for (uint64_t id = 1; id < header()->sections[TRACEMALLOC_DUMP_BUCKETS].count; id++)
        ck_assert_uint_eq(bucket_table.buckets[id].live, 0);
    tracer_remove(alone, base, TRACER_PYTHON);
    ck_assert_int_eq(mapping_table_remove(alone, base, 4096), 0);
    live_expect(0, 0);
    insert(base, 30, 5);
    live_expect(1, 30);
    tracer_remove(alone, base, TRACER_PYTHON);
    ck_assert_uint_eq(header()->peak_bytes, 30);
}
END_TEST

START_TEST(it_starts_and_stops_again_and_again) {
    uint64_t held = 0;
    for (int round = 0; round < 20; round++) {
        uint32_t generation = tracer.generation;
        open_tracer(1 << 20);
        ck_assert(gate.active);
        ck_assert_uint_ne(tracer.generation, generation);
        live_expect(0, 0);
        for (uintptr_t at = 0; at < BLOCKS; at++)
            insert(base + at * 16, (uint32_t)(10 + at), (uint32_t)(2 + at % 50));
        ck_assert_uint_eq(live_blocks(), BLOCKS);
        tracer_deactivate();
        ck_assert(!gate.active);
        tracer_close();
        if (round == 0)
            held = arena_bytes();
        ck_assert_uint_eq(arena_bytes(), held);
    }
}
END_TEST

START_TEST(the_granule_may_change) {
    const struct tracer_start start = {8, 1 << 20, NULL, 0};
    ck_assert_int_eq(tracer_open(&start), 0);
    ck_assert_uint_eq(block_map.granule_shift, 3);
    tracer_close();
    open_tracer(1 << 20);
    ck_assert_uint_eq(block_map.granule_shift, 4);
}
END_TEST

/* The bound leaves room for 65536 stacks, 32768 sites and as many buckets: so that not
 * the buckets are full first, one block of eight stays. */
START_TEST(stacks_overflow_and_sizes_stay_right) {
    enum { STACKS = 100000, KEPT = 8 };
    uint64_t bytes = 0;
    open_tracer(1 << 20);
    for (uint32_t at = 0; at < STACKS; at++) {
        uint64_t size = 8 + at % 100;
        insert(base + at * 16, size, stack_table_node(0, 2 + at, 1));
        if (at % KEPT == 0)
            bytes += size;
        else
            tracer_remove(alone, base + at * 16, TRACER_PYTHON);
    }
    live_expect(STACKS / KEPT, bytes);
    ck_assert_uint_eq(stack_of(base + (STACKS - KEPT) * 16),
                      TRACEMALLOC_DUMP_OVERFLOW_STACK);
    ck_assert_uint_gt(header()->lost[TRACEMALLOC_DUMP_LOST_STACKS], 30000);
    ck_assert_uint_eq(header()->lost[TRACEMALLOC_DUMP_LOST_BLOCKS], 0);
    for (uint32_t at = 0; at < STACKS; at += KEPT)
        tracer_remove(alone, base + at * 16, TRACER_PYTHON);
    live_expect(0, 0);
}
END_TEST

START_TEST(a_block_without_room_is_counted_once) {
    enum { SIZES = 60000 };
    open_tracer(1 << 20);
    for (uint32_t size = 1; size <= SIZES; size++)
        insert(base + size * 16, size, 5);
    const uint64_t *lost = header()->lost;
    ck_assert_uint_gt(lost[TRACEMALLOC_DUMP_LOST_BLOCKS], 0);
    ck_assert_uint_eq(lost[TRACEMALLOC_DUMP_LOST_BLOCKS], SIZES - live_blocks());
    ck_assert_uint_eq(lost[TRACEMALLOC_DUMP_LOST_STACKS], 1024);
    ck_assert_uint_eq(lost[TRACEMALLOC_DUMP_LOST_MEMORY], 0);
}
END_TEST

START_TEST(addresses_beyond_the_map_are_lost) {
    open_tracer(1 << 20);
    insert((uintptr_t)1 << 50, 100, 5);
    live_expect(0, 0);
    ck_assert_uint_eq(header()->lost[TRACEMALLOC_DUMP_LOST_MEMORY], 1);
    tracer_remove(alone, (uintptr_t)1 << 50, TRACER_PYTHON);
    live_expect(0, 0);
}
END_TEST

START_TEST(its_own_memory_is_measured) {
    tracer_measure();
    open_tracer(1 << 20);
    tracer_measure();
    insert(base, 10, 5); /* makes the table of stacks' buckets */
    tracer_remove(alone, base, TRACER_PYTHON);
    tracer_measure();
    uint64_t before = header()->tracer_bytes & ~(uint64_t)4095;
    ck_assert_uint_gt(before, 0);
    for (uintptr_t at = 0; at < 1 << 16; at++)
        insert(base + at * 16, 10, 5);
    tracer_measure();
    /* The first page of the map was touched before. */
    ck_assert_uint_eq(header()->tracer_bytes, before + (4 << 16) - 4096);
}
END_TEST

START_TEST(corrupt_tables_are_noticed) {
    open_tracer(1 << 20);
    uint32_t stack = stack_table_node(stack_table_node(0, 5, 1), 5, 2);
    insert(base, 100, stack);
    insert(base + 16, 50, stack);
    tracer_remove(alone, base + 16, TRACER_PYTHON);
    struct tracemalloc_dump_bucket *bucket =
        bucket_at(*block_map_find(base) & BLOCK_MAP_BUCKET);
    struct tracemalloc_dump_stack *node =
        (struct tracemalloc_dump_stack *)tracer.dump->base[TRACEMALLOC_DUMP_STACKS] +
        stack;
    ck_assert(tables_are_valid(tracer.dump));
    bucket->live++;
    ck_assert(!tables_are_valid(tracer.dump));
    bucket->live--;
    uint32_t site = bucket->site;
    bucket->site = 1 << 20;
    ck_assert(!tables_are_valid(tracer.dump));
    bucket->site = site;
    uint32_t parent = node->parent;
    node->parent = stack;
    ck_assert(!tables_are_valid(tracer.dump));
    node->parent = parent;
    header()->peak_bytes++;
    ck_assert(!tables_are_valid(tracer.dump));
    header()->peak_bytes--;
    uint32_t *slot = block_map_find(base), kept = *slot;
    *slot = kept + 1000;
    ck_assert(!tables_are_valid(tracer.dump));
    *slot = kept;
    slot[1] = kept;
    ck_assert(!tables_are_valid(tracer.dump));
    slot[1] = BLOCK_MAP_WATCHED;
    ck_assert(tables_are_valid(tracer.dump));
    slot[1] = bucket_table_find(stack, 0, 50);
    ck_assert(!tables_are_valid(tracer.dump));
    slot[1] = 0;
    ck_assert(tables_are_valid(tracer.dump));
}
END_TEST

/* Each thread on addresses of its own; the tables are shared. */
static void *live_and_die(void *argument) {
    uintptr_t own = base + ((uintptr_t)argument << 20);
    uint64_t seed = own;
    for (int round = 0; round < ROUNDS; round++) {
        uintptr_t block = own + 16 * random_below(&seed, 256);
        uint32_t stack = 2 + random_below(&seed, 20);
        struct event_guard guard = tracer_enter(NULL, false);
        if (*block_map_make(block) != 0)
            tracer_remove(guard, block, TRACER_PYTHON);
        else
            tracer_insert(guard, block,
                          bucket_table_find(stack, 1, random_below(&seed, 500)));
        tracer_leave(guard);
    }
    for (uintptr_t at = 0; at < 256; at++) {
        struct event_guard guard = tracer_enter(NULL, false);
        tracer_remove(guard, own + 16 * at, TRACER_PYTHON);
        tracer_leave(guard);
    }
    return NULL;
}

START_TEST(threads_share_the_tables) {
    pthread_t threads[THREADS];
    tracer_prepare();
    open_tracer(16 << 20);
    for (uintptr_t at = 0; at < THREADS; at++)
        ck_assert_int_eq(pthread_create(&threads[at], NULL, live_and_die, (void *)at),
                         0);
    for (int at = 0; at < THREADS; at++)
        pthread_join(threads[at], NULL);
    live_expect(0, 0);
    uint64_t buckets = header()->sections[TRACEMALLOC_DUMP_BUCKETS].count;
    for (uint64_t id = 1; id < buckets; id++)
        ck_assert_uint_eq(bucket_table.buckets[id].live, 0);
}
END_TEST

START_TEST(one_thread_needs_no_lock) {
    tracer_prepare();
    tracer_share(false);
    open_tracer(1 << 20);
    lock_take(&tracer.lock.lock);
    insert(base, 100, 5);
    live_expect(1, 100);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_block_lives_and_dies,
        a_block_that_vanished_is_replaced,
        a_realloc_moves_or_fails,
        a_block_moves_to_another_stack,
        the_death_of_code_is_told,
        a_block_changes_its_domain,
        a_block_of_libc_that_is_tracked_counts_once,
        a_realloc_of_a_tracked_block_moves_or_fails,
        random_steps_agree_with_a_model,
        a_tracked_address_becomes_a_block,
        peaks_begin_anew,
        clear_forgets_and_goes_on,
        it_starts_and_stops_again_and_again,
        the_granule_may_change,
        stacks_overflow_and_sizes_stay_right,
        a_block_without_room_is_counted_once,
        addresses_beyond_the_map_are_lost,
        its_own_memory_is_measured,
        corrupt_tables_are_noticed,
        threads_share_the_tables,
        one_thread_needs_no_lock,
    };
    return suite_run("tracer", tests, sizeof tests / sizeof *tests);
}
