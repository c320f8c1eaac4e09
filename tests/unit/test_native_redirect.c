/* SPDX-License-Identifier: MIT */
/* The library whose calls are redirected is this program itself, which is linked so
 * that its table of addresses cannot be written. */
#include "stack/native/native_redirect.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

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

/* What the dynamic linker finds, by no table of this program. */
static int call_elsewhere(const char *name) {
    int (*function)(void) = (int (*)(void))(uintptr_t)dlsym(RTLD_DEFAULT, name);
    ck_assert(function != NULL);
    return function();
}

START_TEST(a_call_leads_to_ours) {
    ck_assert_int_gt(getppid(), 0);
    ck_assert_int_eq(native_redirect(inside(), "getppid", (void *)ours), 0);
    ck_assert_int_eq(getppid(), OURS);
    ck_assert_int_eq(getppid(), OURS);
    ck_assert_int_eq(asked, 2);
}
END_TEST

START_TEST(code_is_inside_as_data_is) {
    const void *code = (const void *)(uintptr_t)ours;
    ck_assert_int_eq(native_redirect(code, "getppid", (void *)ours), 0);
    ck_assert_int_eq(getppid(), OURS);
}
END_TEST

START_TEST(calls_of_other_libraries_and_other_names_stay) {
    int parent = getppid(), own = getpid();
    ck_assert_int_eq(native_redirect(inside(), "getppid", (void *)ours), 0);
    ck_assert_int_eq(call_elsewhere("getppid"), parent);
    ck_assert_int_eq(getpid(), own);
    ck_assert_int_eq(asked, 0);
}
END_TEST

START_TEST(it_may_be_done_again) {
    int own = getpid();
    ck_assert_int_eq(native_redirect(inside(), "getppid", (void *)ours), 0);
    ck_assert_int_eq(native_redirect(inside(), "getppid", (void *)others), 0);
    ck_assert_int_eq(getppid(), OTHERS);
    ck_assert_int_eq(native_redirect(inside(), "getpid", (void *)ours), 0);
    ck_assert_int_eq(getpid(), OURS);
    ck_assert_int_eq(getppid(), OTHERS);
    ck_assert_int_ne(own, OURS);
}
END_TEST

START_TEST(what_is_not_called_is_not_found) {
    static const char *const names[] = {"getppi", "getppid2", "iconv_open", ""};
    for (size_t at = 0; at < sizeof names / sizeof *names; at++)
        ck_assert_int_eq(native_redirect(inside(), names[at], (void *)ours), -ENOENT);
    ck_assert_int_gt(getppid(), 0);
}
END_TEST

/* libm asks nobody for the parent process. */
START_TEST(another_library_has_calls_of_its_own) {
    void *libm = dlopen("libm.so.6", RTLD_NOW);
    ck_assert_ptr_nonnull(libm);
    void *function = dlsym(libm, "cbrt");
    ck_assert_ptr_nonnull(function);
    ck_assert_int_eq(native_redirect(function, "getppid", (void *)ours), -ENOENT);
    ck_assert_int_gt(getppid(), 0);
}
END_TEST

START_TEST(an_address_of_no_library) {
    void *block = calloc(1, 1 << 20);
    ck_assert_int_eq(native_redirect(block, "getppid", (void *)ours), -ENOENT);
    ck_assert_int_eq(native_redirect(NULL, "getppid", (void *)ours), -ENOENT);
    free(block);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_call_leads_to_ours,
        code_is_inside_as_data_is,
        calls_of_other_libraries_and_other_names_stay,
        it_may_be_done_again,
        what_is_not_called_is_not_found,
        another_library_has_calls_of_its_own,
        an_address_of_no_library,
    };
    return suite_run("native_redirect", tests, sizeof tests / sizeof *tests);
}
