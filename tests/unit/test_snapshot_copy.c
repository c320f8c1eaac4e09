/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_run.h"
#include "fake_process.h"
#include "process/snapshot_copy.h"

static struct fake_process fake;
static struct live_dump dump;

static int open_copy(char *path) {
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    unlink(path);
    return fd;
}

static void begin(void) {
    struct process_status status;
    fake_process_start(&fake, FAKE_OBEYS, true);
    ck_assert_int_eq(process_status_read(fake.pid, &status), 0);
    ck_assert_int_eq(live_dump_open(&dump, &status), 0);
    ck_assert_int_ge(dump.fd, 0);
}

static void end(void) {
    live_dump_close(&dump);
    fake_process_end(&fake);
}

static void ck_same_buckets(int fd, const struct tracemalloc_dump_header *header) {
    const struct tracemalloc_dump_section *section =
        &header->sections[TRACEMALLOC_DUMP_BUCKETS];
    static struct tracemalloc_dump_bucket buckets[FAKE_BUCKETS];
    /* The two extents of this dump are neighbours. */
    ck_assert_int_eq(
        pread(fd, buckets, sizeof buckets, (off_t)section->extents[0].offset),
        sizeof buckets);
    for (uint64_t i = 0; i < FAKE_BUCKETS; i++)
        ck_assert_uint_eq(buckets[i].size, i);
}

START_TEST(a_copy_is_whole) {
    char path[] = "/tmp/snapshot-copy-XXXXXX";
    struct tracemalloc_dump_header header;
    struct stat status;
    begin();
    int fd = open_copy(path);
    ck_assert_int_eq(snapshot_copy(&dump, fd), 0);
    ck_assert_int_eq(pread(fd, &header, sizeof header, 0), sizeof header);
    ck_assert_int_eq(header.state, TRACEMALLOC_DUMP_SNAPSHOT);
    ck_assert_uint_gt(header.end_time, 0);
    ck_assert_int_eq((pid_t)header.pid, fake.pid);
    ck_assert_int_eq(fstat(fd, &status), 0);
    ck_assert_uint_eq((uint64_t)status.st_size, header.file_size);
    ck_same_buckets(fd, &header);
    close(fd);
    ck_assert_int_eq(fake_process_header(fake.dump).state, TRACEMALLOC_DUMP_TRACING);
    end();
}
END_TEST

/* The header is forged: a section of a hole, and much of it. */
static int copy_forged(int out, uint64_t size, unsigned extents) {
    char path[] = "/tmp/snapshot-copy-XXXXXX";
    int fd = open_copy(path);
    struct tracemalloc_dump_header *header = &dump.header;
    struct tracemalloc_dump_section *section =
        &header->sections[TRACEMALLOC_DUMP_STRINGS];
    section->count = size * extents;
    section->entry_size = 1;
    section->extent_count = extents;
    for (unsigned i = 0; i < extents; i++)
        section->extents[i] = (struct tracemalloc_dump_extent){0, size};
    header->file_size = size;
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    ck_assert_int_eq(pwrite(fd, header, sizeof *header, 0), sizeof *header);
    struct live_dump forged = {.fd = fd, .header = *header};
    int status = snapshot_copy(&forged, out);
    close(fd);
    return status;
}

START_TEST(holes_cost_nothing) {
    char path[] = "/tmp/snapshot-copy-XXXXXX";
    struct stat status;
    begin();
    int fd = open_copy(path);
    ck_assert_int_eq(copy_forged(fd, (uint64_t)64 << 30, 2), 0);
    ck_assert_int_eq(fstat(fd, &status), 0);
    ck_assert_uint_eq((uint64_t)status.st_size, (uint64_t)64 << 30);
    ck_assert_int_lt(status.st_blocks, 4096);
    close(fd);
    end();
}
END_TEST

START_TEST(a_copy_is_bounded) {
    char path[] = "/tmp/snapshot-copy-XXXXXX";
    begin();
    int fd = open_copy(path);
    dump.header.sections[TRACEMALLOC_DUMP_BUCKETS] = (struct tracemalloc_dump_section){
        .count = 1,
        .entry_size = sizeof(struct tracemalloc_dump_bucket),
        .extent_count = 1,
        .extents = {{UINT64_MAX - 4, 4096}},
    };
    ck_assert_int_eq(copy_forged(fd, 1 << 20, 1), -EUCLEAN);
    close(fd);
    end();
}
END_TEST

START_TEST(a_pending_signal_ends_it) {
    char path[] = "/tmp/snapshot-copy-XXXXXX";
    struct tracemalloc_dump_header header;
    sigset_t mask;
    begin();
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    raise(SIGTERM);
    int fd = open_copy(path);
    ck_assert_int_eq(snapshot_copy(&dump, fd), -EINTR);
    /* Without its header it is no dump. */
    ssize_t got = pread(fd, &header, sizeof header, 0);
    ck_assert(got <= 0 || header.magic[0] == 0);
    close(fd);
    end();
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("snapshot_copy");
    tcase_add_test(tests, a_copy_is_whole);
    tcase_add_test(tests, holes_cost_nothing);
    tcase_add_test(tests, a_copy_is_bounded);
    tcase_add_test(tests, a_pending_signal_ends_it);
    return check_run("snapshot_copy", tests);
}
