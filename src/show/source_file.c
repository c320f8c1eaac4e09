/* SPDX-License-Identifier: MIT */
#include "show/source_file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/magic.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { READ = 4, SEARCH = 1, LINK_SIZE = 64, MAX_LINKS = 40, MAX_GROUPS = 65536 };

/* An access control list in the kernel's format: 4 bytes of version, then entries. */
enum { ACL_VERSION = 2, ACL_USER = 2, ACL_GROUP_OBJ = 4, ACL_GROUP = 8, ACL_MASK = 16 };
struct acl_entry {
    uint16_t tag;
    uint16_t rights;
    uint32_t id;
};
enum { MAX_ACL_ENTRIES = 512 };
struct acl {
    uint32_t version;
    struct acl_entry entries[MAX_ACL_ENTRIES];
};

/* The resolution of a path, component by component. */
struct walk {
    const struct source_user *user;
    int fd;                  /* O_PATH: the component reached; -1 before the first */
    unsigned links;          /* followed so far, MAX_LINKS at most */
    char rest[2 * PATH_MAX]; /* the components still to come */
};

void source_user_open(struct source_user *user, uid_t uid) {
    const struct passwd *entry = getpwuid(uid);
    *user = (struct source_user){.user = uid};
    int count = 0;
    if (entry == NULL)
        return;
    getgrouplist(entry->pw_name, entry->pw_gid, NULL, &count);
    if (count <= 0 || count > MAX_GROUPS)
        return;
    user->groups = calloc((size_t)count, sizeof *user->groups);
    user->is_known = user->groups != NULL && getgrouplist(entry->pw_name, entry->pw_gid,
                                                          user->groups, &count) >= 0;
    user->group_count = user->is_known ? count : 0;
}

void source_user_close(struct source_user *user) {
    free(user->groups);
    *user = (struct source_user){0};
}

static bool has_group(const struct source_user *user, gid_t group) {
    for (int i = 0; i < user->group_count; i++)
        if (user->groups[i] == group)
            return true;
    return false;
}

/* If the user's groups are unknown, both members of the group and others must be
 * allowed. */
static bool allows_class(const struct source_user *user, gid_t group, unsigned members,
                         unsigned others, unsigned wanted) {
    bool member = (members & wanted) == wanted, other = (others & wanted) == wanted;
    if (!user->is_known)
        return member && other;
    return has_group(user, group) ? member : other;
}

static unsigned acl_mask(const struct acl *acl, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (acl->entries[i].tag == ACL_MASK)
            return acl->entries[i].rights;
    return 7;
}

/* The check described in acl(5), for a user who does not own the file. */
static bool acl_allows(const struct acl *acl, size_t count, const struct stat *status,
                       const struct source_user *user, unsigned wanted) {
    unsigned mask = acl_mask(acl, count);
    bool matched = false;
    for (size_t i = 0; i < count; i++)
        if (acl->entries[i].tag == ACL_USER && acl->entries[i].id == user->user)
            return (acl->entries[i].rights & mask & wanted) == wanted;
    for (size_t i = 0; i < count; i++) {
        const struct acl_entry *entry = &acl->entries[i];
        bool is_group = entry->tag == ACL_GROUP || entry->tag == ACL_GROUP_OBJ;
        gid_t group = entry->tag == ACL_GROUP ? entry->id : status->st_gid;
        if (!is_group || (user->is_known && !has_group(user, group)))
            continue;
        if (user->is_known && (entry->rights & mask & wanted) == wanted)
            return true;
        /* A user whose groups are unknown must be allowed by every group. */
        matched |= (entry->rights & mask & wanted) != wanted;
    }
    return !matched && (status->st_mode & wanted) == wanted;
}

/* Whether the user has the wanted rights to the file open at `fd`. */
static bool may(const struct source_user *user, int fd, const struct stat *status,
                unsigned wanted) {
    char link[LINK_SIZE];
    struct acl acl;
    if (user->user == 0 || user->user == geteuid())
        return true; /* the kernel checks the same for this process */
    if (user->user == status->st_uid)
        return ((status->st_mode >> 6) & wanted) == wanted;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = getxattr(link, "system.posix_acl_access", &acl, sizeof acl);
    if (size < 0)
        return (errno == ENODATA || errno == ENOTSUP) &&
               allows_class(user, status->st_gid, (status->st_mode >> 3) & 7,
                            status->st_mode & 7, wanted);
    return (size_t)size >= sizeof acl.version && acl.version == ACL_VERSION &&
           acl_allows(&acl, ((size_t)size - sizeof acl.version) / sizeof *acl.entries,
                      status, user, wanted);
}

/* Reading a file of /proc or /sys may have side effects, or reveal this process's own
 * state. */
static bool is_of_kernel(int fd) {
    struct statfs status;
    return fstatfs(fd, &status) != 0 || status.f_type == PROC_SUPER_MAGIC ||
           status.f_type == SYSFS_MAGIC;
}

static int move_to(struct walk *walk, int fd) {
    if (fd < 0)
        return -errno;
    if (walk->fd >= 0)
        close(walk->fd);
    walk->fd = fd;
    return is_of_kernel(fd) ? -EACCES : 0;
}

static int start_at_root(struct walk *walk) {
    return move_to(walk, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
}

/* Prepends the target of a link to the rest of the path. */
static int follow(struct walk *walk, int link) {
    char text[2 * PATH_MAX];
    if (++walk->links > MAX_LINKS)
        return -ELOOP;
    ssize_t length = readlinkat(link, "", text, PATH_MAX);
    if (length < 0)
        return -errno;
    size_t rest = strlen(walk->rest);
    if (length == PATH_MAX || (size_t)length + rest + 2 > sizeof text)
        return -ENAMETOOLONG;
    text[length] = '/';
    memcpy(text + length + 1, walk->rest, rest + 1);
    memcpy(walk->rest, text, (size_t)length + rest + 2);
    return text[0] == '/' ? start_at_root(walk) : 0;
}

static int enter(struct walk *walk, const char *name) {
    struct stat status;
    if (fstat(walk->fd, &status) != 0)
        return -errno;
    if (!S_ISDIR(status.st_mode))
        return -ENOTDIR;
    if (!may(walk->user, walk->fd, &status, SEARCH))
        return -EACCES;
    int next = openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0)
        return -errno;
    if (fstat(next, &status) == 0 && !S_ISLNK(status.st_mode))
        return move_to(walk, next);
    int error = follow(walk, next);
    close(next);
    return error;
}

/* Removes the first component from the rest; false if there is none. */
static bool take_name(struct walk *walk, char name[NAME_MAX + 1]) {
    const char *start = walk->rest + strspn(walk->rest, "/");
    size_t length = strcspn(start, "/");
    if (length == 0 || length > NAME_MAX)
        return false;
    memcpy(name, start, length);
    name[length] = '\0';
    memmove(walk->rest, start + length, strlen(start + length) + 1);
    return true;
}

static int begin(struct walk *walk, const char *path) {
    char here[PATH_MAX] = "";
    if (path[0] != '/' && getcwd(here, sizeof here) == NULL)
        return -errno;
    int length = snprintf(walk->rest, sizeof walk->rest, "%s/%s", here, path);
    if (length < 0 || (size_t)length >= sizeof walk->rest)
        return -ENAMETOOLONG;
    return start_at_root(walk);
}

static int open_found(const struct walk *walk) {
    char link[LINK_SIZE];
    struct stat status;
    if (fstat(walk->fd, &status) != 0)
        return -errno;
    if (!S_ISREG(status.st_mode))
        return -EINVAL;
    if (!may(walk->user, walk->fd, &status, READ))
        return -EACCES;
    snprintf(link, sizeof link, "/proc/self/fd/%d", walk->fd);
    int fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    return fd < 0 ? -errno : fd;
}

int source_file_open(const char *path, const struct source_user *user) {
    struct walk walk = {.user = user, .fd = -1};
    char name[NAME_MAX + 1];
    int error = begin(&walk, path);
    while (error == 0 && take_name(&walk, name))
        error = enter(&walk, name);
    if (error == 0)
        error = walk.rest[strspn(walk.rest, "/")] != '\0' ? -ENAMETOOLONG
                                                          : open_found(&walk);
    if (walk.fd >= 0)
        close(walk.fd);
    return error;
}
