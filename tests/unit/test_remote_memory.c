/* SPDX-License-Identifier: MIT */
#include "process/remote_memory.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check_run.h"

START_TEST(memory_is_read_and_written) {
    char text[] = "before", copy[sizeof text];
    ck_assert_int_eq(
        remote_memory_read(getpid(), (uint64_t)(uintptr_t)text, copy, sizeof copy), 0);
    ck_assert_str_eq(copy, "before");
    ck_assert_int_eq(
        remote_memory_write(getpid(), (uint64_t)(uintptr_t)text, "after.", 7), 0);
    ck_assert_str_eq(text, "after.");
}
END_TEST

START_TEST(a_part_is_an_error) {
    char *pages =
        mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char copy[64];
    uint64_t end = (uint64_t)(uintptr_t)pages + 4096;
    ck_assert_int_eq(munmap(pages + 4096, 4096), 0);
    ck_assert_int_eq(remote_memory_read(getpid(), end - 64, copy, 64), 0);
    ck_assert_int_eq(remote_memory_read(getpid(), end - 32, copy, 64), -EFAULT);
    ck_assert_int_eq(remote_memory_write(getpid(), end - 32, copy, 64), -EFAULT);
    ck_assert_int_eq(remote_memory_read(getpid(), 0, copy, 64), -EFAULT);
}
END_TEST

START_TEST(mappings_are_found_by_address_and_file) {
    struct remote_mappings mappings;
    uint64_t function = (uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, "malloc");
    int local;
    ck_assert_int_eq(remote_mappings_read(getpid(), &mappings), 0);
    const struct remote_mapping *code = remote_mappings_at(&mappings, function);
    const struct remote_mapping *libc = remote_mappings_file(&mappings, "libc.so.6");
    ck_assert_ptr_nonnull(code);
    ck_assert_ptr_nonnull(libc);
    ck_assert(code->is_code);
    ck_assert_str_eq(code->path, libc->path);
    ck_assert_uint_eq(libc->offset, 0);
    const struct remote_mapping *stack =
        remote_mappings_at(&mappings, (uint64_t)(uintptr_t)&local);
    ck_assert_str_eq(stack->path, "[stack]");
    ck_assert(!stack->is_code);
    ck_assert_ptr_null(remote_mappings_at(&mappings, 16));
    ck_assert_ptr_null(remote_mappings_file(&mappings, "libnothing.so"));
    remote_mappings_free(&mappings);
    ck_assert_uint_eq(mappings.count, 0);
}
END_TEST

START_TEST(symbols_are_found_as_the_loader_finds_them) {
    static const char *const names[] = {"dlopen", "free", "getenv", "epoll_wait"};
    struct remote_mappings mappings;
    uint64_t address;
    ck_assert_int_eq(remote_mappings_read(getpid(), &mappings), 0);
    uint64_t libc = remote_mappings_file(&mappings, "libc.so.6")->start;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ck_assert_int_eq(remote_symbol_find(getpid(), libc, names[i], &address), 0);
        ck_assert_ptr_eq((void *)(uintptr_t)address, dlsym(RTLD_DEFAULT, names[i]));
    }
    ck_assert_int_eq(remote_symbol_find(getpid(), libc, "no_such_function", &address),
                     -ENOENT);
    char text[64] = "no ELF file";
    ck_assert_int_eq(
        remote_symbol_find(getpid(), (uint64_t)(uintptr_t)text, "free", &address),
        -ENOEXEC);
    remote_mappings_free(&mappings);
}
END_TEST

START_TEST(a_process_that_is_gone) {
    struct remote_mappings mappings;
    char copy[8];
    pid_t none = 4194304 - 1;
    ck_assert_int_eq(remote_mappings_read(none, &mappings), -ESRCH);
    remote_mappings_free(&mappings);
    ck_assert_int_eq(remote_memory_read(none, 4096, copy, sizeof copy), -ESRCH);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("remote_memory");
    tcase_add_test(tests, memory_is_read_and_written);
    tcase_add_test(tests, a_part_is_an_error);
    tcase_add_test(tests, mappings_are_found_by_address_and_file);
    tcase_add_test(tests, symbols_are_found_as_the_loader_finds_them);
    tcase_add_test(tests, a_process_that_is_gone);
    return check_run("remote_memory", tests);
}
