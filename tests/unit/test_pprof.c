/* SPDX-License-Identifier: MIT */
#include <profile.pb-c.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "check_run.h"
#include "exported_dump.h"

enum { MOST_BYTES = 1 << 16 };

static struct dump_maker maker;
static Pprof__Profile *profile;

static void set_up(void) {
    dump_maker_open(&maker);
    maker.header.pid = 4242;
}

static void tear_down(void) {
    if (profile != NULL)
        pprof__profile__free_unpacked(profile, NULL);
    profile = NULL;
    dump_maker_close(&maker);
}

static void export(void) {
    static uint8_t bytes[MOST_BYTES];
    struct exported_dump result = exported_dump_make_all(&maker, "pprof");
    ck_assert_int_eq(result.error, 0);
    z_stream stream = {.next_in = (uint8_t *)result.bytes,
                       .avail_in = (unsigned)result.size,
                       .next_out = bytes,
                       .avail_out = MOST_BYTES};
    ck_assert_int_eq(inflateInit2(&stream, 15 + 16), Z_OK);
    ck_assert_int_eq(inflate(&stream, Z_FINISH), Z_STREAM_END);
    profile = pprof__profile__unpack(NULL, stream.total_out, bytes);
    inflateEnd(&stream);
    exported_dump_free(&result);
    ck_assert_ptr_nonnull(profile);
}

static uint32_t hold(uint32_t domain, uint64_t size, uint32_t live) {
    uint32_t main_code = dump_maker_code(&maker, "app.py", "<module>");
    uint32_t code = dump_maker_code(&maker, "x.py", "f");
    uint32_t stack = dump_maker_stack(&maker, 0, main_code, 3);
    stack = dump_maker_stack(&maker, stack, code, 7);
    uint32_t site = dump_maker_site(&maker, stack, domain);
    return dump_maker_bucket(&maker, site, size, live, 0);
}

static void ck_string(int64_t place, const char *expected) {
    ck_assert_int_lt(place, (int64_t)profile->n_string_table);
    ck_assert_str_eq(profile->string_table[place], expected);
}

START_TEST(a_sample_has_five_values) {
    static const char *const names[] = {"inuse_space", "inuse_objects", "alloc_space",
                                        "alloc_objects", "peak_space"};
    static const char *const units[] = {"bytes", "count", "bytes", "count", "bytes"};
    uint32_t bucket = hold(0, 10, 3);
    struct tracemalloc_dump_bucket *entry =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_BUCKETS, bucket);
    entry->total = 50;
    dump_maker_peak(&maker, bucket, 9);
    export();
    ck_assert_uint_eq(profile->n_sample_type, 5);
    for (size_t i = 0; i < 5; i++) {
        ck_string(profile->sample_type[i]->type, names[i]);
        ck_string(profile->sample_type[i]->unit, units[i]);
    }
    static const int64_t values[] = {30, 3, 500, 50, 90};
    ck_assert_uint_eq(profile->n_sample, 1);
    ck_assert_uint_eq(profile->sample[0]->n_value, 5);
    ck_assert_mem_eq(profile->sample[0]->value, values, sizeof values);
    ck_string(0, "");
}
END_TEST

START_TEST(a_sample_has_three_labels) {
    hold(1, 10, 1);
    export();
    Pprof__Label **labels = profile->sample[0]->label;
    ck_assert_uint_eq(profile->sample[0]->n_label, 3);
    ck_string(labels[0]->key, "domain");
    ck_string(labels[0]->str, "libc");
    ck_string(labels[1]->key, "pid");
    ck_string(labels[1]->str, "4242");
    ck_string(labels[2]->key, "thread");
    ck_string(labels[2]->str, "main");
}
END_TEST

START_TEST(the_most_recent_location_comes_first) {
    hold(0, 10, 1);
    export();
    ck_assert_uint_eq(profile->sample[0]->n_location_id, 2);
    const Pprof__Location *leaf =
        profile->location[profile->sample[0]->location_id[0] - 1];
    const Pprof__Function *function = profile->function[leaf->line[0]->function_id - 1];
    ck_assert_uint_eq(leaf->mapping_id, 1);
    ck_assert_int_eq(leaf->line[0]->line, 7);
    ck_string(function->name, "f");
    ck_string(function->filename, "x.py");
}
END_TEST

START_TEST(a_native_frame_is_an_address_in_its_module) {
    struct tracemalloc_dump_module module = {.path = dump_maker_text(&maker, "/lib/c"),
                                             .build_id =
                                                 dump_maker_text(&maker, "ab12"),
                                             .load_bias = 0x70000000,
                                             .start = 0x70001000,
                                             .end = 0x70009000};
    uint32_t id = dump_maker_append(&maker, TRACEMALLOC_DUMP_MODULES, &module);
    uint32_t stack = dump_maker_stack(&maker, 0, TRACEMALLOC_DUMP_NATIVE | id, 0x1234);
    dump_maker_bucket(&maker, dump_maker_site(&maker, stack, 1), 10, 1, 0);
    export();
    const Pprof__Location *location = profile->location[0];
    ck_assert_uint_eq(location->address, 0x70001234);
    ck_assert_uint_eq(location->n_line, 0);
    ck_assert_uint_eq(location->mapping_id, 2);
    ck_assert_uint_eq(profile->n_mapping, 2);
    const Pprof__Mapping *mapping = profile->mapping[1];
    ck_assert_uint_eq(mapping->memory_start, 0x70000000);
    ck_assert_uint_eq(mapping->memory_limit, 0x70009000);
    ck_string(mapping->filename, "/lib/c");
    ck_string(mapping->build_id, "ab12");
}
END_TEST

START_TEST(what_is_missing_is_a_comment) {
    maker.header.lost[TRACEMALLOC_DUMP_LOST_BLOCKS] = 3;
    export();
    ck_assert_uint_eq(profile->n_comment, 1);
    ck_string(profile->comment[0],
              "a table could not grow: 3 blocks were not recorded");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("pprof");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_sample_has_five_values);
    tcase_add_test(tests, a_sample_has_three_labels);
    tcase_add_test(tests, the_most_recent_location_comes_first);
    tcase_add_test(tests, a_native_frame_is_an_address_in_its_module);
    tcase_add_test(tests, what_is_missing_is_a_comment);
    return check_run("pprof", tests);
}
