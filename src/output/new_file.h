/* SPDX-License-Identifier: MIT */
/* A new file that a command writes: whole, or not there. An existing one is never
 * touched. One thread. */
#pragma once

#include "base/compiler.h"

enum { NEW_FILE_PATH_SIZE = 64 };

/* Creates a file of mode 0600 and lets `write` fill it: 0 or -errno. A signal that
 * would end the command waits until it is done. 0; or -errno, -EEXIST for an existing
 * file, and nothing is left. */
must_check int new_file_write(const char *path, int (*write)(void *input, int fd),
                              void *input);

/* The same under the first free name of `path`, `path.1`, `path.2` and so on, which
 * becomes `path`. */
must_check int new_file_write_next(char path[NEW_FILE_PATH_SIZE],
                                   int (*write)(void *input, int fd), void *input);
