/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "check_run.h"
#include "fake_process.h"
#include "process/process_family.h"

static struct fake_process fake;
static struct process_family family;
static char name[32];

static void scan(void) {
    ck_assert_int_eq(process_family_scan(&family), 0);
}

/* Dumps that are still to be sent. */
static size_t count_open(void) {
    size_t count = 0;
    for (size_t i = 0; i < family.dump_count; i++)
        count += family.dumps[i].fd >= 0;
    return count;
}

static void start(void) {
    fake_process_start(&fake, FAKE_OBEYS, true);
    snprintf(name, sizeof name, "%d", (int)fake.pid);
}

static void end(void) {
    process_family_close(&family);
    fake_process_end(&fake);
}

/* Writes the header of the process's dump, changed, as the dump of one that ended. */
static void leave_dump(const char *file, struct tracemalloc_dump_header header) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", fake.folder, file);
    header.state = TRACEMALLOC_DUMP_EXITED;
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(io_write_all(fd, &header, sizeof header, 0), 0);
    close(fd);
}

START_TEST(a_process_until_it_is_killed) {
    start();
    ck_assert_int_eq(process_family_add(&family, name), 0);
    scan();
    scan();
    ck_assert_uint_eq(family.dump_count, 1);
    ck_assert_uint_eq(count_open(), 1);
    ck_assert(process_family_lives(&family));
    fake_process_kill(&fake);
    ck_assert(!process_family_lives(&family));
    scan();
    ck_assert_uint_eq(count_open(), 1);
    process_family_finish(&family.dumps[0]);
    scan();
    ck_assert_uint_eq(family.dump_count, 1);
    ck_assert_uint_eq(count_open(), 0);
    process_family_close(&family);
    fake_process_remove(&fake);
}
END_TEST

START_TEST(the_descendants_of_a_process) {
    start();
    snprintf(name, sizeof name, "%d", (int)getpid());
    ck_assert_int_eq(process_family_add(&family, name), 0);
    scan();
    ck_assert_uint_eq(count_open(), 1);
    ck_assert_uint_eq(family.dumps[0].pid, (uint32_t)fake.pid);
    end();
}
END_TEST

START_TEST(a_file_and_its_process_are_one) {
    start();
    ck_assert_int_eq(process_family_add(&family, fake.dump), 0);
    ck_assert_int_eq(process_family_add(&family, name), 0);
    scan();
    ck_assert_uint_eq(family.dump_count, 1);
    ck_assert(process_family_lives(&family));
    end();
}
END_TEST

START_TEST(relatives_that_ended_meanwhile) {
    start();
    struct tracemalloc_dump_header header = fake_process_header(fake.dump);
    header.run_id = 0;
    header.pid = 3;
    header.ppid = (uint32_t)fake.pid;
    header.start_time++;
    leave_dump("before", header);
    ck_assert_int_eq(process_family_add(&family, name), 0);
    scan();
    ck_assert_uint_eq(count_open(), 1);
    leave_dump("child", header);
    header.ppid = 3;
    header.pid = 4;
    leave_dump("grandchild", header);
    header.pid = 9;
    header.ppid = 8;
    leave_dump("stranger", header);
    header.pid = 10;
    header.run_id = FAKE_RUN_ID;
    leave_dump("of_the_run", header);
    header.boot_id[0] = 'x';
    leave_dump("of_another_boot", header);
    scan();
    ck_assert_uint_eq(count_open(), 4);
    scan();
    ck_assert_uint_eq(count_open(), 4);
    end();
}
END_TEST

START_TEST(what_cannot_be_watched) {
    fake_process_start(&fake, FAKE_OBEYS, false);
    snprintf(name, sizeof name, "%d", (int)fake.pid);
    ck_assert_int_eq(process_family_add(&family, name), 1);
    ck_assert_int_eq(process_family_add(&family, "/nonexistent"), 1);
    ck_assert_int_eq(process_family_add(&family, "999999999"), 1);
    ck_assert(!process_family_lives(&family));
    end();
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("process_family");
    tcase_add_test(tests, a_process_until_it_is_killed);
    tcase_add_test(tests, the_descendants_of_a_process);
    tcase_add_test(tests, a_file_and_its_process_are_one);
    tcase_add_test(tests, relatives_that_ended_meanwhile);
    tcase_add_test(tests, what_cannot_be_watched);
    return check_run("process_family", tests);
}
