/* SPDX-License-Identifier: MIT */
#include "trace/memory_watch.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "suite.h"

enum { MIB = 1 << 20, MAX_CALLS = 16, INTERVAL = 10000000, EVENTS = 16 };

static struct dump_file file;
static struct options options;
static char calls[MAX_CALLS][OPTIONS_THRESHOLD_SIZE];
static unsigned call_count;
static uint64_t now;

static void reached(const struct options_threshold *threshold,
                    const struct memory_use *use) {
    ck_assert_uint_gt(use->resident, 0);
    ck_assert_uint_lt(call_count, MAX_CALLS);
    options_threshold_text(threshold, calls[call_count++]);
}

static void watch(const char *thresholds) {
    ck_assert_int_eq(dump_file_open(&file, 4 << 20), 0);
    ck_assert_int_eq(options_parse(OPTION_SNAPSHOT_AT, thresholds, &options), 0);
    memory_watch_open(&file, &options.snapshot_at, reached);
}

static bool ask_later(void) {
    now += INTERVAL;
    return memory_watch_ask(now, EVENTS);
}

static void limit_addresses(uint64_t bytes) {
    struct rlimit value = {bytes, RLIM_INFINITY};
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &value), 0);
}

static void map(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
}

START_TEST(a_size_is_compared_with_resident_memory) {
    watch("60T,1024K,1M");
    ask_later();
    ck_assert_uint_eq(call_count, 2);
    ck_assert_str_eq(calls[0], "1024K");
    ck_assert_str_eq(calls[1], "1M");
    ask_later();
    ck_assert_uint_eq(call_count, 2);
    ck_assert(memory_watch_is_open);
}
END_TEST

START_TEST(a_percentage_is_of_the_nearest_limit) {
    limit_addresses((uint64_t)1000 * MIB);
    watch("60%,80%");
    ask_later();
    ck_assert_uint_eq(call_count, 0);
    ck_assert_uint_eq(file.header->nearest_limit, (uint64_t)1000 * MIB);
    map(650 * MIB);
    ask_later();
    ck_assert_uint_eq(call_count, 1);
    ck_assert_str_eq(calls[0], "60");
    ck_assert_uint_ge(file.header->nearest_used, (uint64_t)650 * MIB);
    ck_assert_uint_eq(file.header->nearest_source, TRACEMALLOC_DUMP_LIMIT_AS);
    map(160 * MIB);
    ask_later();
    ck_assert_uint_eq(call_count, 2);
    ck_assert_str_eq(calls[1], "80");
    uint64_t used = file.header->nearest_used;
    map(50 * MIB);
    ask_later();
    ck_assert_uint_eq(call_count, 2);
    ck_assert_uint_eq(file.header->nearest_used, used + (uint64_t)50 * MIB);
}
END_TEST

START_TEST(memory_is_not_asked_for_at_each_reading_of_the_clock) {
    limit_addresses((uint64_t)1000 * MIB);
    watch("60%");
    ask_later();
    map(650 * MIB);
    memory_watch_ask(now + INTERVAL - 1, EVENTS);
    ck_assert_uint_eq(call_count, 0);
    memory_watch_ask(now + INTERVAL, EVENTS);
    ck_assert_uint_eq(call_count, 1);
}
END_TEST

START_TEST(fast_growth_does_not_wait_for_the_clock) {
    limit_addresses((uint64_t)1000 * MIB);
    watch("60%");
    ask_later();
    map(650 * MIB);
    file.header->native_bytes = 10 * MIB;
    memory_watch_ask(now, EVENTS);
    ck_assert_uint_eq(call_count, 0);
    file.header->native_bytes = 20 * MIB;
    memory_watch_ask(now, EVENTS);
    ck_assert_uint_eq(call_count, 1);
}
END_TEST

START_TEST(large_blocks_are_asked_about_at_each_event) {
    watch("60T");
    ck_assert(!ask_later());
    file.header->python_bytes += EVENTS * 1000;
    ck_assert(!ask_later());
    file.header->python_bytes += 2 * MIB;
    ck_assert(ask_later());
    for (unsigned i = 1; i < 64; i++) {
        file.header->python_bytes += 100;
        ck_assert(memory_watch_ask(now, 1));
    }
    ck_assert(!memory_watch_ask(now, 1));
}
END_TEST

START_TEST(without_thresholds_nothing_is_asked) {
    ck_assert_int_eq(dump_file_open(&file, 4 << 20), 0);
    memory_watch_open(&file, &options.snapshot_at, reached);
    ck_assert(!memory_watch_is_open);
    watch("1M");
    ck_assert(memory_watch_is_open);
    memory_watch_close();
    ck_assert(!memory_watch_is_open);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_size_is_compared_with_resident_memory,
        a_percentage_is_of_the_nearest_limit,
        memory_is_not_asked_for_at_each_reading_of_the_clock,
        fast_growth_does_not_wait_for_the_clock,
        large_blocks_are_asked_about_at_each_event,
        without_thresholds_nothing_is_asked,
    };
    return suite_run("memory_watch", tests, sizeof tests / sizeof *tests);
}
