/* SPDX-License-Identifier: MIT */
/* Replaces the contents of a file, preserving its owner, its rights, and all names that
 * lead to it, hard and symbolic links included.
 *
 * The new contents are written to a temporary file, which then replaces the old one. If
 * the new file cannot have the same properties (there are several hard links, or the
 * caller may not give files to the owner), the contents are copied into the old file at
 * the end. One thread.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/compiler.h"
#include "output/output_file.h"

struct replaced_file {
    int fd;        /* the old file; the caller closes it */
    int directory; /* the file's, held open in case the path changes */
    char *path;    /* of the file, by way of `directory` */
    struct stat status;
    struct output_file output;
};

/* Prepares to replace the file open at `fd`, which must be readable and outlive `file`.
 * 0; -ESTALE if the file has no name any more; or -errno. */
must_check int replaced_file_open(struct replaced_file *file, int fd);

/* The descriptor to write the new contents to. */
int replaced_file_descriptor(const struct replaced_file *file);

/* Gives the file its new contents and closes it. 0; or -errno, and the file is
 * unchanged unless the disk failed while the contents were copied into it. */
must_check int replaced_file_commit(struct replaced_file *file);

/* Closes it, and leaves the file unchanged. */
void replaced_file_abandon(struct replaced_file *file);
