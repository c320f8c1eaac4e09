/* SPDX-License-Identifier: MIT */
#include "trace/reclaim_trigger.h"

#include "base/epoch.h"
#include "suite.h"

static struct dump_file file;

static uint64_t capacity(void) {
    return file.mapped[TRACEMALLOC_DUMP_STACKS] / sizeof(struct tracemalloc_dump_stack);
}

/* A table of stacks with this many entries. */
static void open_with(uint64_t count) {
    ck_assert_int_eq(dump_file_open(&file, 16 << 20), 0);
    dump_file_publish(&file, TRACEMALLOC_DUMP_STACKS, count);
    reclaim_trigger_reset();
}

static bool is_requested_at(uint64_t count) {
    ck_assert_int_eq(reclaim_trigger_reserve(&file, TRACEMALLOC_DUMP_STACKS, count), 0);
    return reclaim_trigger.requested;
}

START_TEST(a_pass_is_requested_if_a_table_is_nearly_full) {
    open_with(100);
    reclaim_trigger.new_stacks = 1000000;
    ck_assert(!is_requested_at(1));
    ck_assert(!is_requested_at(capacity() / 8 * 7));
    uint32_t epoch = epoch_now;
    ck_assert(is_requested_at(capacity() / 8 * 7 + 1));
    ck_assert_uint_gt(epoch_now, epoch);
    epoch = epoch_now;
    ck_assert(is_requested_at(capacity()));
    ck_assert_uint_eq(epoch_now, epoch);
}
END_TEST

START_TEST(new_stacks_pay_for_a_pass) {
    open_with(8000);
    dump_file_publish(&file, TRACEMALLOC_DUMP_BUCKETS, 16000);
    reclaim_trigger.new_stacks = 2999;
    ck_assert(!is_requested_at(capacity()));
    reclaim_trigger.new_stacks = 3000;
    ck_assert(is_requested_at(capacity()));
    reclaim_trigger_reset();
    ck_assert(!reclaim_trigger.requested);
    ck_assert_uint_eq(reclaim_trigger.new_stacks, 0);
}
END_TEST

START_TEST(reserves_as_the_file_does) {
    open_with(100);
    uint64_t count = capacity();
    ck_assert_int_eq(reclaim_trigger_reserve(&file, TRACEMALLOC_DUMP_STACKS, count + 1),
                     0);
    ck_assert_uint_gt(capacity(), count);
    ck_assert_int_lt(reclaim_trigger_reserve(&file, TRACEMALLOC_DUMP_STACKS, 2 << 20),
                     0);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_pass_is_requested_if_a_table_is_nearly_full,
        new_stacks_pay_for_a_pass,
        reserves_as_the_file_does,
    };
    return suite_run("reclaim_trigger", tests, sizeof tests / sizeof *tests);
}
