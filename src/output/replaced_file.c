/* SPDX-License-Identifier: MIT */
#include "output/replaced_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { PERMISSIONS = 07777, CHUNK = 1 << 20, LINK_SIZE = 64 };

/* Asks the kernel for the path, which has no links. 0 or -errno. */
static int find_path(int fd, char path[PATH_MAX]) {
    char link[LINK_SIZE];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0)
        return -errno;
    path[length] = '\0';
    return path[0] == '/' ? 0 : -ESTALE;
}

/* Holds the directory open, so that later changes of its path do not matter. */
static int hold_directory(struct replaced_file *file, char *path) {
    struct stat status;
    char *name = strrchr(path, '/') + 1;
    if (name == path + 1)
        return -ESTALE;
    name[-1] = '\0';
    file->directory = open(name - 1 == path ? "/" : path,
                           O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (file->directory < 0)
        return -errno;
    if (fstatat(file->directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !output_file_is_same(&status, &file->status))
        return -ESTALE;
    if (asprintf(&file->path, "/proc/self/fd/%d/%s", file->directory, name) < 0) {
        file->path = NULL;
        return -ENOMEM;
    }
    return 0;
}

static void close_directory(struct replaced_file *file) {
    if (file->directory >= 0)
        close(file->directory);
    free(file->path);
    *file = (struct replaced_file){.directory = -1};
}

int replaced_file_open(struct replaced_file *file, int fd) {
    char path[PATH_MAX];
    *file = (struct replaced_file){.fd = fd, .directory = -1};
    int error = fstat(fd, &file->status) == 0 ? 0 : -errno;
    if (error == 0)
        error = find_path(fd, path);
    if (error == 0)
        error = hold_directory(file, path);
    const struct copied_rights rights = {file->status.st_uid, file->status.st_gid, 0};
    if (error == 0)
        error = output_file_open(&file->output, file->path, &rights);
    if (error < 0)
        close_directory(file);
    return error;
}

int replaced_file_descriptor(const struct replaced_file *file) {
    return fileno(file->output.stream);
}

/* Copies the extended attributes, access control lists among them. An attribute that
 * cannot be set is an error only if it is an access control list. */
static int copy_attributes(int from, int to) {
    char names[XATTR_LIST_MAX], value[XATTR_SIZE_MAX];
    ssize_t size = flistxattr(from, names, sizeof names);
    for (const char *name = names; size > 0 && name < names + size;
         name += strlen(name) + 1) {
        ssize_t length = fgetxattr(from, name, value, sizeof value);
        if (length >= 0 && fsetxattr(to, name, value, (size_t)length, 0) != 0 &&
            strncmp(name, "system.posix_acl", 16) == 0)
            return -errno;
    }
    return 0;
}

/* Gives the new file the properties of the old one; false if that fails. Changing the
 * owner clears mode bits, so the mode comes after it. */
static bool takes_over(const struct replaced_file *file) {
    const struct stat *status = &file->status;
    struct stat present;
    int fd = replaced_file_descriptor(file);
    if (fstat(file->fd, &present) != 0 || present.st_nlink != 1)
        return false;
    return fchown(fd, status->st_uid, status->st_gid) == 0 &&
           fchmod(fd, status->st_mode & PERMISSIONS) == 0 &&
           copy_attributes(file->fd, fd) == 0;
}

static int copy_bytes(int from, int to, char *buffer) {
    off_t at = 0;
    for (;;) {
        ssize_t length = pread(from, buffer, CHUNK, at);
        if (length <= 0)
            return length < 0 ? -errno : ftruncate(to, at) != 0 ? -errno : 0;
        for (ssize_t done = 0; done < length;) {
            ssize_t count = pwrite(to, buffer + done, (size_t)(length - done), at);
            if (count < 0)
                return -errno;
            done += count;
            at += count;
        }
    }
}

/* Allocates the space first, so that a full disk is found before anything is
 * changed. */
static int copy_over(int from, int to) {
    struct stat status;
    char *buffer = malloc(CHUNK);
    sigset_t all, before;
    int error = buffer == NULL ? -ENOMEM : fstat(from, &status) != 0 ? -errno : 0;
    if (error == 0)
        error = -posix_fallocate(to, 0, status.st_size);
    if (error == 0) {
        sigfillset(&all);
        sigprocmask(SIG_BLOCK, &all, &before);
        error = copy_bytes(from, to, buffer);
        sigprocmask(SIG_SETMASK, &before, NULL);
    }
    free(buffer);
    return error;
}

static int copy_into(struct replaced_file *file) {
    char link[LINK_SIZE];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file->fd);
    int from = open(file->output.temporary, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int to = open(link, O_WRONLY | O_CLOEXEC);
    int error = from < 0 || to < 0 ? -errno : copy_over(from, to);
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    output_file_abandon(&file->output);
    return error;
}

int replaced_file_commit(struct replaced_file *file) {
    if (file->output.temporary == NULL) {
        replaced_file_abandon(file);
        return -EINVAL;
    }
    int error = takes_over(file) ? output_file_commit(&file->output) : copy_into(file);
    close_directory(file);
    return error;
}

void replaced_file_abandon(struct replaced_file *file) {
    output_file_abandon(&file->output);
    close_directory(file);
}
