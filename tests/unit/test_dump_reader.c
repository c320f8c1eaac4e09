/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_run.h"
#include "dump/dump_reader.h"
#include "dump_maker.h"

enum { LAST_EXTENT = 4096 };

static struct dump_maker maker;

static void set_up(void) {
    dump_maker_open(&maker);
    uint32_t code = dump_maker_code(&maker, "/src/app.py", "main");
    uint32_t caller = dump_maker_stack(&maker, 0, code, 10);
    uint32_t stack = dump_maker_stack(&maker, caller, code, 20);
    uint32_t site = dump_maker_site(&maker, stack, 0);
    dump_maker_bucket(&maker, site, 1000, 3, 5);
    for (uint32_t i = 0; i < 1000; i++)
        dump_maker_bucket(&maker, site, i, 1, 0);
}

static void tear_down(void) {
    dump_maker_close(&maker);
}

static int read_bytes(struct dump_reader **reader, const void *bytes, size_t size) {
    int fd = dump_maker_memory_file(bytes, size);
    int error = dump_reader_open_fd(reader, fd);
    close(fd);
    return error;
}

static struct dump_reader *read_made(void) {
    struct dump_reader *reader;
    size_t size;
    unsigned char *image = dump_maker_image(&maker, &size);
    ck_assert_int_eq(read_bytes(&reader, image, size), 0);
    free(image);
    return reader;
}

START_TEST(a_dump_is_read_as_it_was_made) {
    maker.header.finalized = 1;
    struct dump_reader *reader = read_made();
    ck_assert_uint_eq(reader->bucket_count, 1002);
    ck_assert_uint_eq(reader->buckets[1].size, 1000);
    ck_assert_uint_eq(reader->buckets[1].live, 3);
    ck_assert_uint_eq(reader->buckets[1].at_exit, 5);
    ck_assert_uint_eq(reader->buckets[1001].size, 999);
    ck_assert_uint_eq(reader->stack_count, 4);
    ck_assert_uint_eq(reader->stacks[3].parent, 2);
    ck_assert_uint_eq(reader->domain_count, 3);
    struct dump_text name = dump_reader_text(reader, reader->code[2].filename);
    ck_assert_str_eq(name.bytes, "/src/app.py");
    ck_assert_uint_eq(name.length, 11);
    ck_assert_uint_eq(reader->state, TRACEMALLOC_DUMP_EXITED);
    ck_assert_uint_eq(reader->damaged, 0);
    ck_assert_uint_eq(reader->missing, 0);
    dump_reader_close(reader);
}
END_TEST

START_TEST(counts_at_exit_are_none_before_it) {
    struct dump_reader *reader = read_made();
    ck_assert_uint_eq(reader->buckets[1].at_exit, 0);
    dump_reader_close(reader);
}
END_TEST

START_TEST(what_is_no_dump_is_refused) {
    struct dump_reader *reader;
    char text[10000];
    memset(text, 'x', sizeof text);
    ck_assert_int_eq(read_bytes(&reader, "", 0), -EBADMSG);
    ck_assert_int_eq(read_bytes(&reader, text, sizeof text), -EBADMSG);
    ck_assert_int_eq(dump_reader_open(&reader, "/dev/zero"), -EINVAL);
    ck_assert_int_eq(dump_reader_open(&reader, "/"), -EISDIR);
    ck_assert_int_eq(dump_reader_open(&reader, "/nowhere/at/all"), -ENOENT);
    ck_assert_str_ne(dump_reader_strerror(-EBADMSG), "");
}
END_TEST

START_TEST(a_fifo_is_not_waited_for) {
    struct dump_reader *reader;
    char name[] = "/tmp/test_dump_reader.XXXXXX", fifo[64];
    ck_assert_ptr_nonnull(mkdtemp(name));
    snprintf(fifo, sizeof fifo, "%s/fifo", name);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_eq(dump_reader_open(&reader, fifo), -EINVAL);
    unlink(fifo);
    rmdir(name);
}
END_TEST

/* Reports add what a bucket holds, nothing, to its site. */
START_TEST(unused_buckets_are_of_a_site_too) {
    struct tracemalloc_dump_bucket unused = {.site = 1000000, .size = 8};
    dump_maker_append(&maker, TRACEMALLOC_DUMP_BUCKETS, &unused);
    struct dump_reader *reader = read_made();
    ck_assert_uint_eq(reader->buckets[reader->bucket_count - 1].size, 8);
    ck_assert_uint_eq(dump_bucket_site(&reader->buckets[reader->bucket_count - 1]), 0);
    ck_assert_uint_eq(reader->damaged, 0);
    dump_reader_close(reader);
}
END_TEST

START_TEST(a_census_counts_what_is_there) {
    const struct tracemalloc_dump_type types[] = {
        {0, 0}, {dump_maker_text(&maker, "dict"), 0}, {0xfffffffc, 0}};
    const struct tracemalloc_dump_census entries[] = {
        {1, 1, 3},          {1, 3, 1}, /* no such type */
        {1002, 1, 1},                  /* no such bucket */
        {2, 2, UINT32_MAX},            /* more than was ever allocated */
        {1, 2, 1},
    };
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        dump_maker_append(&maker, TRACEMALLOC_DUMP_TYPES, &types[i]);
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        dump_maker_append(&maker, TRACEMALLOC_DUMP_CENSUS, &entries[i]);
    struct dump_reader *reader = read_made();
    ck_assert_uint_eq(reader->census_count, 5);
    ck_assert_uint_eq(reader->census[0].blocks, 3);
    ck_assert_str_eq(dump_reader_text(reader, reader->types[1].name).bytes, "dict");
    ck_assert_uint_eq(reader->types[2].name, 0);
    for (int i = 1; i < 4; i++) {
        ck_assert_uint_eq(reader->census[i].blocks, 0);
        ck_assert_uint_lt(reader->census[i].type, reader->type_count);
        ck_assert_uint_lt(reader->census[i].bucket, reader->bucket_count);
    }
    ck_assert_uint_eq(reader->census[4].blocks, 1);
    ck_assert_uint_eq(reader->damaged, 1 + 3);
    dump_reader_close(reader);
}
END_TEST

START_TEST(without_sites_there_are_no_buckets) {
    size_t size;
    struct dump_reader *reader;
    unsigned char *image = dump_maker_image(&maker, &size);
    struct tracemalloc_dump_header *header = (void *)image;
    header->sections[TRACEMALLOC_DUMP_SITES].count = 0;
    ck_assert_int_eq(read_bytes(&reader, image, size), 0);
    ck_assert_uint_eq(reader->site_count, 0);
    ck_assert_uint_eq(reader->bucket_count, 0);
    dump_reader_close(reader);
    free(image);
}
END_TEST

static int refusal(void) {
    struct dump_reader *reader = NULL;
    size_t size;
    unsigned char *image = dump_maker_image(&maker, &size);
    int error = read_bytes(&reader, image, size);
    free(image);
    dump_reader_close(reader);
    return error;
}

START_TEST(other_versions_and_damaged_headers_are_refused) {
    maker.header.version = TRACEMALLOC_DUMP_VERSION + 1;
    ck_assert_int_eq(refusal(), -EPROTONOSUPPORT);
    maker.header.version = TRACEMALLOC_DUMP_VERSION;
    maker.header.byte_order = 0x04030201;
    ck_assert_int_eq(refusal(), -ENOTSUP);
    maker.header.byte_order = 77;
    ck_assert_int_eq(refusal(), -EUCLEAN);
}
END_TEST

START_TEST(another_version_is_refused_with_the_one_that_is_needed) {
    maker.header.version = TRACEMALLOC_DUMP_VERSION + 1;
    memset(maker.header.library_version, '7', sizeof maker.header.library_version);
    ck_assert_int_eq(refusal(), -EPROTONOSUPPORT);
    const char *text = dump_reader_strerror(-EPROTONOSUPPORT);
    ck_assert_ptr_nonnull(strstr(text, "format 3 of libtracemalloc 777777777777777,"));
    maker.header.version = 1;
    ck_assert_int_eq(refusal(), -EPROTONOSUPPORT);
    text = dump_reader_strerror(-EPROTONOSUPPORT);
    ck_assert_ptr_nonnull(strstr(text, "format 1, and"));
    ck_assert_ptr_nonnull(strstr(text, "use the version that wrote it"));
}
END_TEST

/* Changes the description of a section in a finished image. */
static int refusal_of_section(uint32_t entry_size, uint32_t extents, uint64_t count) {
    struct dump_reader *reader = NULL;
    size_t size;
    unsigned char *image = dump_maker_image(&maker, &size);
    struct tracemalloc_dump_header *header = (void *)image;
    struct tracemalloc_dump_section *section =
        &header->sections[TRACEMALLOC_DUMP_BUCKETS];
    section->entry_size = entry_size;
    section->extent_count = extents;
    section->count = count;
    int error = read_bytes(&reader, image, size);
    dump_reader_close(reader);
    free(image);
    return error;
}

START_TEST(damaged_sections_are_refused) {
    enum { SIZE = sizeof(struct tracemalloc_dump_bucket) };
    ck_assert_int_eq(refusal_of_section(SIZE + 1, 2, 1002), -EUCLEAN);
    ck_assert_int_eq(refusal_of_section(0, 2, 1002), -EUCLEAN);
    ck_assert_int_eq(refusal_of_section(SIZE, TRACEMALLOC_DUMP_EXTENTS + 1, 1002),
                     -EUCLEAN);
    ck_assert_int_eq(refusal_of_section(SIZE, 2, UINT64_MAX), 0);
    ck_assert_int_eq(refusal_of_section(SIZE, 0, 0), 0);
}
END_TEST

START_TEST(a_hole_is_not_read) {
    struct dump_reader *reader = NULL;
    size_t size;
    unsigned char *image = dump_maker_image(&maker, &size);
    struct tracemalloc_dump_header *header = (void *)image;
    struct tracemalloc_dump_section *section =
        &header->sections[TRACEMALLOC_DUMP_BUCKETS];
    section->count = (uint64_t)1 << 30;
    section->extents[1].length = (uint64_t)30 << 30;
    char name[] = "/tmp/test_dump_reader.XXXXXX";
    int fd = mkstemp(name);
    unlink(name);
    ck_assert_int_eq(write(fd, image, size), (ssize_t)size);
    ck_assert_int_eq(ftruncate(fd, (off_t)40 << 30), 0);
    ck_assert_int_eq(dump_reader_open_fd(&reader, fd), -EFBIG);
    close(fd);
    free(image);
}
END_TEST

START_TEST(a_cut_dump_gives_its_beginning) {
    struct dump_reader *reader;
    size_t size;
    unsigned char *image = dump_maker_image(&maker, &size);
    for (size_t length = 0; length < size; length += 61) {
        if (read_bytes(&reader, image, length) != 0)
            continue;
        ck_assert_uint_ge(length, sizeof maker.header);
        if (length <= size - LAST_EXTENT)
            ck_assert_uint_gt(reader->missing, 0);
        dump_reader_close(reader);
    }
    free(image);
}
END_TEST

START_TEST(wrong_ids_are_replaced_and_counted) {
    struct tracemalloc_dump_stack *stack =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_STACKS, 3);
    stack->parent = 3;
    struct tracemalloc_dump_code *code =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_CODE, 2);
    code->filename += 4;
    code->name = UINT32_MAX;
    struct tracemalloc_dump_bucket *bucket =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_BUCKETS, 5);
    bucket->site = 1000000;
    bucket[1].size = UINT64_MAX;
    bucket[2].live = UINT32_MAX;
    struct dump_reader *reader = read_made();
    ck_assert_uint_eq(reader->damaged, 6);
    ck_assert_uint_eq(reader->stacks[3].parent, 0);
    ck_assert_uint_eq(reader->code[2].filename, 0);
    ck_assert_uint_eq(reader->code[2].name, 0);
    for (int i = 5; i <= 7; i++)
        ck_assert_uint_eq(reader->buckets[i].live, 0);
    dump_reader_close(reader);
}
END_TEST

/* What follows an epoch out of order is not believed, nor is a birth after the last. */
START_TEST(epochs_are_in_order) {
    for (uint32_t i = 0; i < 5; i++)
        dump_maker_epoch(&maker, 100 + i, 10 * i);
    struct tracemalloc_dump_epoch *epochs =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_EPOCHS, 0);
    epochs[3].start = 99;
    struct tracemalloc_dump_bucket *bucket =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_BUCKETS, 1);
    bucket[0].birth = 2;
    bucket[1].birth = 3;
    bucket[1].live_before = UINT32_MAX;
    struct tracemalloc_dump_site *site =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_SITES, 0);
    site->risen_unit = 32;
    site->risen[1] = 7;
    struct dump_reader *reader = read_made();
    ck_assert_uint_eq(reader->damaged, 3);
    ck_assert_uint_eq(dump_reader_epochs(reader, 0).count, 3);
    ck_assert_uint_eq(dump_reader_epochs(reader, 1).count, 0);
    ck_assert_uint_eq(reader->buckets[1].birth, 2);
    ck_assert_uint_eq(reader->buckets[2].birth, 2);
    ck_assert_uint_eq(reader->buckets[2].live_before, reader->buckets[2].live);
    ck_assert_int_eq(reader->sites[0].risen[1], 0);
    dump_reader_close(reader);
}
END_TEST

START_TEST(native_frames_name_modules) {
    struct tracemalloc_dump_stack *stack =
        dump_maker_entry(&maker, TRACEMALLOC_DUMP_STACKS, 3);
    stack->code = TRACEMALLOC_DUMP_NATIVE | 5;
    struct dump_reader *reader = read_made();
    ck_assert_uint_eq(reader->damaged, 1);
    ck_assert_uint_eq(reader->stacks[3].code, 0);
    dump_reader_close(reader);
}
END_TEST

/* Field 22 of /proc/PID/stat. */
static uint64_t start_of(pid_t pid) {
    char path[40], text[1024];
    unsigned long long start = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    const char *at = strrchr(text, ')');
    for (int field = 2; field < 22; field++)
        at = strchr(at + 1, ' ');
    sscanf(at, "%llu", &start);
    return start;
}

static uint32_t state_of(pid_t pid, uint64_t start, const char *boot_id) {
    maker.header.state = TRACEMALLOC_DUMP_TRACING;
    maker.header.pid = (uint32_t)pid;
    maker.header.process_start = start;
    snprintf(maker.header.boot_id, sizeof maker.header.boot_id, "%s", boot_id);
    struct dump_reader *reader = read_made();
    uint32_t state = reader->state;
    dump_reader_close(reader);
    return state;
}

START_TEST(a_process_that_is_gone_was_killed) {
    pid_t self = getpid();
    ck_assert_uint_eq(state_of(self, start_of(self), ""), TRACEMALLOC_DUMP_TRACING);
    ck_assert_uint_eq(state_of(self, start_of(self) + 1, ""), DUMP_READER_KILLED);
    ck_assert_uint_eq(state_of(self, start_of(self), "another"), DUMP_READER_KILLED);
    ck_assert_uint_eq(state_of(4194303, 1, ""), DUMP_READER_KILLED);
    ck_assert_uint_eq(state_of(0, 1, ""), DUMP_READER_KILLED);
}
END_TEST

/* The state of a dump of another namespace, whose file another process has mapped for
 * writing, or not. */
static uint32_t foreign_state(pid_t pid, uint64_t start, const char *boot_id,
                              bool mapped) {
    char path[] = "/tmp/foreign-XXXXXX";
    close(mkstemp(path));
    maker.header.state = TRACEMALLOC_DUMP_TRACING;
    maker.header.pid_namespace = 1;
    maker.header.pid = (uint32_t)pid;
    maker.header.process_start = start;
    snprintf(maker.header.boot_id, sizeof maker.header.boot_id, "%s", boot_id);
    dump_maker_write(&maker, path);
    int fd = open(path, O_RDWR);
    void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    close(fd);
    if (!mapped)
        munmap(memory, 4096);
    struct dump_reader *reader;
    ck_assert_int_eq(dump_reader_open(&reader, path), 0);
    uint32_t state = reader->state;
    dump_reader_close(reader);
    if (mapped)
        munmap(memory, 4096);
    unlink(path);
    return state;
}

START_TEST(whether_a_foreign_process_lives_is_seen_by_its_file) {
    pid_t self = getpid();
    const struct {
        pid_t pid;
        uint64_t start;
        const char *boot_id;
    } cases[] = {
        {self, start_of(self), ""},
        {self, start_of(self), "another"},
        {4194303, 1, ""},
        {1, 0, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        pid_t pid = cases[i].pid;
        uint64_t start = cases[i].start;
        const char *boot_id = cases[i].boot_id;
        ck_assert_uint_eq(foreign_state(pid, start, boot_id, true),
                          TRACEMALLOC_DUMP_TRACING);
        ck_assert_uint_eq(foreign_state(pid, start, boot_id, false),
                          DUMP_READER_KILLED);
    }
}
END_TEST

START_TEST(a_process_that_nobody_waited_for_was_killed) {
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    siginfo_t info;
    ck_assert_int_eq(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    ck_assert_uint_eq(state_of(child, start_of(child), ""), DUMP_READER_KILLED);
    waitpid(child, NULL, 0);
}
END_TEST

START_TEST(names_without_an_end_are_ended) {
    struct tracemalloc_dump_process process = {.state = TRACEMALLOC_DUMP_EXITED};
    memset(maker.header.title, 't', sizeof maker.header.title);
    memset(maker.header.comm, 'c', sizeof maker.header.comm);
    struct dump_reader *reader = read_made();
    ck_assert_uint_eq(strlen(reader->header.title), sizeof process.title - 1);
    ck_assert_uint_eq(strlen(reader->processes[0].comm), sizeof process.comm - 1);
    dump_reader_close(reader);
    memset(process.title, 't', sizeof process.title);
    memset(process.comm, 'c', sizeof process.comm);
    dump_maker_append(&maker, TRACEMALLOC_DUMP_PROCESSES, &process);
    reader = read_made();
    ck_assert_uint_eq(strlen(reader->processes[0].title), sizeof process.title - 1);
    ck_assert_uint_eq(strlen(reader->processes[0].comm), sizeof process.comm - 1);
    dump_reader_close(reader);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("dump_reader");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_dump_is_read_as_it_was_made);
    tcase_add_test(tests, counts_at_exit_are_none_before_it);
    tcase_add_test(tests, what_is_no_dump_is_refused);
    tcase_add_test(tests, a_fifo_is_not_waited_for);
    tcase_add_test(tests, other_versions_and_damaged_headers_are_refused);
    tcase_add_test(tests, another_version_is_refused_with_the_one_that_is_needed);
    tcase_add_test(tests, damaged_sections_are_refused);
    tcase_add_test(tests, a_hole_is_not_read);
    tcase_add_test(tests, a_cut_dump_gives_its_beginning);
    tcase_add_test(tests, wrong_ids_are_replaced_and_counted);
    tcase_add_test(tests, unused_buckets_are_of_a_site_too);
    tcase_add_test(tests, without_sites_there_are_no_buckets);
    tcase_add_test(tests, a_census_counts_what_is_there);
    tcase_add_test(tests, names_without_an_end_are_ended);
    tcase_add_test(tests, epochs_are_in_order);
    tcase_add_test(tests, native_frames_name_modules);
    tcase_add_test(tests, a_process_that_is_gone_was_killed);
    tcase_add_test(tests, whether_a_foreign_process_lives_is_seen_by_its_file);
    tcase_add_test(tests, a_process_that_nobody_waited_for_was_killed);
    return check_run("dump_reader", tests);
}
