/* SPDX-License-Identifier: MIT */
/* Whole reads and writes that go on after an interruption. 0 or more, or -errno; errno
 * stays as it was. Any thread, also inside a hook: they allocate nothing. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* 0, or -errno; -EIO when the file takes no more. */
must_check int io_write_all(int fd, const void *data, size_t size, uint64_t offset);
/* Reads a small file, such as those of /proc, as a string; its length, or -errno. */
must_check ptrdiff_t io_read_file(const char *path, char *buffer, size_t size);
