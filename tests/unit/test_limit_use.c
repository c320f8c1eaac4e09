/* SPDX-License-Identifier: MIT */
#include "show/limit_use.h"

#include "opened_dump.h"
#include "suite.h"

enum { MIB = 1 << 20 };

static struct dump_maker maker;

/* RSS at the only sample. */
static void make(uint64_t rss) {
    const struct tracemalloc_dump_timeline_sample sample = {.rss_bytes = rss};
    dump_maker_open(&maker);
    dump_maker_append(&maker, TRACEMALLOC_DUMP_TIMELINE, &sample);
}

static void ck_text(const char *expected) {
    char text[LIMIT_USE_TEXT_SIZE];
    struct limit_use use;
    struct dump_reader *reader = opened_dump_read(&maker);
    ck_assert_int_eq(limit_use_find(reader, &use), expected != NULL);
    if (expected != NULL) {
        limit_use_text(&use, text);
        ck_assert_str_eq(text, expected);
    }
    dump_reader_close(reader);
}

START_TEST(the_process_knows_what_is_in_use) {
    make(170 * MIB);
    maker.header.nearest_used = 140 * MIB;
    maker.header.nearest_limit = 150 * MIB;
    maker.header.nearest_source = TRACEMALLOC_DUMP_LIMIT_CGROUP;
    ck_text("150 MiB (cgroup), in use 140 MiB when last measured: 10.0 MiB were left");
    maker.header.nearest_used = 150 * MIB;
    ck_text("150 MiB (cgroup), in use 150 MiB when last measured");
    maker.header.nearest_source = 77; /* of a damaged dump */
    ck_text(NULL);
    dump_maker_close(&maker);
}
END_TEST

START_TEST(else_its_own_resident_memory_is_known) {
    make(120 * MIB);
    ck_text(NULL);
    maker.header.memory_limit = 150 * MIB;
    maker.header.memory_limit_source = TRACEMALLOC_DUMP_LIMIT_AS;
    ck_text("150 MiB (RLIMIT_AS), RSS 120 MiB when last measured: 30.0 MiB were left");
    maker.header.memory_limit = 100 * MIB;
    ck_text("100 MiB (RLIMIT_AS), RSS 120 MiB when last measured");
    dump_maker_close(&maker);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        the_process_knows_what_is_in_use,
        else_its_own_resident_memory_is_known,
    };
    return suite_run("limit_use", tests, sizeof tests / sizeof *tests);
}
