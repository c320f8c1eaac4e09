/* SPDX-License-Identifier: MIT */
#include "stack/native/native_loads.h"

#include <dlfcn.h>

#include "suite.h"

static void find_counters(void) {
    ck_assert(native_loads_find());
}

START_TEST(loading_and_unloading_are_seen) {
    find_counters();
    uint64_t before = native_loads_now();
    ck_assert_uint_eq(native_loads_now(), before);
    void *handle = dlopen("libresolv.so.2", RTLD_NOW);
    uint64_t loaded = native_loads_now();
    ck_assert_uint_ne(loaded, before);
    dlclose(handle);
    ck_assert_uint_ne(native_loads_now(), loaded);
    ck_assert_uint_ne(native_loads_now(), before);
}
END_TEST

/* A file that is there already is not loaded again. */
START_TEST(another_handle_is_no_change) {
    find_counters();
    uint64_t before = native_loads_now();
    dlclose(dlopen("libc.so.6", RTLD_NOW));
    ck_assert_uint_eq(native_loads_now(), before);
}
END_TEST

static void expect_found(const char *name) {
    ck_assert_ptr_nonnull(dlopen(name, RTLD_NOW));
    find_counters();
}

/* Something is left to load, also where the program has some of it. */
START_TEST(they_are_found_beside_other_libraries) {
    expect_found("libanl.so.1");
    expect_found("libutil.so.1");
    expect_found("librt.so.1");
    ck_assert(dlopen("libBrokenLocale.so.1", RTLD_NOW | RTLD_NOLOAD) == NULL);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        loading_and_unloading_are_seen,
        another_handle_is_no_change,
        they_are_found_beside_other_libraries,
    };
    return suite_run("native_loads", tests, sizeof tests / sizeof *tests);
}
