/* SPDX-License-Identifier: MIT */
#include "stack/native/x86_64/native_instruction.h"

#include <string.h>
#include <sys/mman.h>

#include "suite.h"

enum { PAGE = 4096 };

struct code {
    const char *name;
    unsigned char bytes[8];
    size_t length;
};

static bool is_call(const struct code *code) {
    static unsigned char memory[64];
    memset(memory, 0x90, sizeof memory);
    memcpy(memory + 32 - code->length, code->bytes, code->length);
    return native_instruction_is_after_call((uintptr_t)memory + 32);
}

START_TEST(calls_are_known) {
    static const struct code calls[] = {
        {"call rel32", {0xe8, 1, 2, 3, 4}, 5},
        {"call *%rax", {0xff, 0xd0}, 2},
        {"call *8(%rax)", {0xff, 0x50, 8}, 3},
        {"call *(%rax,%rbx)", {0xff, 0x14, 0x18}, 3},
        {"call *x(%rip)", {0xff, 0x15, 1, 2, 3, 4}, 6},
        {"call *x(%rax,%rbx)", {0xff, 0x94, 0x18, 1, 2, 3, 4}, 7},
    };
    for (size_t at = 0; at < sizeof calls / sizeof *calls; at++)
        ck_assert_msg(is_call(&calls[at]), "%s", calls[at].name);
}
END_TEST

START_TEST(other_instructions_are_no_calls) {
    static const struct code others[] = {
        {"nop", {0x90}, 1},
        {"jmp rel32", {0xe9, 1, 2, 3, 4}, 5},
        {"jmp *%rax", {0xff, 0xe0}, 2},
        {"push (%rax)", {0xff, 0x30}, 2},
    };
    for (size_t at = 0; at < sizeof others / sizeof *others; at++)
        ck_assert_msg(!is_call(&others[at]), "%s", others[at].name);
}
END_TEST

START_TEST(what_cannot_be_read_is_no_call) {
    unsigned char *memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    memory[PAGE - 5] = 0xe8;
    ck_assert(native_instruction_is_after_call((uintptr_t)memory + PAGE));
    ck_assert_int_eq(mprotect(memory, PAGE, PROT_NONE), 0);
    ck_assert(!native_instruction_is_after_call((uintptr_t)memory + PAGE));
    ck_assert(!native_instruction_is_after_call((uintptr_t)memory + PAGE + 3));
    munmap(memory, 2 * PAGE);
}
END_TEST

START_TEST(a_signals_return_is_known) {
    unsigned char code[] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
    ck_assert(native_instruction_is_signal_return((uintptr_t)code));
    code[3] = 0x0e;
    ck_assert(!native_instruction_is_signal_return((uintptr_t)code));
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        calls_are_known,
        other_instructions_are_no_calls,
        what_cannot_be_read_is_no_call,
        a_signals_return_is_known,
    };
    return suite_run("native_instruction", tests, sizeof tests / sizeof *tests);
}
