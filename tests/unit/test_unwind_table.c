/* SPDX-License-Identifier: MIT */
#include "stack/native/unwind_table.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "suite.h"

static uint32_t asked;

static uint32_t give_id(const struct native_object *object) {
    (void)object;
    return ++asked;
}

static void open_rows(void) {
    asked = 0;
    ck_assert_int_eq(native_object_prepare(), 0);
    ck_assert(native_loads_find());
    ck_assert_int_eq(unwind_table_open(give_id), 0);
}

static uint64_t inside(void *function) {
    return (uint64_t)(uintptr_t)function + 1;
}

/* Code of a library that the program loads itself. */
static uint64_t load(void **handle) {
    *handle = dlopen("libresolv.so.2", RTLD_NOW);
    ck_assert_ptr_nonnull(*handle);
    return inside(dlsym(*handle, "ns_sprintrr"));
}

START_TEST(a_row_names_its_instruction) {
    struct native_object object;
    uint64_t ip = inside(dlsym(RTLD_DEFAULT, "qsort"));
    open_rows();
    const struct unwind_entry *entry = unwind_table_find(ip, false);
    ck_assert_int_eq(native_object_find(ip, &object), 0);
    ck_assert_uint_eq(entry->ip, ip);
    ck_assert_uint_eq(entry->key >> NATIVE_MODULE_SHIFT, 1);
    ck_assert_uint_eq(entry->key & (((uint64_t)1 << NATIVE_MODULE_SHIFT) - 1),
                      ip - 1 - object.bias);
    ck_assert_int_eq(entry->rule, NATIVE_RULE_RSP);
    ck_assert_int_eq(entry->cfa, 8);
    ck_assert_uint_eq(entry->flags, 0);
}
END_TEST

START_TEST(an_interrupted_instruction_has_a_row_of_its_own) {
    uint64_t ip = inside(dlsym(RTLD_DEFAULT, "qsort"));
    open_rows();
    uint64_t returned = unwind_table_find(ip, false)->key;
    ck_assert_uint_eq(unwind_table_find(ip, true)->key, returned + 1);
    ck_assert_uint_eq(unwind_table_find(ip, false)->key, returned);
}
END_TEST

START_TEST(our_own_code_is_hidden) {
    open_rows();
    ck_assert_uint_eq(
        unwind_table_find(inside((void *)unwind_table_find), false)->flags,
        NATIVE_HIDDEN);
}
END_TEST

START_TEST(code_of_no_file_is_absolute) {
    open_rows();
    char *block = malloc(1 << 20);
    uint64_t ip = (uint64_t)(uintptr_t)block + 100;
    const struct unwind_entry *entry = unwind_table_find(ip, true);
    ck_assert_uint_eq(entry->key, ip);
    ck_assert_int_eq(entry->rule, NATIVE_RULE_ABSENT);
    ck_assert_int_eq(unwind_table_find(ip, false)->rule, NATIVE_RULE_NO_CODE);
    ck_assert_uint_eq(asked, 0);
    free(block);
}
END_TEST

START_TEST(a_row_is_kept_until_something_is_loaded_or_unloaded) {
    void *handle, *other;
    open_rows();
    uint64_t ip = load(&handle);
    unwind_table_notice();
    const struct unwind_entry *entry = unwind_table_find(ip, false);
    uint32_t epoch = unwind_table.epoch;
    unwind_table_notice();
    ck_assert_uint_eq(unwind_table.epoch, epoch);
    ck_assert_uint_eq(entry->epoch, epoch);
    other = dlopen("libnss_dns.so.2", RTLD_NOW);
    if (other == NULL)
        other = dlopen("libthread_db.so.1", RTLD_NOW);
    unwind_table_notice();
    ck_assert_uint_ne(unwind_table.epoch, epoch);
    ck_assert_ptr_eq(unwind_table_find(ip, false), entry);
    ck_assert_uint_eq(entry->epoch, unwind_table.epoch);
    epoch = unwind_table.epoch;
    dlclose(other);
    unwind_table_notice();
    ck_assert_uint_ne(unwind_table.epoch, epoch);
    ck_assert_uint_eq(asked, 1);
}
END_TEST

START_TEST(without_the_loaders_counters_each_event_is_an_epoch) {
    open_rows();
    native_loads.adds = NULL;
    uint32_t epoch = unwind_table.epoch;
    unwind_table_notice();
    ck_assert_uint_ne(unwind_table.epoch, epoch);
}
END_TEST

START_TEST(the_programs_own_modules_stay) {
    void *handle;
    open_rows();
    uint64_t ip = inside(dlsym(RTLD_DEFAULT, "qsort"));
    const struct unwind_entry *entry = unwind_table_find(ip, false);
    load(&handle);
    unwind_table_notice();
    ck_assert_ptr_eq(unwind_table_find(ip, false), entry);
    ck_assert_uint_eq(asked, 1);
}
END_TEST

START_TEST(many_rows_are_found_again) {
    enum { MANY = 20000 };
    uint64_t before = arena_bytes(), start = inside(dlsym(RTLD_DEFAULT, "qsort"));
    open_rows();
    for (uint64_t at = 0; at < MANY; at++)
        ck_assert_uint_eq(unwind_table_find(start + at, false)->ip, start + at);
    for (uint64_t at = 1; at < MANY; at++)
        ck_assert_uint_eq(unwind_table_find(start + at, false)->key,
                          unwind_table_find(start, false)->key + at);
    ck_assert_uint_eq(asked, 1);
    unwind_table_close();
    ck_assert_uint_eq(arena_bytes(), before);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_row_names_its_instruction,
        an_interrupted_instruction_has_a_row_of_its_own,
        our_own_code_is_hidden,
        code_of_no_file_is_absolute,
        a_row_is_kept_until_something_is_loaded_or_unloaded,
        without_the_loaders_counters_each_event_is_an_epoch,
        the_programs_own_modules_stay,
        many_rows_are_found_again,
    };
    return suite_run("unwind_table", tests, sizeof tests / sizeof *tests);
}
