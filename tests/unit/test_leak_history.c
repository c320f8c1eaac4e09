/* SPDX-License-Identifier: MIT */
#include "leak/leak_history.h"

#include "opened_dump.h"
#include "suite.h"

enum { EPOCHS = 8 };
static const uint64_t second = 1000000000, start = 1700000000000000000u;

static struct dump_maker maker;

static void begin(void) {
    dump_maker_open(&maker);
    maker.header.start_time = start;
    for (uint32_t i = 0; i < EPOCHS; i++)
        dump_maker_epoch(&maker, start + i * second, i + 1);
}

static void add_sample(uint64_t time) {
    const struct tracemalloc_dump_timeline_sample sample = {.time = time};
    dump_maker_append(&maker, TRACEMALLOC_DUMP_TIMELINE, &sample);
}

static uint32_t add_site(uint32_t line) {
    uint32_t code = dump_maker_code(&maker, "app.py", "work");
    uint32_t stack = dump_maker_stack(&maker, 0, code, line);
    return dump_maker_site(&maker, stack, TRACEMALLOC_DUMP_DOMAIN_PYTHON);
}

static struct tracemalloc_dump_bucket *add(uint32_t site, uint64_t size, uint32_t live,
                                           uint8_t birth) {
    uint32_t id = dump_maker_bucket(&maker, site, size, live, live);
    struct tracemalloc_dump_bucket *bucket =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_BUCKETS, id);
    bucket->birth = birth;
    bucket->stamp = birth + 1u;
    return bucket;
}

static struct leak_history history_of(const struct dump_reader *reader, uint32_t site) {
    struct leak_history history = {0};
    struct leak_buckets buckets;
    ck_assert_int_eq(leak_buckets_open(&buckets, reader), 0);
    leak_history_add_site(&history, &buckets, site);
    leak_buckets_close(&buckets);
    return history;
}

START_TEST(blocks_are_by_birth_and_site) {
    begin();
    uint32_t site = add_site(1), other = add_site(2);
    add(site, 100, 3, 1);
    add(other, 24, 9, 1);
    add(site, 24, 2, 1);
    add(site, 100, 5, 4);
    struct dump_reader *reader = opened_dump_read(&maker);
    struct leak_history history = history_of(reader, site);
    ck_assert_uint_eq(history.blocks[1], 5);
    ck_assert_uint_eq(history.bytes[1], 348);
    ck_assert_double_eq_tol(history.alive[4], 5, 1e-9);
    ck_assert_uint_eq(history.float_bytes, 48);
    ck_assert(!history.is_sampled);
    history = history_of(reader, other);
    ck_assert_uint_eq(history.blocks[1], 9);
    ck_assert_uint_eq(history.blocks[4], 0);
    dump_reader_close(reader);
    dump_maker_close(&maker);
}
END_TEST

/* Of an interpreter that does not say when all floats are freed. */
START_TEST(floats_are_left_out_if_wanted) {
    begin();
    uint32_t site = add_site(1);
    add(site, 24, 2, 1);
    add(site, 100, 3, 1);
    struct dump_reader *reader = opened_dump_read(&maker);
    struct leak_history history = {.ignores_floats = true};
    struct leak_buckets buckets;
    ck_assert_int_eq(leak_buckets_open(&buckets, reader), 0);
    leak_history_add_site(&history, &buckets, site);
    ck_assert_uint_eq(history.blocks[1], 3);
    ck_assert_uint_eq(history.bytes[1], 300);
    ck_assert_uint_eq(history.float_bytes, 48);
    leak_buckets_close(&buckets);
    dump_reader_close(reader);
    dump_maker_close(&maker);
}
END_TEST

/* What a bucket changed by in its last epoch is not in its site yet. */
START_TEST(the_last_change_of_a_bucket_counts) {
    begin();
    uint32_t site = add_site(1);
    struct tracemalloc_dump_bucket *bucket = add(site, 100, 3, 1);
    bucket->live_before = 5;
    bucket->stamp = 6; /* epoch 5: two of them died at an age of 4 */
    struct dump_reader *reader = opened_dump_read(&maker);
    struct leak_history history = history_of(reader, site);
    ck_assert_uint_eq(history.freed_late[2], 2);
    ck_assert_int_eq(history.risen[1], -200);
    ck_assert_int_eq(history.risen[0], 0);
    dump_reader_close(reader);
    dump_maker_close(&maker);
}
END_TEST

static double end_of(uint32_t process) {
    struct dump_reader *reader = opened_dump_read(&maker);
    struct leak_time time;
    leak_time_open(&time, reader, process);
    ck_assert_uint_eq(time.count, EPOCHS);
    double seconds = leak_time_between(&time, 0, EPOCHS);
    ck_assert_double_eq_tol(leak_time_span(&time, 2), seconds * 2 / EPOCHS, 1e-9);
    dump_reader_close(reader);
    return seconds;
}

START_TEST(the_last_epoch_ends_with_the_process_or_its_timeline) {
    begin();
    maker.header.end_time = 0;
    ck_assert_double_eq_tol(end_of(0), EPOCHS - 1, 1e-9);
    add_sample(20 * second);
    ck_assert_double_eq_tol(end_of(0), 20, 1e-9);
    maker.header.end_time = start + 10 * second;
    ck_assert_double_eq_tol(end_of(0), 10, 1e-9);
    dump_maker_close(&maker);
}
END_TEST

/* The timeline goes on with the other process. */
START_TEST(a_killed_process_of_a_merged_dump_ends_with_its_epochs) {
    begin();
    add_sample(100 * second);
    for (uint32_t i = 0; i < 2; i++) {
        const struct tracemalloc_dump_process process = {.pid = i + 1,
                                                         .start_time = start};
        dump_maker_append(&maker, TRACEMALLOC_DUMP_PROCESSES, &process);
    }
    ck_assert_double_eq_tol(end_of(0), EPOCHS, 1e-9);
    dump_maker_close(&maker);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        blocks_are_by_birth_and_site,
        floats_are_left_out_if_wanted,
        the_last_change_of_a_bucket_counts,
        the_last_epoch_ends_with_the_process_or_its_timeline,
        a_killed_process_of_a_merged_dump_ends_with_its_epochs,
    };
    return suite_run("leak_history", tests, sizeof tests / sizeof *tests);
}
