/* SPDX-License-Identifier: MIT */
#include "dump/dump_name.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include "base/message.h"
#include "base/sys.h"

enum { SUFFIXES = 10000 };

/* A relative name begins at the current directory. */
static int make_absolute(char path[PATH_MAX], const char *name) {
    size_t length = 0;
    if (name[0] != '/') {
        long got = sys_call(SYS_getcwd, path, PATH_MAX);
        if (got < 0)
            return (int)got;
        if (path[0] != '/')
            return -ENOENT;
        length = strlen(path);
        path[length++] = '/';
    }
    if (length + strlen(name) + 8 > PATH_MAX)
        return -ENAMETOOLONG;
    strcpy(path + length, name);
    return 0;
}

/* The kernel's directories of devices and pipes; /dev/shm contains regular files. */
static bool is_device_name(const char *path) {
    return (strncmp(path, "/dev/", 5) == 0 && strncmp(path, "/dev/shm/", 9) != 0) ||
           strncmp(path, "/proc/", 6) == 0;
}

int dump_name_create(char path[PATH_MAX], const char *name) {
    int fd = make_absolute(path, name);
    if (fd < 0)
        return fd;
    size_t length = strlen(path);
    for (unsigned suffix = 1; suffix <= SUFFIXES; suffix++) {
        fd = sys_open(path,
                      O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
                      0600);
        if (fd != -EEXIST)
            return fd;
        if (is_device_name(path))
            return -ENODEV;
        path[length] = '.';
        message_number(path + length + 1, suffix);
    }
    return -EEXIST;
}
