/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "check_run.h"
#include "show/source_file.h"

/* Users without a name, and groups. */
enum { OWNER = 54321, OTHER, MEMBER_GROUP, FOREIGN_GROUP };

static char folder[] = "/tmp/test_source_file.XXXXXX";
static char path[128];
static gid_t groups[] = {MEMBER_GROUP};
static struct source_user user;

static void set_up(void) {
    strcpy(folder + sizeof folder - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chmod(folder, 0755), 0);
    snprintf(path, sizeof path, "%s/a.py", folder);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
    user = (struct source_user){OTHER, groups, 1, true};
}

static void tear_down(void) {
    char command[256];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

static int try_open(const char *name) {
    int fd = source_file_open(name, &user);
    if (fd >= 0)
        close(fd);
    return fd >= 0 ? 0 : fd;
}

static int with_rights(uid_t owner, gid_t group, mode_t mode) {
    ck_assert_int_eq(chown(path, owner, group), 0);
    ck_assert_int_eq(chmod(path, mode), 0);
    return try_open(path);
}

START_TEST(the_rights_of_the_owner_count) {
    if (geteuid() != 0)
        return; /* only root has files of others */
    ck_assert_int_eq(with_rights(0, 0, 0600), -EACCES);
    ck_assert_int_eq(with_rights(0, 0, 0640), -EACCES);
    ck_assert_int_eq(with_rights(0, 0, 0604), 0);
    ck_assert_int_eq(with_rights(OTHER, 0, 0400), 0);
    ck_assert_int_eq(with_rights(OTHER, MEMBER_GROUP, 0044), -EACCES);
    ck_assert_int_eq(with_rights(0, MEMBER_GROUP, 0640), 0);
    ck_assert_int_eq(with_rights(0, MEMBER_GROUP, 0604), -EACCES);
    ck_assert_int_eq(with_rights(0, FOREIGN_GROUP, 0640), -EACCES);
    user.is_known = false;
    ck_assert_int_eq(with_rights(0, FOREIGN_GROUP, 0604), -EACCES);
    ck_assert_int_eq(with_rights(0, FOREIGN_GROUP, 0640), -EACCES);
    ck_assert_int_eq(with_rights(0, FOREIGN_GROUP, 0644), 0);
}
END_TEST

START_TEST(every_directory_must_be_searchable) {
    char shut[128], inside[160], way[192], link[160];
    if (geteuid() != 0)
        return;
    snprintf(shut, sizeof shut, "%s/shut", folder);
    snprintf(inside, sizeof inside, "%s/b.py", shut);
    snprintf(way, sizeof way, "%s/../a.py", shut);
    snprintf(link, sizeof link, "%s/link.py", folder);
    ck_assert_int_eq(mkdir(shut, 0700), 0);
    close(open(inside, O_WRONLY | O_CREAT, 0644));
    ck_assert_int_eq(chmod(inside, 0644), 0);
    ck_assert_int_eq(symlink("shut/b.py", link), 0);
    ck_assert_int_eq(chmod(path, 0644), 0);
    ck_assert_int_eq(try_open(path), 0);
    ck_assert_int_eq(try_open(inside), -EACCES);
    ck_assert_int_eq(try_open(way), -EACCES);
    ck_assert_int_eq(try_open(link), -EACCES);
    ck_assert_int_eq(chmod(shut, 0711), 0);
    ck_assert_int_eq(try_open(inside), 0);
    ck_assert_int_eq(try_open(way), 0);
    ck_assert_int_eq(try_open(link), 0);
    ck_assert_int_eq(unlink(link), 0);
    ck_assert_int_eq(symlink("link.py", link), 0);
    ck_assert_int_eq(try_open(link), -ELOOP);
}
END_TEST

/* Owner rw, then what is given, with a mask of all but what is taken. */
static int set_acl(uint16_t tag, uint16_t rights, uint32_t id, uint16_t mask) {
    const struct {
        uint32_t version;
        struct {
            uint16_t tag, rights;
            uint32_t id;
        } entries[5];
    } acl = {2,
             {{1, 6, UINT32_MAX},
              {tag == 2 ? tag : 4, tag == 2 ? rights : 0, tag == 2 ? id : UINT32_MAX},
              {tag == 2 ? 4 : 8, tag == 2 ? 0 : rights, tag == 2 ? UINT32_MAX : id},
              {16, mask, UINT32_MAX},
              {32, 4, UINT32_MAX}}};
    return setxattr(path, "system.posix_acl_access", &acl, sizeof acl, 0);
}

START_TEST(access_control_lists_count) {
    if (geteuid() != 0 || set_acl(2, 4, OTHER, 7) != 0)
        return; /* the file system has none */
    ck_assert_int_eq(try_open(path), 0);
    ck_assert_int_eq(set_acl(2, 4, OTHER, 0), 0);
    ck_assert_int_eq(try_open(path), -EACCES);
    ck_assert_int_eq(set_acl(2, 0, OTHER, 7), 0);
    ck_assert_int_eq(try_open(path), -EACCES);
    ck_assert_int_eq(set_acl(2, 0, OWNER, 7), 0);
    ck_assert_int_eq(try_open(path), 0);
    ck_assert_int_eq(set_acl(8, 4, MEMBER_GROUP, 7), 0);
    ck_assert_int_eq(try_open(path), 0);
    ck_assert_int_eq(set_acl(8, 0, MEMBER_GROUP, 7), 0);
    ck_assert_int_eq(try_open(path), -EACCES);
    ck_assert_int_eq(set_acl(8, 0, FOREIGN_GROUP, 7), 0);
    ck_assert_int_eq(try_open(path), 0);
    user.is_known = false;
    ck_assert_int_eq(try_open(path), -EACCES);
}
END_TEST

START_TEST(only_files_are_opened) {
    char fifo[128];
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    ck_assert_int_eq(mkfifo(fifo, 0666), 0);
    source_user_open(&user, geteuid());
    ck_assert_int_eq(try_open(path), 0);
    ck_assert_int_eq(try_open(fifo), -EINVAL);
    ck_assert_int_eq(try_open(folder), -EINVAL);
    ck_assert_int_eq(try_open("/dev/zero"), -EINVAL);
    ck_assert_int_eq(try_open("/proc/self/environ"), -EACCES);
    ck_assert_int_eq(try_open("/proc/self/root/etc/passwd"), -EACCES);
    ck_assert_int_eq(try_open("/dev/fd/0"), -EACCES);
    ck_assert_int_eq(try_open("/nowhere/at/all.py"), -ENOENT);
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(try_open("./a.py"), 0);
    ck_assert_int_eq(try_open("a.py/"), 0);
    ck_assert_int_eq(try_open("a.py/b"), -ENOTDIR);
    char *name = malloc(70000);
    memset(name, 'x', 69999);
    name[69999] = '\0';
    ck_assert_int_eq(try_open(name), -ENAMETOOLONG);
    name[300] = '\0';
    ck_assert_int_eq(try_open(name), -ENAMETOOLONG);
    free(name);
    source_user_close(&user);
}
END_TEST

int main(void) {
    TCase *tests = tcase_create("source_file");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, the_rights_of_the_owner_count);
    tcase_add_test(tests, every_directory_must_be_searchable);
    tcase_add_test(tests, access_control_lists_count);
    tcase_add_test(tests, only_files_are_opened);
    return check_run("source_file", tests);
}
