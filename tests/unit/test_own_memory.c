/* SPDX-License-Identifier: MIT */
#include "base/own_memory.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/machine.h"
#include "suite.h"

/* Two pages, of which the second is unmapped. */
static unsigned char *make_edge(void) {
    unsigned char *pages = mmap(NULL, 2 * machine_page_size(), PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(pages, MAP_FAILED);
    memset(pages, 7, machine_page_size());
    ck_assert_int_eq(munmap(pages + machine_page_size(), machine_page_size()), 0);
    return pages;
}

static void expect_reads(const struct own_memory *memory) {
    unsigned char *pages = make_edge(), out[64] = {0};
    ck_assert_uint_eq(own_memory_read(memory, (uintptr_t)pages, out, sizeof out), 64);
    ck_assert_uint_eq(out[63], 7);
    uintptr_t last = (uintptr_t)pages + machine_page_size() - 10;
    ck_assert_uint_eq(own_memory_read(memory, last, out, 10), 10);
    ck_assert_uint_le(own_memory_read(memory, last, out, sizeof out), 10);
    ck_assert_uint_eq(own_memory_read(memory, last + 10, out, sizeof out), 0);
    ck_assert_uint_eq(own_memory_read(memory, 0, out, 1), 0);
    ck_assert_uint_eq(own_memory_read(memory, UINTPTR_MAX - 7, out, 8), 0);
    munmap(pages, machine_page_size());
}

START_TEST(what_is_not_mapped_is_not_read) {
    struct own_memory memory;
    ck_assert_int_eq(own_memory_open(&memory), 0);
    ck_assert_int_ge(memory.fd, 0);
    expect_reads(&memory);
    int fd = memory.fd;
    own_memory_close(&memory);
    ck_assert_int_eq(close(fd), -1);
}
END_TEST

START_TEST(without_a_file_too) {
    struct own_memory memory = {.fd = -1, .pid = getpid()};
    expect_reads(&memory);
    own_memory_close(&memory);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {what_is_not_mapped_is_not_read, without_a_file_too};
    return suite_run("own_memory", tests, sizeof tests / sizeof *tests);
}
