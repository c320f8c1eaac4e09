/* SPDX-License-Identifier: MIT */
/* The module that is searched is this program itself. Real interpreters are for the
 * end-to-end tests. */
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/machine.h"
#include "check_run.h"
#include "stack/python/python_runtime.h"

/* Volatile, for nothing else reads them. */
static _Thread_local void *volatile words[4];
static int states[2];

static void *get_current(void) {
    return words[1];
}

static ptrdiff_t offset_of(const void *tstate) {
    struct python_runtime runtime = {.get_current = get_current};
    return python_runtime_current_offset(&runtime, tstate);
}

START_TEST(the_word_is_found_by_its_value) {
    words[1] = &states[0];
    ptrdiff_t offset = offset_of(&states[0]);
    ck_assert_int_gt(offset * MACHINE_TLS_SIDE, 0);
    ck_assert_ptr_eq((char *)__builtin_thread_pointer() + offset, (char *)&words[1]);
}
END_TEST

static void *look_in_a_thread(void *expected) {
    words[1] = &states[1];
    ck_assert_int_eq(offset_of(&states[1]), *(ptrdiff_t *)expected);
    return NULL;
}

START_TEST(the_offset_is_that_of_every_thread) {
    pthread_t thread;
    words[1] = &states[0];
    ptrdiff_t offset = offset_of(&states[0]);
    ck_assert_int_eq(pthread_create(&thread, NULL, look_in_a_thread, &offset), 0);
    pthread_join(thread, NULL);
    ck_assert_ptr_eq(words[1], &states[0]);
}
END_TEST

START_TEST(two_words_with_the_value_are_none) {
    words[1] = words[3] = &states[0];
    ck_assert_int_eq(offset_of(&states[0]), 0);
}
END_TEST

START_TEST(a_value_that_is_nowhere) {
    ck_assert_int_eq(offset_of(&states[0]), 0);
}
END_TEST

/* The interpreter's module counts, and no other. */
START_TEST(another_modules_function_leads_elsewhere) {
    struct python_runtime runtime = {.get_current = (void *(*)(void))(uintptr_t)abort};
    words[1] = &states[0];
    ck_assert_int_eq(python_runtime_current_offset(&runtime, &states[0]), 0);
    runtime.get_current = NULL;
    ck_assert_int_eq(python_runtime_current_offset(&runtime, &states[0]), 0);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("python_tls");
    tcase_add_test(tests, the_word_is_found_by_its_value);
    tcase_add_test(tests, the_offset_is_that_of_every_thread);
    tcase_add_test(tests, two_words_with_the_value_are_none);
    tcase_add_test(tests, a_value_that_is_nowhere);
    tcase_add_test(tests, another_modules_function_leads_elsewhere);
    return check_run("python_tls", tests);
}
