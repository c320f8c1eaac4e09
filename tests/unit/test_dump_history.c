/* SPDX-License-Identifier: MIT */
#include "dump/dump_history.h"
#include "suite.h"

static struct tracemalloc_dump_site site;

static void reset(void) {
    site = (struct tracemalloc_dump_site){0};
}

static void change(uint64_t size, uint32_t before, uint32_t live, uint8_t birth,
                   uint32_t epoch) {
    struct tracemalloc_dump_bucket bucket = {
        .size = size, .live = live, .live_before = before, .birth = birth};
    dump_history_add(&site, &bucket, 0, epoch);
}

START_TEST(an_epoch_is_found_by_a_stamp) {
    reset();
    const struct tracemalloc_dump_epoch entries[] = {
        {.stamp = 0xfffffff0}, {.stamp = 0xfffffff8}, {.stamp = 5}, {.stamp = 6}};
    const struct dump_epochs epochs = {entries, 4};
    ck_assert_uint_eq(dump_history_epoch(epochs, 0xfffffff0), 0);
    ck_assert_uint_eq(dump_history_epoch(epochs, 0xfffffff7), 0);
    ck_assert_uint_eq(dump_history_epoch(epochs, 0xffffffff), 1);
    ck_assert_uint_eq(dump_history_epoch(epochs, 4), 1);
    ck_assert_uint_eq(dump_history_epoch(epochs, 5), 2);
    ck_assert_uint_eq(dump_history_epoch(epochs, 600), 3);
    ck_assert_uint_eq(dump_history_epoch((struct dump_epochs){entries, 0}, 7), 0);
}
END_TEST

START_TEST(changes_are_in_their_window) {
    reset();
    change(100, 0, 7, 3, 3);
    change(10, 2, 3, 0, 4);
    change(100, 7, 2, 3, 63);
    ck_assert_int_eq(site.risen[0], 700);
    ck_assert_int_eq(site.risen[1], 10);
    ck_assert_int_eq(site.risen[15], -500);
}
END_TEST

START_TEST(deaths_are_by_age) {
    reset();
    change(8, 9, 5, 10, 10); /* in the epoch of their birth: not late */
    change(8, 9, 7, 10, 11);
    change(8, 9, 6, 10, 13);
    change(8, 9, 5, 10, 14);
    change(8, 1, 0, 0, 63);
    const uint32_t expected[] = {2, 3, 4, 0, 0, 1};
    for (unsigned i = 0; i < TRACEMALLOC_DUMP_AGES; i++)
        ck_assert_uint_eq(site.freed_late[i], expected[i]);
}
END_TEST

static int64_t risen(unsigned window) {
    return (int64_t)site.risen[window] * ((int64_t)1 << site.risen_unit);
}

START_TEST(many_bytes_take_another_unit) {
    reset();
    change(1 << 20, 0, 1000, 0, 0);
    change((uint64_t)1 << 30, 0, 12, 4, 4);
    change((uint64_t)1 << 30, 24, 0, 8, 8);
    ck_assert_uint_gt(site.risen_unit, 0);
    ck_assert_int_eq(risen(0), (int64_t)1000 << 20);
    ck_assert_int_eq(risen(1), (int64_t)12 << 30);
    ck_assert_int_eq(risen(2), -((int64_t)24 << 30));
    change(UINT64_MAX, 0, 1, 12, 12); /* no such block */
    change((uint64_t)1 << 61, 0, 1, 16, 16);
    ck_assert_int_eq(risen(3), 0);
    ck_assert_int_eq(risen(4), (int64_t)1 << 61);
}
END_TEST

START_TEST(halves_are_sums) {
    reset();
    for (uint32_t epoch = 0; epoch < 64; epoch += 4)
        change((uint64_t)1 << 30, 0, 1, (uint8_t)epoch, epoch);
    change(8, 5, 0, 1, 2);
    change(8, 3, 0, 0, 4);
    dump_history_halve(&site);
    for (unsigned i = 1; i < 8; i++)
        ck_assert_int_eq(risen(i), (int64_t)2 << 30);
    for (unsigned i = 8; i < 16; i++)
        ck_assert_int_eq(risen(i), 0);
    ck_assert_uint_eq(site.freed_late[0], 2);
    ck_assert_uint_eq(site.freed_late[1], 3);
    ck_assert_uint_eq(site.freed_late[2], 0);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        an_epoch_is_found_by_a_stamp,
        changes_are_in_their_window,
        deaths_are_by_age,
        many_bytes_take_another_unit,
        halves_are_sums,
    };
    return suite_run("dump_history", tests, sizeof tests / sizeof *tests);
}
