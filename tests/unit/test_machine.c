/* SPDX-License-Identifier: MIT */
#include "base/machine.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "suite.h"

START_TEST(a_page_is_the_kernels) {
    ck_assert_uint_eq((size_t)sysconf(_SC_PAGESIZE), machine_page_size());
    ck_assert_uint_ge(machine_page_size(), MACHINE_MIN_PAGE);
    ck_assert_uint_le(machine_page_size(), MACHINE_MAX_PAGE);
    ck_assert_uint_eq(machine_page_of(machine_page_size() - 1), 0);
    ck_assert_uint_eq(machine_page_of(3 * machine_page_size()),
                      3 * machine_page_size());
    ck_assert_uint_eq(machine_page_of(UINTPTR_MAX),
                      UINTPTR_MAX - machine_page_size() + 1);
    ck_assert_uint_eq(machine_whole_pages(0), 0);
    ck_assert_uint_eq(machine_whole_pages(1), machine_page_size());
    ck_assert_uint_eq(machine_whole_pages(machine_page_size()), machine_page_size());
}
END_TEST

/* A function that returns the number. */
static int run(unsigned char *memory, unsigned char number) {
#ifdef __aarch64__
    /* movz w0, #number; ret */
    const uint32_t code[] = {0x52800000 | (uint32_t)number << 5, 0xd65f03c0};
#else
    /* mov $number, %eax; ret */
    const unsigned char code[] = {0xb8, number, 0, 0, 0, 0xc3};
#endif
    int (*made)(void);
    memcpy(memory, code, sizeof code);
    machine_flush_code(memory, sizeof code);
    memcpy(&made, &memory, sizeof made);
    return made();
}

START_TEST(code_that_was_rewritten_runs) {
    unsigned char *memory =
        mmap(NULL, machine_page_size(), PROT_READ | PROT_WRITE | PROT_EXEC,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    for (unsigned char number = 1; number < 100; number++) {
        machine_pause();
        ck_assert_int_eq(run(memory, number), number);
    }
    munmap(memory, machine_page_size());
}
END_TEST

START_TEST(unused_addresses_are_below_all_that_the_kernel_chose) {
    int local;
    uintptr_t unused = machine_unused_addresses();
    void *memory =
        mmap(NULL, machine_page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    ck_assert_uint_gt((uintptr_t)&local, unused + unused / 32);
    ck_assert_uint_gt((uintptr_t)memory, unused + unused / 32);
    munmap(memory, machine_page_size());
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_page_is_the_kernels,
        code_that_was_rewritten_runs,
        unused_addresses_are_below_all_that_the_kernel_chose,
    };
    return suite_run("machine", tests, sizeof tests / sizeof *tests);
}
