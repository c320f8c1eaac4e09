/* SPDX-License-Identifier: MIT */
#include "memory_file.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int memory_file(const uint8_t *bytes, size_t size) {
    int fd = memfd_create("input", MFD_CLOEXEC);
    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
        abort();
    return fd;
}

FILE *nowhere(void) {
    static FILE *out;
    if (out == NULL)
        out = fopen("/dev/null", "w");
    if (out == NULL)
        abort();
    return out;
}
