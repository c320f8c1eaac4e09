/* SPDX-License-Identifier: MIT */
/* A file that a command writes: complete under its name, or not there.
 *
 * It is written under a temporary name beside its own and renamed at the end, over a
 * file of that name. A signal that ends the command takes the temporary file away. What
 * is no regular file, such as /dev/stdout, is written to as it is. One at a time, one
 * thread.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/compiler.h"
#include "output/copied_rights.h"

struct output_file {
    FILE *stream;
    const char *path;
    char *temporary; /* NULL where `path` is written to as it is */
};

/* Whether two paths lead to one file. */
bool output_file_is(const char *first, const char *second);

/* A new file gets at most `rights`: those of what it is made of. 0 or -errno. The path
 * stays the caller's. */
must_check int output_file_open(struct output_file *file, const char *path,
                                const struct copied_rights *rights);

/* Closes and gives the file its name. 0, or -errno and nothing is left; in both cases
 * it is closed. */
must_check int output_file_commit(struct output_file *file);

/* Closes, and leaves nothing. */
void output_file_abandon(struct output_file *file);
