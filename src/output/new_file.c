/* SPDX-License-Identifier: MIT */
#include "output/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SUFFIXES = 10000 };

/* Exceeding the file size limit must be an error instead of a fatal signal. */
static void block_endings(sigset_t *before) {
    sigset_t endings;
    signal(SIGXFSZ, SIG_IGN);
    sigemptyset(&endings);
    sigaddset(&endings, SIGINT);
    sigaddset(&endings, SIGTERM);
    sigaddset(&endings, SIGHUP);
    sigaddset(&endings, SIGQUIT);
    sigprocmask(SIG_BLOCK, &endings, before);
}

int new_file_write(const char *path, int (*write)(void *input, int fd), void *input) {
    sigset_t before;
    block_endings(&before);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int error = fd < 0 ? -errno : write(input, fd);
    if (fd >= 0 && close(fd) < 0 && error == 0)
        error = -errno;
    if (fd >= 0 && error < 0)
        unlink(path);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return error;
}

int new_file_write_next(char path[NEW_FILE_PATH_SIZE],
                        int (*write)(void *input, int fd), void *input) {
    size_t length = strlen(path);
    int error = new_file_write(path, write, input);
    for (int suffix = 1; error == -EEXIST && suffix < SUFFIXES; suffix++) {
        snprintf(path + length, NEW_FILE_PATH_SIZE - length, ".%d", suffix);
        error = new_file_write(path, write, input);
    }
    return error;
}
