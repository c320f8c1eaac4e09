/* SPDX-License-Identifier: MIT */
/* Writes an output file, completely or not at all.
 *
 * The file is written under a temporary name in the same directory and renamed at the
 * end, replacing an existing file. A signal that ends the command removes the temporary
 * file. Anything but a regular file, such as /dev/stdout, is written to directly. One
 * at a time; one thread.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/compiler.h"
#include "output/copied_rights.h"

struct output_file {
    FILE *stream;
    const char *path;
    char *temporary; /* NULL if `path` is written to directly */
};

/* Whether both are of the same file. */
bool output_file_is_same(const struct stat *first, const struct stat *second);

/* Whether two paths lead to the same file. */
bool output_file_is(const char *first, const char *second);

/* A new file gets at most `rights`, those of the files from which it is derived. 0 or
 * -errno. `path` must outlive `file`. */
must_check int output_file_open(struct output_file *file, const char *path,
                                const struct copied_rights *rights);

/* Closes the file and gives it its name. 0; or -errno, and no file is left. */
must_check int output_file_commit(struct output_file *file);

/* Closes and removes the file. */
void output_file_abandon(struct output_file *file);
