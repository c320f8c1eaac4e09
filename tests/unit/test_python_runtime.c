/* SPDX-License-Identifier: MIT */
/* A process without Python, and wild pointers. Real interpreters, early and late, are
 * for tests/e2e/check_code.py. */
#include "check_run.h"
#include "stack/native/native_object.h"
#include "stack/python/python_runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096, HEX_3_12 = 0x030c00f0 };

START_TEST(a_process_without_python_has_none) {
    struct python_runtime runtime;

    memset(&runtime, 0xff, sizeof(runtime));
    ck_assert_int_eq(python_runtime_find(&runtime), -ENOENT);
    ck_assert_int_eq(runtime.implementation, PYTHON_NONE);
    ck_assert_uint_eq(runtime.version, 0);
    ck_assert_ptr_null(runtime.runtime);
}
END_TEST

START_TEST(code_of_other_objects_is_not_a_pythons) {
    uintptr_t here = (uintptr_t)python_runtime_find, libc = (uintptr_t)&malloc;

    ck_assert(!python_runtime_is_code(here));
    ck_assert_int_eq(native_object_prepare(), 0);
    ck_assert(!python_runtime_is_code(here));
    ck_assert(!python_runtime_is_code(libc));
    ck_assert(!python_runtime_is_code(0));
}
END_TEST

static void *current;

static void *get_current(void) {
    return current;
}

START_TEST(a_wrong_place_of_the_current_thread_is_forgotten) {
    int state;
    void *word = &state;
    struct python_runtime runtime = {.current_tstate = &word,
                                     .get_current = get_current};

    current = &state;
    python_runtime_resolve(&runtime);
    ck_assert_ptr_eq(runtime.current_tstate, &word);
    word = NULL;
    python_runtime_resolve(&runtime);
    ck_assert_ptr_null(runtime.current_tstate);
    python_runtime_resolve(&runtime);
}
END_TEST

START_TEST(wild_pointers_are_not_followed) {
    struct python_runtime runtime = {0};
    char *memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *tstate = memory, *frame = memory + 512, *late = memory + PAGE - 16;

    ck_assert_ptr_ne(memory, MAP_FAILED);
    ck_assert_int_eq(python_layout_fill(&runtime.layout, HEX_3_12, NULL), 0);
    ck_assert_int_eq(munmap(memory + PAGE, PAGE), 0);
    errno = E2BIG;
    ck_assert(!python_runtime_check(&runtime, NULL, NULL));
    ck_assert(!python_runtime_check(&runtime, tstate, NULL));
    *(char **)(tstate + runtime.layout.tstate_interp) = memory;
    ck_assert(python_runtime_check(&runtime, tstate, NULL));
    ck_assert(!python_runtime_check(&runtime, tstate, frame));
    *(char **)(frame + runtime.layout.frame_code) = memory + PAGE;
    ck_assert(!python_runtime_check(&runtime, tstate, frame));
    ck_assert(!python_runtime_check(&runtime, tstate, late));
    ck_assert(!python_runtime_check(&runtime, tstate, (void *)UINTPTR_MAX));
    ck_assert_int_eq(errno, E2BIG);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("python_runtime");
    tcase_add_test(tests, a_process_without_python_has_none);
    tcase_add_test(tests, code_of_other_objects_is_not_a_pythons);
    tcase_add_test(tests, a_wrong_place_of_the_current_thread_is_forgotten);
    tcase_add_test(tests, wild_pointers_are_not_followed);
    return check_run("python_runtime", tests);
}
