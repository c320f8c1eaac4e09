/* SPDX-License-Identifier: MIT */
#include <otlp.pb-c.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "exported_dump.h"

enum { PROFILES = 5 };

static struct dump_maker maker;
static struct resource resource;
static Otlp__ProfilesData *data;
static Otlp__Dictionary *dictionary;
static Otlp__Resource *first_resource;
static size_t part, parts;
static Otlp__Profile *profiles[PROFILES]; /* of the first process */

static void set_up(void) {
    dump_maker_open(&maker);
    part = 0;
    parts = 1;
    maker.header.pid = 4242;
    maker.header.start_time = 1000;
    maker.header.end_time = 3500;
}

static void tear_down(void) {
    for (int i = 0; i < PROFILES; i++)
        if (profiles[i] != NULL)
            otlp__profile__free_unpacked(profiles[i], NULL);
    memset(profiles, 0, sizeof profiles);
    if (dictionary != NULL)
        otlp__dictionary__free_unpacked(dictionary, NULL);
    if (first_resource != NULL)
        otlp__resource__free_unpacked(first_resource, NULL);
    if (data != NULL)
        otlp__profiles_data__free_unpacked(data, NULL);
    dictionary = NULL;
    first_resource = NULL;
    data = NULL;
    resource_close(&resource);
    dump_maker_close(&maker);
}

static void unpack_profiles(const Otlp__ScopeProfiles *scope) {
    ck_assert_uint_eq(scope->n_profiles, PROFILES);
    for (int i = 0; i < PROFILES; i++) {
        profiles[i] = otlp__profile__unpack(NULL, scope->profiles[i].len,
                                            scope->profiles[i].data);
        ck_assert_ptr_nonnull(profiles[i]);
    }
}

static void export(void) {
    struct export_input settings;
    export_input_prepare(&settings);
    settings.resource = &resource;
    settings.part = part;
    settings.parts = parts;
    struct exported_dump result = exported_dump_make(&maker, "otlp", &settings);
    ck_assert_int_eq(result.error, 0);
    data = otlp__profiles_data__unpack(NULL, result.size, (uint8_t *)result.bytes);
    exported_dump_free(&result);
    ck_assert_ptr_nonnull(data);
    dictionary =
        otlp__dictionary__unpack(NULL, data->dictionary.len, data->dictionary.data);
    ck_assert_ptr_nonnull(dictionary);
    ck_assert_uint_gt(data->n_resource_profiles, 0);
    const Otlp__ResourceProfiles *first = data->resource_profiles[0];
    first_resource =
        otlp__resource__unpack(NULL, first->resource.len, first->resource.data);
    ck_assert_ptr_nonnull(first_resource);
    ck_assert_uint_eq(first->n_scope_profiles, 1);
    unpack_profiles(first->scope_profiles[0]);
}

static uint32_t hold(uint32_t domain, uint64_t size, uint32_t live) {
    uint32_t main_code = dump_maker_code(&maker, "app.py", "<module>");
    uint32_t code = dump_maker_code(&maker, "x.py", "f");
    uint32_t stack = dump_maker_stack(&maker, 0, main_code, 3);
    stack = dump_maker_stack(&maker, stack, code, 7);
    uint32_t site = dump_maker_site(&maker, stack, domain);
    return dump_maker_bucket(&maker, site, size, live, 0);
}

static void ck_string(int32_t index, const char *expected) {
    ck_assert_int_lt(index, (int32_t)dictionary->n_string_table);
    ck_assert_str_eq(dictionary->string_table[index], expected);
}

static void ck_attribute(int32_t index, const char *key, const char *value) {
    ck_assert_int_gt(index, 0);
    ck_assert_int_lt(index, (int32_t)dictionary->n_attribute_table);
    ck_string(dictionary->attribute_table[index]->key_strindex, key);
    ck_assert_str_eq(dictionary->attribute_table[index]->value->string_value, value);
}

static const Otlp__AnyValue *resource_value(const char *key) {
    const Otlp__AnyValue *value = NULL;
    for (size_t i = 0; i < first_resource->n_attributes; i++)
        if (strcmp(first_resource->attributes[i]->key, key) == 0) {
            ck_assert_ptr_null(value);
            value = first_resource->attributes[i]->value;
        }
    return value;
}

static void ck_resource(const char *key, const char *expected) {
    ck_assert_ptr_nonnull(resource_value(key));
    ck_assert_str_eq(resource_value(key)->string_value, expected);
}

START_TEST(each_sample_type_is_a_profile) {
    static const char *const names[] = {"inuse_space", "inuse_objects", "alloc_space",
                                        "alloc_objects", "peak_space"};
    static const char *const units[] = {"bytes", "count", "bytes", "count", "bytes"};
    static const int64_t values[] = {30, 3, 500, 50, 90};
    uint32_t bucket = hold(0, 10, 3);
    struct tracemalloc_dump_bucket *entry =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_BUCKETS, bucket);
    entry->total = 50;
    dump_maker_peak(&maker, bucket, 9);
    export();
    for (int i = 0; i < PROFILES; i++) {
        ck_string(profiles[i]->sample_type->type_strindex, names[i]);
        ck_string(profiles[i]->sample_type->unit_strindex, units[i]);
        ck_assert_uint_eq(profiles[i]->n_samples, 1);
        ck_assert_uint_eq(profiles[i]->samples[0]->n_values, 1);
        ck_assert_int_eq(profiles[i]->samples[0]->values[0], values[i]);
    }
}
END_TEST

START_TEST(a_sample_of_nothing_is_left_out) {
    struct tracemalloc_dump_bucket *entry =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_BUCKETS, hold(0, 10, 0));
    entry->total = 5;
    export();
    ck_assert_uint_eq(profiles[0]->n_samples, 0);
    ck_assert_uint_eq(profiles[1]->n_samples, 0);
    ck_assert_uint_eq(profiles[2]->n_samples, 1);
}
END_TEST

START_TEST(what_was_allocated_has_a_duration) {
    hold(0, 10, 1);
    export();
    ck_assert_uint_eq(profiles[0]->time_unix_nano, 3500);
    ck_assert_uint_eq(profiles[0]->duration_nano, 0);
    ck_assert_uint_eq(profiles[2]->time_unix_nano, 1000);
    ck_assert_uint_eq(profiles[2]->duration_nano, 2500);
}
END_TEST

START_TEST(the_tables_begin_with_an_empty_entry) {
    hold(0, 10, 1);
    export();
    ck_string(0, "");
    ck_assert_uint_gt(dictionary->n_mapping_table, 0);
    ck_assert_uint_eq(dictionary->location_table[0]->n_lines, 0);
    ck_assert_int_eq(dictionary->function_table[0]->name_strindex, 0);
    ck_assert_uint_eq(dictionary->stack_table[0]->n_location_indices, 0);
    ck_assert_int_eq(dictionary->attribute_table[0]->key_strindex, 0);
    ck_assert_uint_eq(dictionary->n_link_table, 1);
    ck_assert_uint_eq(dictionary->link_table[0]->trace_id.len, 16);
}
END_TEST

START_TEST(no_text_and_no_stack_is_there_twice) {
    hold(0, 10, 1);
    hold(1, 20, 2);
    export();
    for (size_t i = 0; i < dictionary->n_string_table; i++)
        for (size_t k = 0; k < i; k++)
            ck_assert_str_ne(dictionary->string_table[i], dictionary->string_table[k]);
    ck_assert_uint_eq(profiles[0]->n_samples, 2);
    ck_assert_uint_eq(dictionary->n_stack_table, 2);
    ck_assert_uint_eq(dictionary->n_location_table, 3);
    ck_assert_uint_eq(dictionary->n_function_table, 3);
    ck_assert_int_eq(profiles[0]->samples[0]->stack_index,
                     profiles[0]->samples[1]->stack_index);
}
END_TEST

START_TEST(a_sample_has_domain_and_thread) {
    hold(1, 10, 1);
    export();
    const Otlp__Sample *sample = profiles[0]->samples[0];
    ck_assert_uint_eq(sample->n_attribute_indices, 2);
    ck_attribute(sample->attribute_indices[0], "tracemalloc.domain", "libc");
    ck_attribute(sample->attribute_indices[1], "thread.name", "main");
}
END_TEST

START_TEST(the_most_recent_location_comes_first) {
    hold(0, 10, 1);
    export();
    const Otlp__Stack *stack =
        dictionary->stack_table[profiles[0]->samples[0]->stack_index];
    ck_assert_uint_eq(stack->n_location_indices, 2);
    const Otlp__Location *leaf = dictionary->location_table[stack->location_indices[0]];
    ck_attribute(leaf->attribute_indices[0], "profile.frame.type", "cpython");
    ck_assert_int_eq(leaf->mapping_index, 0);
    ck_assert_int_eq(leaf->lines[0]->line, 7);
    const Otlp__Function *function =
        dictionary->function_table[leaf->lines[0]->function_index];
    ck_string(function->name_strindex, "f");
    ck_string(function->filename_strindex, "x.py");
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
    const Otlp__Location *location = dictionary->location_table[1];
    ck_attribute(location->attribute_indices[0], "profile.frame.type", "native");
    ck_assert_uint_eq(location->address, 0x70001234);
    ck_assert_uint_eq(location->n_lines, 0);
    const Otlp__Mapping *mapping = dictionary->mapping_table[location->mapping_index];
    ck_assert_uint_eq(mapping->memory_start, 0x70000000);
    ck_assert_uint_eq(mapping->memory_limit, 0x70009000);
    ck_string(mapping->filename_strindex, "/lib/c");
    ck_attribute(mapping->attribute_indices[0], "process.executable.build_id.gnu",
                 "ab12");
}
END_TEST

START_TEST(no_frame_is_of_no_type) {
    dump_maker_bucket(&maker, dump_maker_site(&maker, 0, 1), 10, 1, 0);
    export();
    ck_assert_uint_eq(dictionary->location_table[1]->n_attribute_indices, 0);
}
END_TEST

START_TEST(a_part_has_its_traces_alone) {
    hold(0, 10, 1);
    hold(1, 20, 2);
    part = 1;
    parts = 2;
    export();
    ck_assert_uint_eq(profiles[0]->n_samples, 1);
    ck_assert_int_eq(profiles[0]->samples[0]->values[0], 10);
}
END_TEST

START_TEST(a_resource_is_a_process) {
    maker.header.executable = dump_maker_text(&maker, "/usr/bin/python3.11");
    export();
    ck_resource("service.name", "unknown_service:python3.11");
    ck_resource("process.executable.path", "/usr/bin/python3.11");
    ck_resource("process.executable.name", "python3.11");
    ck_resource("process.runtime.name", "cpython");
    ck_resource("process.runtime.version", "3.11.7");
    ck_assert_int_eq(resource_value("process.pid")->int_value, 4242);
    ck_assert_ptr_null(resource_value("host.name")); /* of another boot */
}
END_TEST

START_TEST(the_user_has_the_last_word) {
    ck_assert_int_eq(resource_set(&resource, "service.name", "orders"), 0);
    ck_assert_int_eq(resource_set(&resource, "process.pid", "7"), 0);
    ck_assert_int_eq(resource_set(&resource, "x", "y\xff"), 0);
    export();
    ck_resource("service.name", "orders");
    ck_resource("process.pid", "7");
    ck_resource("x", "y\\udcff");
}
END_TEST

START_TEST(sampled_and_incomplete_profiles_say_so) {
    maker.header.sample_distance = 65536;
    maker.header.lost[TRACEMALLOC_DUMP_LOST_BLOCKS] = 3;
    hold(0, 10, 1);
    export();
    ck_assert_int_eq(profiles[0]->period, 65536);
    ck_string(profiles[0]->period_type->unit_strindex, "bytes");
    ck_assert_uint_eq(profiles[4]->n_attribute_indices, 2);
    ck_attribute(profiles[4]->attribute_indices[0], "tracemalloc.sampling",
                 "sampled, one in 64 KiB");
    ck_attribute(profiles[4]->attribute_indices[1], "tracemalloc.incomplete",
                 "a table could not grow: 3 blocks were not recorded");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("otlp");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, each_sample_type_is_a_profile);
    tcase_add_test(tests, a_sample_of_nothing_is_left_out);
    tcase_add_test(tests, what_was_allocated_has_a_duration);
    tcase_add_test(tests, the_tables_begin_with_an_empty_entry);
    tcase_add_test(tests, no_text_and_no_stack_is_there_twice);
    tcase_add_test(tests, a_sample_has_domain_and_thread);
    tcase_add_test(tests, the_most_recent_location_comes_first);
    tcase_add_test(tests, a_native_frame_is_an_address_in_its_module);
    tcase_add_test(tests, no_frame_is_of_no_type);
    tcase_add_test(tests, a_part_has_its_traces_alone);
    tcase_add_test(tests, a_resource_is_a_process);
    tcase_add_test(tests, the_user_has_the_last_word);
    tcase_add_test(tests, sampled_and_incomplete_profiles_say_so);
    return check_run("otlp", tests);
}
