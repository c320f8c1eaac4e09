/* SPDX-License-Identifier: MIT */
#include "base/machine.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "suite.h"

START_TEST(a_page_is_the_kernels) {
    ck_assert_int_eq(sysconf(_SC_PAGESIZE), MACHINE_PAGE);
    ck_assert_uint_eq(machine_page_of(MACHINE_PAGE - 1), 0);
    ck_assert_uint_eq(machine_page_of(3 * MACHINE_PAGE), 3 * MACHINE_PAGE);
    ck_assert_uint_eq(machine_page_of(UINTPTR_MAX), UINTPTR_MAX - MACHINE_PAGE + 1);
    ck_assert_uint_eq(machine_whole_pages(0), 0);
    ck_assert_uint_eq(machine_whole_pages(1), MACHINE_PAGE);
    ck_assert_uint_eq(machine_whole_pages(MACHINE_PAGE), MACHINE_PAGE);
}
END_TEST

/* mov $number, %eax; ret */
static int run(unsigned char *memory, unsigned char number) {
    const unsigned char code[] = {0xb8, number, 0, 0, 0, 0xc3};
    int (*made)(void);
    memcpy(memory, code, sizeof code);
    machine_flush_code(memory, sizeof code);
    memcpy(&made, &memory, sizeof made);
    return made();
}

START_TEST(code_that_was_rewritten_runs) {
    unsigned char *memory = mmap(NULL, MACHINE_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    for (unsigned char number = 1; number < 100; number++) {
        machine_pause();
        ck_assert_int_eq(run(memory, number), number);
    }
    munmap(memory, MACHINE_PAGE);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {a_page_is_the_kernels, code_that_was_rewritten_runs};
    return suite_run("machine", tests, sizeof tests / sizeof *tests);
}
