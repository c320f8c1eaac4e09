/* SPDX-License-Identifier: MIT */
#include "stack/native/native_loads.h"

#include <dlfcn.h>

#include "suite.h"

static void find_counters(void) {
    native_loads_begin();
    ck_assert_ptr_nonnull(dlopen("libutil.so.1", RTLD_NOW));
    ck_assert(native_loads_settle());
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

START_TEST(what_was_not_looked_for_is_not_found) {
    ck_assert(!native_loads_settle());
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        loading_and_unloading_are_seen,
        another_handle_is_no_change,
        what_was_not_looked_for_is_not_found,
    };
    return suite_run("native_loads", tests, sizeof tests / sizeof *tests);
}
