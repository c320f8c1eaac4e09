/* SPDX-License-Identifier: MIT */
#include "base/process.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "suite.h"

static uint64_t start_of(pid_t pid) {
    uint64_t ticks = 0;
    ck_assert_int_eq(process_start_time((uint32_t)pid, &ticks), 0);
    return ticks;
}

/* Clock ticks since boot. */
static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_BOOTTIME, &time);
    uint64_t per_second = (uint64_t)sysconf(_SC_CLK_TCK);
    return (uint64_t)time.tv_sec * per_second +
           (uint64_t)time.tv_nsec * per_second / 1000000000u;
}

START_TEST(names_are_those_of_the_moment) {
    char title[256], comm[16], cut[4];
    ck_assert_int_eq(prctl(PR_SET_NAME, "worker-2", 0, 0, 0), 0);
    errno = 0;
    memset(comm, 'x', sizeof comm);
    ck_assert_int_eq(process_comm(0, comm, sizeof comm), 0);
    ck_assert_str_eq(comm, "worker-2");
    ck_assert_int_eq(comm[sizeof comm - 1], 0);
    ck_assert_int_eq(process_comm((uint32_t)getpid(), cut, sizeof cut), 0);
    ck_assert_str_eq(cut, "wor");
    ck_assert_int_eq(process_title(0, title, sizeof title), 0);
    ck_assert_ptr_nonnull(strstr(title, "test_process"));
    ck_assert_int_lt(process_title(UINT32_MAX, title, sizeof title), 0);
    ck_assert_ptr_nonnull(strstr(title, "test_process"));
    ck_assert_int_eq(errno, 0);
}
END_TEST

START_TEST(the_start_is_when_it_was) {
    uint64_t before = now();
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    uint64_t start = start_of(child);
    ck_assert_uint_ge(start + 1, before);
    ck_assert_uint_le(start, now() + 1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}
END_TEST

START_TEST(any_name_may_stand_before_it) {
    uint64_t start = start_of(getpid());
    prctl(PR_SET_NAME, ") R 1 2 3 (");
    ck_assert_uint_eq(start_of(getpid()), start);
    prctl(PR_SET_NAME, "a b\n) 7");
    ck_assert_uint_eq(start_of(getpid()), start);
}
END_TEST

START_TEST(it_knows_itself) {
    uint64_t ticks = 0;
    struct stat namespace;
    ck_assert_int_eq(process_own_start_time(&ticks), 0);
    ck_assert_uint_eq(ticks, start_of(getpid()));
    ck_assert_int_eq(stat("/proc/self/ns/pid", &namespace), 0);
    ck_assert_uint_eq(process_pid_namespace(), namespace.st_ino);
}
END_TEST

START_TEST(no_such_process) {
    uint64_t ticks = 5;
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
    errno = EXDEV;
    ck_assert_int_eq(process_start_time((uint32_t)child, &ticks), -ENOENT);
    ck_assert_int_eq(errno, EXDEV);
    ck_assert_uint_eq(ticks, 5);
}
END_TEST

START_TEST(the_boot_has_a_name) {
    char text[40], again[40], little[8];
    process_boot_id(text, sizeof text);
    process_boot_id(again, sizeof again);
    ck_assert_uint_eq(strlen(text), 36);
    ck_assert_str_eq(text, again);
    process_boot_id(little, sizeof little);
    ck_assert_uint_eq(strlen(little), 7);
}
END_TEST

START_TEST(the_clock_is_the_wall) {
    uint64_t seconds = process_clock() / 1000000000u;
    ck_assert_uint_le(seconds, (uint64_t)time(NULL) + 1);
    ck_assert_uint_ge(seconds + 2, (uint64_t)time(NULL));
}
END_TEST

START_TEST(touched_memory_is_resident) {
    enum { SIZE = 8 << 20 };
    struct process_memory before = process_memory_read();
    char *memory =
        mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    struct process_memory mapped = process_memory_read();
    memset(memory, 1, SIZE);
    struct process_memory touched = process_memory_read();
    ck_assert_uint_gt(before.shared, 0);
    ck_assert_uint_gt(before.resident, before.shared);
    ck_assert_uint_gt(before.addresses, before.resident);
    ck_assert_uint_ge(mapped.addresses, before.addresses + SIZE);
    ck_assert_uint_ge(mapped.data, before.data + SIZE);
    ck_assert_uint_lt(mapped.resident, before.resident + SIZE / 2);
    ck_assert_uint_gt(touched.resident, mapped.resident + SIZE / 2);
    ck_assert_uint_lt(touched.shared, mapped.shared + SIZE / 2);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {the_start_is_when_it_was,
                                  any_name_may_stand_before_it,
                                  it_knows_itself,
                                  no_such_process,
                                  the_boot_has_a_name,
                                  the_clock_is_the_wall,
                                  names_are_those_of_the_moment,
                                  touched_memory_is_resident};
    return suite_run("process", tests, sizeof tests / sizeof *tests);
}
