/* SPDX-License-Identifier: MIT */
#include "base/io.h"

#include <fcntl.h>

#include "base/sys.h"

int io_write_all(int fd, const void *data, size_t size, uint64_t offset) {
    const char *bytes = data;
    while (size > 0) {
        long written = sys_call(SYS_pwrite64, fd, bytes, size, offset);
        if (written == -EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? (int)written : -EIO;
        bytes += written;
        size -= (size_t)written;
        offset += (uint64_t)written;
    }
    return 0;
}

static ptrdiff_t read_whole(int fd, char *buffer, size_t size) {
    size_t length = 0;
    while (length < size - 1) {
        long got = sys_call(SYS_read, fd, buffer + length, size - 1 - length);
        if (got == -EINTR)
            continue;
        if (got < 0)
            return got;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    buffer[length] = '\0';
    return (ptrdiff_t)length;
}

ptrdiff_t io_read_file(const char *path, char *buffer, size_t size) {
    /* In a directory that the program made its root, the name may be a FIFO's. */
    int fd = sys_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return fd;
    ptrdiff_t length = read_whole(fd, buffer, size);
    sys_close(fd);
    return length;
}
