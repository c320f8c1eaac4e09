/* SPDX-License-Identifier: MIT */
/* The library whose calls are redirected is this program itself, which is linked so
 * that its table of addresses cannot be written. */
#include "stack/native/native_redirect.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "stack/native/native_object.h"
#include "suite.h"

enum { OURS = -7, OTHERS = -8 };

static int asked;

static int ours(void) {
    asked++;
    return OURS;
}

static int others(void) {
    return OTHERS;
}

static const void *inside(void) {
    return &asked;
}

static void *before; /* what the last redirected calls led to */

static int redirect(const void *where, const char *name, void *to) {
    ck_assert_int_eq(native_object_prepare(), 0);
    return native_redirect(where, name, to, &before);
}

/* What the dynamic linker finds, by no table of this program. */
static int call_elsewhere(const char *name) {
    int (*function)(void) = (int (*)(void))(uintptr_t)dlsym(RTLD_DEFAULT, name);
    ck_assert(function != NULL);
    return function();
}

START_TEST(a_call_leads_to_ours) {
    ck_assert_int_gt(getppid(), 0);
    ck_assert_int_eq(redirect(inside(), "getppid", (void *)ours), 0);
    ck_assert_int_eq(getppid(), OURS);
    ck_assert_int_eq(getppid(), OURS);
    ck_assert_int_eq(asked, 2);
}
END_TEST

START_TEST(code_is_inside_as_data_is) {
    const void *code = (const void *)(uintptr_t)ours;
    ck_assert_int_eq(redirect(code, "getppid", (void *)ours), 0);
    ck_assert_int_eq(getppid(), OURS);
}
END_TEST

START_TEST(calls_of_other_libraries_and_other_names_stay) {
    int parent = getppid(), own = getpid();
    ck_assert_int_eq(redirect(inside(), "getppid", (void *)ours), 0);
    ck_assert_int_eq(call_elsewhere("getppid"), parent);
    ck_assert_int_eq(getpid(), own);
    ck_assert_int_eq(asked, 0);
}
END_TEST

START_TEST(it_may_be_done_again) {
    int own = getpid();
    ck_assert_int_eq(redirect(inside(), "getppid", (void *)ours), 0);
    ck_assert_int_eq(redirect(inside(), "getppid", (void *)others), 0);
    ck_assert_int_eq(getppid(), OTHERS);
    ck_assert_int_eq(redirect(inside(), "getpid", (void *)ours), 0);
    ck_assert_int_eq(getpid(), OURS);
    ck_assert_int_eq(getppid(), OTHERS);
    ck_assert_int_ne(own, OURS);
}
END_TEST

START_TEST(it_may_be_undone) {
    int parent = getppid();
    ck_assert_int_eq(redirect(inside(), "getppid", (void *)ours), 0);
    ck_assert_int_eq(redirect(inside(), "getppid", before), 0);
    ck_assert_ptr_eq(before, (void *)ours);
    ck_assert_int_eq(getppid(), parent);
    ck_assert_int_eq(asked, 0);
}
END_TEST

/* The loader makes the table of this program read-only, and so it stays. */
START_TEST(the_table_stays_read_only) {
    char line[512];
    uintptr_t start, end, table = (uintptr_t)_DYNAMIC;
    bool found = false;
    ck_assert_int_eq(redirect(inside(), "getppid", (void *)ours), 0);
    FILE *maps = fopen("/proc/self/maps", "r");
    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof line, maps) != NULL) {
        char *rest = NULL;
        start = strtoul(line, &rest, 16);
        end = strtoul(rest + 1, &rest, 16);
        if (table < start || table >= end)
            continue;
        found = true;
        ck_assert_int_eq(rest[2], '-');
    }
    fclose(maps);
    ck_assert(found);
}
END_TEST

START_TEST(what_is_not_called_is_not_found) {
    static const char *const names[] = {"getppi", "getppid2", "iconv_open", ""};
    for (size_t at = 0; at < sizeof names / sizeof *names; at++)
        ck_assert_int_eq(redirect(inside(), names[at], (void *)ours), -ENOENT);
    ck_assert_int_gt(getppid(), 0);
}
END_TEST

/* libm asks nobody for the parent process. */
START_TEST(another_library_has_calls_of_its_own) {
    void *libm = dlopen("libm.so.6", RTLD_NOW);
    ck_assert_ptr_nonnull(libm);
    void *function = dlsym(libm, "cbrt");
    ck_assert_ptr_nonnull(function);
    ck_assert_int_eq(redirect(function, "getppid", (void *)ours), -ENOENT);
    ck_assert_int_gt(getppid(), 0);
}
END_TEST

START_TEST(an_address_of_no_library) {
    void *block = calloc(1, 1 << 20);
    ck_assert_int_eq(redirect(block, "getppid", (void *)ours), -ENOENT);
    ck_assert_int_eq(redirect(NULL, "getppid", (void *)ours), -ENOENT);
    free(block);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_call_leads_to_ours,
        code_is_inside_as_data_is,
        calls_of_other_libraries_and_other_names_stay,
        it_may_be_done_again,
        it_may_be_undone,
        the_table_stays_read_only,
        what_is_not_called_is_not_found,
        another_library_has_calls_of_its_own,
        an_address_of_no_library,
    };
    return suite_run("native_redirect", tests, sizeof tests / sizeof *tests);
}
