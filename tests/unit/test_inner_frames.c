/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "check_run.h"
#include "opened_dump.h"
#include "profile/inner_frames.h"

static struct dump_maker maker;
static struct opened_dump opened;
static uint32_t code, frames[16];

static void set_up(void) {
    dump_maker_open(&maker);
    code = dump_maker_code(&maker, "x.py", "f");
    memset(frames, 0, sizeof frames);
}

static void tear_down(void) {
    opened_dump_close(&opened);
    dump_maker_close(&maker);
}

static uint32_t call(uint32_t caller, uint32_t line) {
    return dump_maker_stack(&maker, caller, code, line);
}

static void hold(uint32_t stack) {
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 0), 8, 1, 0);
}

static void count(bool weighted) {
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    inner_frames_count(opened.reader, weighted ? opened.profile.sites : NULL, frames);
}

START_TEST(the_innermost_block_counts) {
    uint32_t outer = call(0, 1), middle = call(outer, 2), inner = call(middle, 3);
    hold(inner);
    hold(outer);
    count(false);
    ck_assert_uint_eq(frames[inner], 1);
    ck_assert_uint_eq(frames[middle], 2);
    ck_assert_uint_eq(frames[outer], 3);
}
END_TEST

START_TEST(a_stack_without_blocks_has_none) {
    uint32_t outer = call(0, 1), inner = call(outer, 2);
    hold(outer);
    count(false);
    ck_assert_uint_eq(frames[inner], 0);
    ck_assert_uint_eq(frames[outer], 1);
}
END_TEST

START_TEST(an_empty_site_counts_only_without_weights) {
    uint32_t outer = call(0, 1), inner = call(outer, 2);
    hold(outer);
    dump_maker_site(&maker, inner, 0);
    count(true);
    ck_assert_uint_eq(frames[outer], 1);
    inner_frames_count(opened.reader, NULL, frames);
    ck_assert_uint_eq(frames[inner], 1);
    ck_assert_uint_eq(frames[outer], 2);
}
END_TEST

/* Only Python's frames are limited. */
START_TEST(native_frames_do_not_count) {
    uint32_t outer = call(0, 1);
    uint32_t native =
        dump_maker_stack(&maker, outer, TRACEMALLOC_DUMP_NATIVE | 0, 0x1000);
    struct tracemalloc_dump_module none = {0};
    dump_maker_append(&maker, TRACEMALLOC_DUMP_MODULES, &none);
    uint32_t inner = call(native, 2);
    hold(inner);
    count(false);
    ck_assert(inner_frames_is_native(opened.reader, native));
    ck_assert(!inner_frames_is_native(opened.reader, outer));
    ck_assert_uint_eq(frames[native], 1);
    ck_assert_uint_eq(frames[outer], 2);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("inner_frames");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_innermost_block_counts);
    tcase_add_test(tests, a_stack_without_blocks_has_none);
    tcase_add_test(tests, an_empty_site_counts_only_without_weights);
    tcase_add_test(tests, native_frames_do_not_count);
    return check_run("inner_frames", tests);
}
