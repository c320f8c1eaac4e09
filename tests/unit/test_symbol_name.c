/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "check_run.h"
#include "symbols/symbol_name.h"

static void ck_name(const char *mangled, const char *expected) {
    char *name = symbol_name_copy(mangled);
    ck_assert_str_eq(name, expected);
    free(name);
}

START_TEST(cxx) {
    ck_name("_ZN3geo5Shape4growEi", "geo::Shape::grow(int)");
    ck_name("_Z3fooIiEPvT_", "foo<int>(int)");
    ck_name("_ZN12_GLOBAL__N_14helpEv", "(anonymous namespace)::help()");
}
END_TEST

START_TEST(rust) {
    ck_name("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE",
            "core::fmt::Write::write_fmt");
    ck_name("_RNvC6_123foo3bar", "123foo::bar");
}
END_TEST

START_TEST(what_is_not_mangled_stays) {
    ck_name("main", "main");
    ck_name("", "");
    ck_name("_Znot_a_name", "_Znot_a_name");
    ck_name("Zebra", "Zebra");
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("symbol_name");
    tcase_add_test(tests, cxx);
    tcase_add_test(tests, rust);
    tcase_add_test(tests, what_is_not_mangled_stays);
    return check_run("symbol_name", tests);
}
