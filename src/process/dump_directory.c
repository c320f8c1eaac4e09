/* SPDX-License-Identifier: MIT */
#include "process/dump_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int dump_directory_read_header(int fd, struct tracemalloc_dump_header *header) {
    if (pread(fd, header, sizeof *header, 0) != (ssize_t)sizeof *header ||
        memcmp(header->magic, TRACEMALLOC_DUMP_MAGIC, sizeof header->magic) != 0)
        return -EBADMSG;
    bool is_known = header->byte_order == TRACEMALLOC_DUMP_BYTE_ORDER &&
                    header->version == TRACEMALLOC_DUMP_VERSION;
    return is_known ? 0 : -ENOTSUP;
}

/* Returns a descriptor or -errno; -EBADMSG if it is not a dump of a process. */
static int open_dump(int directory, const char *name,
                     struct tracemalloc_dump_header *header) {
    struct stat status;
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISREG(status.st_mode) || (size_t)status.st_size < sizeof *header)
        return -EBADMSG;
    int fd = openat(directory, name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int error = fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)
                    ? -EBADMSG
                    : dump_directory_read_header(fd, header);
    if (error == 0 && header->state == TRACEMALLOC_DUMP_SNAPSHOT)
        error = -EBADMSG;
    if (error == 0)
        return fd;
    close(fd);
    return error;
}

static int visit_file(int directory, const char *name, dump_directory_visit *visit,
                      void *input) {
    struct tracemalloc_dump_header header;
    int fd = open_dump(directory, name, &header);
    if (fd == -EBADMSG || fd == -ENOENT)
        return 0;
    return visit(input, name, fd, fd < 0 ? NULL : &header);
}

int dump_directory_scan(int directory, dump_directory_visit *visit, void *input) {
    int error = 0, copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct dirent *entry;
    DIR *names = copy < 0 ? NULL : fdopendir(copy);
    if (names == NULL) {
        error = -errno;
        if (copy >= 0)
            close(copy);
        return error;
    }
    while (error == 0 && (entry = readdir(names)) != NULL)
        error = visit_file(directory, entry->d_name, visit, input);
    closedir(names);
    return error;
}
