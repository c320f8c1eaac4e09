/* SPDX-License-Identifier: MIT */
#include "dump/dump_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "dump/dump_fork.h"
#include "dump/dump_growth.h"
#include "suite.h"

enum {
    STRINGS = TRACEMALLOC_DUMP_STRINGS,
    BUCKETS = TRACEMALLOC_DUMP_BUCKETS,
    BUCKET = sizeof(struct tracemalloc_dump_bucket),
    MIB = 1 << 20
};

static struct dump_file file;
static char folder[] = "/tmp/test_dump_file.XXXXXX";
static const char *const nowhere[] = {NULL};
static struct dump_file_place place;

static void open_in_folder(uint64_t max_size) {
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(dump_file_open(&file, max_size), 0);
}

static void leave(void) {
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(system(command), 0);
}

static int attach(const char *name) {
    return dump_file_attach(&file, name, nowhere, &place);
}

static void attach_new(const char *name) {
    open_in_folder(64 * MIB);
    ck_assert_int_eq(attach(name), 0);
}

/* Writes the section's bytes from `from` to `to`, each by its offset. */
static int write_bytes(unsigned section, uint64_t from, uint64_t to) {
    uint64_t entry = file.header->sections[section].entry_size;
    int status = dump_file_reserve(&file, section, (to + entry - 1) / entry);
    if (status < 0)
        return status;
    for (uint64_t at = from; at < to; at++)
        file.base[section][at] = (unsigned char)(at * 7 + section + 1);
    dump_file_publish(&file, section, to / entry);
    return 0;
}

static bool bytes_are_right(const unsigned char *bytes, unsigned section,
                            uint64_t count) {
    for (uint64_t at = 0; at < count; at++)
        if (bytes[at] != (unsigned char)(at * 7 + section + 1))
            return false;
    return true;
}

static unsigned char *read_file(const char *path, size_t *size) {
    struct stat status;
    int fd = open(path, O_RDONLY);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &status), 0);
    unsigned char *bytes = malloc((size_t)status.st_size);
    *size = (size_t)status.st_size;
    ck_assert_int_eq(read(fd, bytes, *size), status.st_size);
    close(fd);
    return bytes;
}

/* A section as a reader puts it together from its extents. */
static unsigned char *read_section(const unsigned char *bytes, size_t size,
                                   unsigned section, uint64_t *length) {
    const struct tracemalloc_dump_header *header = (const void *)bytes;
    const struct tracemalloc_dump_section *entry = &header->sections[section];
    unsigned char *whole = malloc(size);
    *length = 0;
    for (uint32_t at = 0; at < entry->extent_count; at++) {
        struct tracemalloc_dump_extent extent = entry->extents[at];
        ck_assert_uint_le(extent.offset + extent.length, header->file_size);
        ck_assert_uint_eq((extent.offset | extent.length) % 4096, 0);
        memcpy(whole + *length, bytes + extent.offset, extent.length);
        *length += extent.length;
    }
    ck_assert_uint_le(entry->count * entry->entry_size, *length);
    *length = entry->count * entry->entry_size;
    return whole;
}

static void expect_section(const char *path, unsigned section, uint64_t count) {
    size_t size;
    uint64_t length;
    unsigned char *bytes = read_file(path, &size);
    ck_assert_mem_eq(bytes, TRACEMALLOC_DUMP_MAGIC, 8);
    ck_assert_uint_le(((struct tracemalloc_dump_header *)bytes)->file_size, size);
    unsigned char *whole = read_section(bytes, size, section, &length);
    ck_assert_uint_eq(length, count);
    ck_assert(bytes_are_right(whole, section, length));
    free(whole);
    free(bytes);
}

static int open_descriptors(void) {
    int count = 0;
    DIR *descriptors = opendir("/proc/self/fd");
    while (readdir(descriptors) != NULL)
        count++;
    closedir(descriptors);
    return count;
}

static void expect_growth(int status, enum tracemalloc_dump_growth growth) {
    ck_assert_int_eq(file.header->growth, growth);
    ck_assert_int_eq(file.header->growth_error, -status);
}

START_TEST(a_dump_begins_in_memory) {
    ck_assert_int_eq(dump_file_open(&file, MIB), 0);
    ck_assert(!file.attached);
    ck_assert_mem_eq(file.header->magic, TRACEMALLOC_DUMP_MAGIC, 8);
    ck_assert_uint_eq(file.header->sections[BUCKETS].entry_size,
                      sizeof(struct tracemalloc_dump_bucket));
    ck_assert_int_eq(write_bytes(STRINGS, 0, 500000), 0);
    ck_assert(bytes_are_right(file.base[STRINGS], STRINGS, 500000));
    dump_file_close(&file);
    dump_file_close(&file);
}
END_TEST

START_TEST(what_was_written_before_the_file_is_in_it) {
    open_in_folder(64 * MIB);
    ck_assert_int_eq(write_bytes(STRINGS, 0, 500000), 0);
    ck_assert_int_eq(write_bytes(BUCKETS, 0, BUCKET * 20000), 0);
    ck_assert_int_eq(attach("a.dump"), 0);
    expect_section("a.dump", STRINGS, 500000);
    expect_section("a.dump", BUCKETS, BUCKET * 20000);
    leave();
}
END_TEST

START_TEST(memory_and_file_are_one) {
    attach_new("a.dump");
    int descriptors = open_descriptors();
    uint64_t strings = 0, buckets = 0;
    errno = EXDEV;
    for (int round = 0; round < 60; round++) {
        ck_assert_int_eq(write_bytes(STRINGS, strings, strings + 61003), 0);
        ck_assert_int_eq(write_bytes(BUCKETS, buckets, buckets + BUCKET * 2003), 0);
        strings += 61003;
        buckets += BUCKET * 2003;
    }
    ck_assert_int_eq(errno, EXDEV);
    ck_assert_uint_gt(file.header->sections[STRINGS].extent_count, 3);
    ck_assert_int_eq(open_descriptors(), descriptors);
    expect_section("a.dump", STRINGS, strings);
    expect_section("a.dump", BUCKETS, buckets);
    leave();
}
END_TEST

START_TEST(base_addresses_never_move) {
    attach_new("a.dump");
    unsigned char *strings = file.base[STRINGS];
    ck_assert_int_eq(write_bytes(STRINGS, 0, 8 * MIB), 0);
    ck_assert_ptr_eq(file.base[STRINGS], strings);
    ck_assert(bytes_are_right(strings, STRINGS, 8 * MIB));
    leave();
}
END_TEST

START_TEST(the_file_is_new_and_private) {
    struct stat status;
    umask(0);
    attach_new("a.dump");
    ck_assert_int_eq(stat("a.dump", &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
    ck_assert_uint_ge((uint64_t)status.st_size, file.header->file_size);
    ck_assert_uint_eq((uint64_t)status.st_blocks * 512, file.header->file_size);
    dump_growth_trim(&file);
    ck_assert_int_eq(stat("a.dump", &status), 0);
    ck_assert_uint_eq((uint64_t)status.st_size, file.header->file_size);
    leave();
}
END_TEST

static void touch(const char *name) {
    close(open(name, O_CREAT | O_WRONLY, 0644));
}

START_TEST(a_name_that_exists_gets_the_next_suffix) {
    struct stat status;
    open_in_folder(64 * MIB);
    touch("a.dump");
    touch("a.dump.1");
    ck_assert_int_eq(mkdir("a.dump.2", 0700), 0);
    ck_assert_int_eq(attach("a.dump"), 0);
    ck_assert_int_eq(place.refused, 0);
    ck_assert_str_eq(strrchr(file.path, '/'), "/a.dump.3");
    ck_assert_int_eq(file.path[0], '/');
    ck_assert_int_eq(stat("a.dump", &status), 0);
    ck_assert_int_eq(status.st_size, 0);
    leave();
}
END_TEST

START_TEST(a_symbolic_link_is_not_followed) {
    open_in_folder(64 * MIB);
    ck_assert_int_eq(symlink("target", "a.dump"), 0);
    ck_assert_int_eq(attach("a.dump"), 0);
    ck_assert_str_eq(strrchr(file.path, '/'), "/a.dump.1");
    ck_assert_int_ne(access("target", F_OK), 0);
    leave();
}
END_TEST

START_TEST(a_device_is_refused) {
    const char *const elsewhere[] = {folder, NULL};
    open_in_folder(64 * MIB);
    ck_assert_int_eq(dump_file_attach(&file, "/dev/null", elsewhere, &place), -ENODEV);
    ck_assert_int_eq(place.refused, -ENODEV);
    ck_assert(!file.attached);
    ck_assert_int_eq(attach("/dev/stdout"), -ENODEV);
    ck_assert_int_eq(attach("/proc/self/fd/1"), -ENODEV);
    ck_assert_int_eq(write_bytes(STRINGS, 0, 500000), 0);
    leave();
}
END_TEST

static void bind_socket(const char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, name);
    int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(socket_fd, (void *)&address, sizeof address), 0);
}

/* Whatever has the name, it is not opened. */
START_TEST(what_was_planted_is_passed_by) {
    open_in_folder(64 * MIB);
    ck_assert_int_eq(mkfifo("a.dump", 0600), 0);
    ck_assert_int_eq(mkdir("a.dump.1", 0700), 0);
    bind_socket("a.dump.2");
    ck_assert_int_eq(symlink("/dev/full", "a.dump.3"), 0);
    ck_assert_int_eq(symlink("/proc/self/fd/1", "a.dump.4"), 0);
    if (mknod("a.dump.5", S_IFCHR | 0600, makedev(1, 7)) != 0)
        touch("a.dump.5");
    ck_assert_int_eq(attach("a.dump"), 0);
    ck_assert_str_eq(strrchr(file.path, '/'), "/a.dump.6");
    ck_assert_int_eq(place.refused, 0);
    leave();
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_replaced) {
    const char *const elsewhere[] = {"/nonexistent", folder, NULL};
    open_in_folder(64 * MIB);
    ck_assert_int_eq(write_bytes(STRINGS, 0, 100), 0);
    ck_assert_int_eq(dump_file_attach(&file, "/no/such/a.dump", elsewhere, &place), 0);
    ck_assert_int_eq(place.refused, -ENOENT);
    expect_section("a.dump", STRINGS, 100);
    leave();
}
END_TEST

START_TEST(without_a_place_it_goes_on_in_memory) {
    open_in_folder(64 * MIB);
    ck_assert_int_eq(write_bytes(STRINGS, 0, 100), 0);
    ck_assert_int_eq(attach("/no/such/a.dump"), -ENOENT);
    ck_assert_int_eq(place.refused, -ENOENT);
    ck_assert(!file.attached);
    ck_assert_int_eq(write_bytes(STRINGS, 100, 500000), 0);
    ck_assert(bytes_are_right(file.base[STRINGS], STRINGS, 500000));
    ck_assert_int_eq(attach("a.dump"), 0);
    expect_section("a.dump", STRINGS, 500000);
    leave();
}
END_TEST

START_TEST(the_size_has_a_bound) {
    struct stat status;
    open_in_folder(2 * MIB);
    ck_assert_int_eq(attach("a.dump"), 0);
    uint64_t written = 0;
    while (write_bytes(STRINGS, written, written + 4096) == 0)
        written += 4096;
    ck_assert_int_eq(write_bytes(STRINGS, written, written + 4096), -EFBIG);
    ck_assert_uint_ge(written, 512 << 10);
    ck_assert_int_eq(stat("a.dump", &status), 0);
    ck_assert_int_le(status.st_size, 2 * MIB);
    expect_section("a.dump", STRINGS, written);
    leave();
}
END_TEST

START_TEST(a_bound_below_the_first_tables_leaves_no_file) {
    open_in_folder(64 << 10);
    ck_assert_int_eq(attach("a.dump"), -EFBIG);
    ck_assert_int_ne(access("a.dump", F_OK), 0);
    ck_assert_int_eq(write_bytes(STRINGS, 0, 500000), 0);
    leave();
}
END_TEST

static void limit_file_size(uint64_t size) {
    struct rlimit limit = {size, size};
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The default action of SIGXFSZ would end the test. */
START_TEST(the_limit_of_file_sizes_raises_no_signal) {
    open_in_folder(64 * MIB);
    limit_file_size(MIB);
    ck_assert_int_eq(attach("a.dump"), 0);
    ck_assert_int_eq(write_bytes(STRINGS, 0, 2 * MIB), -EDOM);
    expect_growth(-EDOM, TRACEMALLOC_DUMP_GROWTH_LIMIT);
    ck_assert_int_eq(write_bytes(STRINGS, 0, 60000), 0);
    expect_section("a.dump", STRINGS, 60000);
    limit_file_size(4096);
    dump_file_close(&file);
    ck_assert_int_eq(dump_file_open(&file, 64 * MIB), 0);
    ck_assert_int_eq(attach("b.dump"), -EDOM);
    ck_assert_int_ne(access("b.dump", F_OK), 0);
    leave();
}
END_TEST

START_TEST(a_full_disk_is_an_error_and_no_signal) {
    open_in_folder(64 * MIB);
    if (mount("none", folder, "tmpfs", 0, "size=768k") != 0) {
        suite_skip("a full disk: mounting one needs root");
        leave();
        return;
    }
    ck_assert_int_eq(chdir(folder), 0);
    int attached = attach("a.dump");
    int grown = write_bytes(STRINGS, 0, 2 * MIB),
        within = write_bytes(STRINGS, 0, 60000);
    bool right = bytes_are_right(file.base[STRINGS], STRINGS, 60000);
    int second = dump_file_open(&file, 64 * MIB) == 0 ? attach("b.dump") : 1;
    int left = access("b.dump", F_OK);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(umount2(folder, MNT_DETACH), 0);
    leave();
    ck_assert_int_eq(attached, 0);
    ck_assert_int_eq(grown, -ENOSPC);
    ck_assert_int_eq(within, 0);
    ck_assert(right);
    ck_assert_int_eq(second, -ENOSPC);
    ck_assert_int_ne(left, 0);
}
END_TEST

/* What a process that lost its root, its user or its descriptors meets. */
static void grow_without_the_name(void) {
    ck_assert_int_eq(write_bytes(STRINGS, 0, 500000), 0);
    ck_assert_int_eq(write_bytes(BUCKETS, 0, BUCKET * 20000), 0);
    ck_assert_int_eq(write_bytes(STRINGS, 500000, 3 * MIB), 0);
    expect_growth(0, TRACEMALLOC_DUMP_GROWTH_GOOD);
}

static void expect_grown(const char *name) {
    expect_section(name, STRINGS, 3 * MIB);
    expect_section(name, BUCKETS, BUCKET * 20000);
    leave();
}

START_TEST(a_file_out_of_reach_grows) {
    attach_new("a.dump");
    ck_assert_int_eq(rename("a.dump", "b.dump"), 0);
    int descriptors = open_descriptors();
    grow_without_the_name();
    ck_assert_int_eq(open_descriptors(), descriptors);
    expect_grown("b.dump");
}
END_TEST

START_TEST(without_descriptors_it_grows) {
    struct rlimit limit = {0, 1024};
    attach_new("a.dump");
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    grow_without_the_name();
    limit.rlim_cur = 1024;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    expect_grown("a.dump");
}
END_TEST

/* Up to its bound, for a name that is lost leads nowhere. */
START_TEST(what_is_ahead_ends_somewhere) {
    open_in_folder(256 * MIB);
    ck_assert_int_eq(attach("a.dump"), 0);
    ck_assert_int_eq(rename("a.dump", "b.dump"), 0);
    uint64_t count = 8 * MIB;
    while (write_bytes(STRINGS, 0, count) == 0)
        count *= 2;
    ck_assert_uint_gt(count, 16 * MIB);
    expect_growth(-ENOENT, TRACEMALLOC_DUMP_GROWTH_NAME);
    ck_assert_int_eq(rename("b.dump", "a.dump"), 0);
    dump_growth_reach_all(&file);
    ck_assert_int_eq(rename("a.dump", "b.dump"), 0);
    ck_assert_int_eq(write_bytes(STRINGS, 0, count), 0);
    leave();
}
END_TEST

START_TEST(a_full_disk_without_the_name_is_an_error_and_no_signal) {
    open_in_folder(64 * MIB);
    if (mount("none", folder, "tmpfs", 0, "size=768k") != 0) {
        suite_skip("a full disk: mounting one needs root");
        leave();
        return;
    }
    ck_assert_int_eq(chdir(folder), 0);
    int attached = attach("a.dump");
    unlink("a.dump");
    int grown = write_bytes(STRINGS, 0, 2 * MIB),
        within = write_bytes(STRINGS, 0, 60000);
    bool right = bytes_are_right(file.base[STRINGS], STRINGS, 60000);
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(umount2(folder, MNT_DETACH), 0);
    leave();
    ck_assert_int_eq(attached, 0);
    ck_assert_int_lt(grown, 0);
    ck_assert_int_eq(within, 0);
    ck_assert(right);
}
END_TEST

/* A lease of somebody else's would hold up an open for 45 seconds. */
START_TEST(no_growth_waits_for_a_lease) {
    attach_new("a.dump");
    ck_assert_int_eq(rename("a.dump", "b.dump"), 0);
    touch("a.dump");
    int leased = open("a.dump", O_RDONLY);
    signal(SIGIO, SIG_IGN);
    ck_assert_int_eq(fcntl(leased, F_SETLEASE, F_RDLCK), 0);
    time_t begin = time(NULL);
    grow_without_the_name();
    ck_assert_int_le(time(NULL) - begin, 10);
    close(leased);
    expect_grown("b.dump");
}
END_TEST

START_TEST(a_fifo_that_took_its_name_is_not_opened) {
    attach_new("a.dump");
    ck_assert_int_eq(rename("a.dump", "b.dump"), 0);
    ck_assert_int_eq(mkfifo("a.dump", 0600), 0);
    grow_without_the_name();
    expect_grown("b.dump");
}
END_TEST

START_TEST(a_file_that_took_its_name_is_left_alone) {
    size_t size;
    attach_new("a.dump");
    ck_assert_int_eq(rename("a.dump", "b.dump"), 0);
    touch("a.dump");
    ck_assert_int_eq(truncate("a.dump", MIB), 0);
    ck_assert_int_eq(write_bytes(STRINGS, 0, 500000), 0);
    unsigned char *bytes = read_file("a.dump", &size);
    ck_assert(bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
    free(bytes);
    ck_assert_int_eq(rename("b.dump", "a.dump"), 0);
    ck_assert_int_eq(write_bytes(STRINGS, 0, 500000), 0);
    expect_section("a.dump", STRINGS, 500000);
    leave();
}
END_TEST

START_TEST(a_link_that_took_its_name_is_not_followed) {
    attach_new("a.dump");
    ck_assert_int_eq(rename("a.dump", "b.dump"), 0);
    ck_assert_int_eq(symlink("c.dump", "a.dump"), 0);
    touch("c.dump");
    ck_assert_int_eq(write_bytes(STRINGS, 0, 500000), 0);
    expect_section("b.dump", STRINGS, 500000);
    leave();
}
END_TEST

START_TEST(a_file_that_was_cut_does_not_grow) {
    attach_new("a.dump");
    ck_assert_int_eq(truncate("a.dump", (off_t)file.header->file_size - 4096), 0);
    ck_assert_int_eq(write_bytes(STRINGS, 0, 500000), -ESTALE);
    leave();
}
END_TEST

/* In the child, when the parent has changed its own: whether this one's changes and
 * growth work. */
static int change_in_child(int parent_is_done) {
    char byte;
    if (read(parent_is_done, &byte, 1) != 1 || dump_fork_in_child(&file) != 0)
        return 1;
    if (file.attached || file.header->python_bytes != 42 ||
        !bytes_are_right(file.base[STRINGS], STRINGS, 60000))
        return 2;
    memset(file.base[STRINGS], 0, 60000);
    file.header->python_bytes = 99;
    if (write_bytes(STRINGS, 0, 400000) != 0)
        return 3;
    if (attach("child.dump") != 0)
        return 4;
    return file.header->python_bytes == 99 ? 0 : 5;
}

START_TEST(a_child_has_a_dump_of_its_own) {
    int status, ends[2];
    attach_new("a.dump");
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(write_bytes(STRINGS, 0, 60000), 0);
    file.header->python_bytes = 42;
    ck_assert_int_eq(dump_fork_before(&file), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(change_in_child(ends[0]));
    dump_fork_in_parent(&file);
    file.header->python_bytes = 43;
    ck_assert_int_eq(write_bytes(STRINGS, 60000, 200000), 0);
    ck_assert_int_eq(write(ends[1], "", 1), 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(file.header->python_bytes, 43);
    ck_assert_int_eq(write_bytes(STRINGS, 200000, 500000), 0);
    expect_section("a.dump", STRINGS, 500000);
    expect_section("child.dump", STRINGS, 400000);
    leave();
}
END_TEST

START_TEST(what_was_written_survives_a_kill) {
    int status;
    open_in_folder(64 * MIB);
    pid_t child = fork();
    if (child == 0) {
        if (attach("a.dump") == 0 && write_bytes(STRINGS, 0, 500000) == 0)
            kill(getpid(), SIGKILL);
        _exit(1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    expect_section("a.dump", STRINGS, 500000);
    leave();
}
END_TEST

START_TEST(little_address_space_is_respected) {
    struct rlimit limit = {1ul << 30, 1ul << 30};
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    ck_assert_int_eq(dump_file_open(&file, (uint64_t)4 << 30), 0);
    ck_assert_uint_le(file.reserved * TRACEMALLOC_DUMP_SECTIONS, limit.rlim_cur / 8);
    ck_assert_int_eq(write_bytes(STRINGS, 0, 500000), 0);
    dump_file_close(&file);
    limit.rlim_cur = 1 << 24;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    ck_assert_int_eq(dump_file_open(&file, (uint64_t)4 << 30), -ENOMEM);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        a_dump_begins_in_memory,
        what_was_written_before_the_file_is_in_it,
        memory_and_file_are_one,
        base_addresses_never_move,
        the_file_is_new_and_private,
        a_name_that_exists_gets_the_next_suffix,
        a_symbolic_link_is_not_followed,
        a_device_is_refused,
        a_folder_that_is_not_there_is_replaced,
        without_a_place_it_goes_on_in_memory,
        the_size_has_a_bound,
        a_bound_below_the_first_tables_leaves_no_file,
        the_limit_of_file_sizes_raises_no_signal,
        a_full_disk_is_an_error_and_no_signal,
        what_was_planted_is_passed_by,
        a_file_out_of_reach_grows,
        without_descriptors_it_grows,
        what_is_ahead_ends_somewhere,
        a_full_disk_without_the_name_is_an_error_and_no_signal,
        no_growth_waits_for_a_lease,
        a_fifo_that_took_its_name_is_not_opened,
        a_file_that_took_its_name_is_left_alone,
        a_link_that_took_its_name_is_not_followed,
        a_file_that_was_cut_does_not_grow,
        a_child_has_a_dump_of_its_own,
        what_was_written_survives_a_kill,
        little_address_space_is_respected,
    };
    return suite_run("dump_file", tests, sizeof tests / sizeof *tests);
}
