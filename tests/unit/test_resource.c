/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "check_run.h"
#include "export/resource.h"

static struct resource resource;

static void set_up(void) {
    resource = (struct resource){0};
}

static void tear_down(void) {
    resource_close(&resource);
}

static void ck_value(const char *key, const char *expected) {
    const char *value = resource_find(&resource, key);
    ck_assert_ptr_nonnull(value);
    ck_assert_str_eq(value, expected);
}

START_TEST(pairs_are_separated_by_commas) {
    const char *text = "a=1, b.c = x%2Cy%3d ,d=,,e=f=g";
    ck_assert_int_eq(resource_parse(&resource, text), 0);
    ck_assert_uint_eq(resource.count, 4);
    ck_value("a", "1");
    ck_value("b.c", "x,y=");
    ck_value("d", "");
    ck_value("e", "f=g");
    ck_assert_ptr_null(resource_find(&resource, "f"));
    ck_assert_ptr_null(resource_find(NULL, "a"));
}
END_TEST

START_TEST(the_last_value_of_a_key_counts) {
    ck_assert_int_eq(resource_parse(&resource, "a=1,a=2"), 0);
    ck_assert_int_eq(resource_set(&resource, "b", "3"), 0);
    ck_assert_int_eq(resource_set(&resource, "b", "4"), 0);
    ck_assert_uint_eq(resource.count, 2);
    ck_value("a", "2");
    ck_value("b", "4");
}
END_TEST

START_TEST(what_is_no_list_is_refused) {
    static const char *const texts[] = {"a",     "=1",    " =1",   "a=%",  "a=%4",
                                        "a=%zz", "a=%00", "a=1,b", "a=%@1"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_int_eq(resource_parse(&resource, texts[i]), -EINVAL);
    ck_assert_int_eq(resource_parse(&resource, ""), 0);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("resource");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, pairs_are_separated_by_commas);
    tcase_add_test(tests, the_last_value_of_a_key_counts);
    tcase_add_test(tests, what_is_no_list_is_refused);
    return check_run("resource", tests);
}
