/* SPDX-License-Identifier: MIT */
/* Writes a new file, completely or not at all. An existing file is never changed. One
 * thread. */
#pragma once

#include "base/compiler.h"

enum { NEW_FILE_PATH_SIZE = 64 };

/* Creates a file with mode 0600 and calls `write` to fill it, which returns 0 or
 * -errno. Signals that would end the command are blocked until then. 0; or -errno, and
 * no file is left; -EEXIST if the file exists. */
must_check int new_file_write(const char *path, int (*write)(void *input, int fd),
                              void *input);

/* The same with the first free name of `path`, `path.1`, `path.2` and so on; sets
 * `path` to it. */
must_check int new_file_write_next(char path[NEW_FILE_PATH_SIZE],
                                   int (*write)(void *input, int fd), void *input);
