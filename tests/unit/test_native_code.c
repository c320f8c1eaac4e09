/* SPDX-License-Identifier: MIT */
#include "stack/native/native_code.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "stack/native/native_window.h"
#include "suite.h"

enum { PAGE = 4096, AT = 64 };

static unsigned char *map(void) {
    unsigned char *memory =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    memset(memory, 0x90, PAGE);
    return memory;
}

static bool is_new(const unsigned char *code, size_t size, int protection) {
    unsigned char *memory = map();
    memcpy(memory + AT - size, code, size);
    ck_assert_int_eq(mprotect(memory, PAGE, protection), 0);
    bool answer = native_code_is_new((uintptr_t)memory + AT);
    ck_assert_int_eq(munmap(memory, PAGE), 0);
    return answer;
}

START_TEST(a_call_returns_to_executable_memory) {
    static const struct {
        unsigned char code[7];
        unsigned size;
    } calls[] = {
        {{0xe8, 1, 2, 3, 4}, 5},          {{0xff, 0xd0}, 2},
        {{0x41, 0xff, 0xd3}, 3},          {{0xff, 0x15, 1, 2, 3, 4}, 6},
        {{0xff, 0x50, 0x18}, 3},          {{0xff, 0x54, 0x24, 8}, 4},
        {{0xff, 0x94, 0x24, 1, 2, 3}, 7},
    };
    for (size_t at = 0; at < sizeof calls / sizeof *calls; at++) {
        ck_assert(is_new(calls[at].code, calls[at].size, PROT_READ | PROT_EXEC));
    }
}
END_TEST

START_TEST(what_follows_no_call_is_refused) {
    static const unsigned char jump[] = {0xff, 0xe0}, nothing[] = {0x90};
    ck_assert(!is_new(jump, sizeof jump, PROT_READ | PROT_EXEC));
    ck_assert(!is_new(nothing, sizeof nothing, PROT_READ | PROT_EXEC));
}
END_TEST

/* Before anything was met there that could be executed. */
START_TEST(data_is_refused) {
    static const unsigned char call[] = {0xff, 0xd0};
    for (int turn = 0; turn < 100; turn++) {
        ck_assert(!is_new(call, sizeof call, PROT_READ));
        ck_assert(!is_new(call, sizeof call, PROT_READ | PROT_WRITE));
        ck_assert(!is_new(call, sizeof call, PROT_NONE));
    }
}
END_TEST

START_TEST(any_number_is_refused) {
    static const uint64_t numbers[] = {
        0, 1, 7, 4096, 0x7fffffffffff, 0x800000000000, (uint64_t)1 << 63, UINT64_MAX,
    };
    uint64_t state = 7;
    for (size_t at = 0; at < sizeof numbers / sizeof *numbers; at++)
        ck_assert(!native_code_is_new(numbers[at]));
    for (int turn = 0; turn < 10000; turn++) {
        uint64_t number = (uint64_t)random_below(&state, 1 << 30) << 34 ^
                          random_below(&state, 1 << 30) << 4;
        ck_assert(!native_code_is_new(number >> random_below(&state, 40)));
    }
}
END_TEST

START_TEST(an_object_has_data_too) {
    struct native_object object;
    uintptr_t code = (uintptr_t)dlsym(RTLD_DEFAULT, "qsort");
    uintptr_t data = (uintptr_t)dlsym(RTLD_DEFAULT, "environ");
    ck_assert_int_eq(native_object_prepare(), 0);
    ck_assert_int_eq(native_object_find(code, &object), 0);
    ck_assert(native_code_is_of(&object, code));
    ck_assert(!native_code_is_of(&object, object.start));
    ck_assert(!native_code_is_of(&object, object.end));
    if (native_object_find(data, &object) == 0)
        ck_assert(!native_code_is_of(&object, data));
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_call_returns_to_executable_memory,
        what_follows_no_call_is_refused,
        data_is_refused,
        any_number_is_refused,
        an_object_has_data_too,
    };
    return suite_run("native_code", tests, sizeof tests / sizeof *tests);
}
