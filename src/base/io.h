/* SPDX-License-Identifier: MIT */
/* Complete reads and writes, which retry after EINTR. 0 or more, or -errno; errno is
 * unchanged. Any thread, also inside a hook: they allocate nothing. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* 0, or -errno; -EIO if the file takes no more. */
must_check int io_write_all(int fd, const void *data, size_t size, uint64_t offset);
/* Reads a small file, such as one of /proc, as a string, cut to the buffer. Its length,
 * or -errno; -EAGAIN for what would have to be waited for. */
must_check ptrdiff_t io_read_file(const char *path, char *buffer, size_t size);
