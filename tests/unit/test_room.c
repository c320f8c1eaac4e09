/* SPDX-License-Identifier: MIT */
#include "trace/room.h"

#include "base/epoch.h"
#include "suite.h"

static struct dump_file file;

static uint64_t capacity(void) {
    return file.mapped[TRACEMALLOC_DUMP_STACKS] / sizeof(struct tracemalloc_dump_stack);
}

/* A table of stacks with so many entries. */
static void open_with(uint64_t count) {
    ck_assert_int_eq(dump_file_open(&file, 16 << 20), 0);
    dump_file_publish(&file, TRACEMALLOC_DUMP_STACKS, count);
    room_reset();
}

static bool wanted_at(uint64_t count) {
    ck_assert_int_eq(room_reserve(&file, TRACEMALLOC_DUMP_STACKS, count), 0);
    return room.wanted;
}

START_TEST(a_look_is_wanted_where_it_is_nearly_full) {
    open_with(100);
    room.made = 1000000;
    ck_assert(!wanted_at(1));
    ck_assert(!wanted_at(capacity() / 8 * 7));
    uint32_t epoch = epoch_now;
    ck_assert(wanted_at(capacity() / 8 * 7 + 1));
    ck_assert_uint_gt(epoch_now, epoch);
    epoch = epoch_now;
    ck_assert(wanted_at(capacity()));
    ck_assert_uint_eq(epoch_now, epoch);
}
END_TEST

START_TEST(a_look_is_paid_for_by_new_stacks) {
    open_with(8000);
    dump_file_publish(&file, TRACEMALLOC_DUMP_BUCKETS, 16000);
    room.made = 2999;
    ck_assert(!wanted_at(capacity()));
    room.made = 3000;
    ck_assert(wanted_at(capacity()));
    room_reset();
    ck_assert(!room.wanted);
    ck_assert_uint_eq(room.made, 0);
}
END_TEST

START_TEST(there_is_room_as_in_the_file) {
    open_with(100);
    uint64_t count = capacity();
    ck_assert_int_eq(room_reserve(&file, TRACEMALLOC_DUMP_STACKS, count + 1), 0);
    ck_assert_uint_gt(capacity(), count);
    ck_assert_int_lt(room_reserve(&file, TRACEMALLOC_DUMP_STACKS, 2 << 20), 0);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_look_is_wanted_where_it_is_nearly_full,
        a_look_is_paid_for_by_new_stacks,
        there_is_room_as_in_the_file,
    };
    return suite_run("room", tests, sizeof tests / sizeof *tests);
}
