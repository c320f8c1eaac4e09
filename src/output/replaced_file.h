/* SPDX-License-Identifier: MIT */
/* A file that gets new contents and stays what it is: its owner, its rights, and all
 * names that lead to it, links of both kinds.
 *
 * The new contents are written beside it, complete, and take its place. Where a file of
 * its own cannot be the same (it has more than one name, or belongs to a user whom we
 * may not give a file to), they are then copied into it. One thread.
 */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/compiler.h"
#include "output/output_file.h"

struct replaced_file {
    int fd;        /* the file as it was; the caller's */
    int directory; /* that its own name is in, whatever becomes of the path */
    char *path;    /* through `directory` */
    struct stat status;
    struct output_file output;
};

/* The file that is open at a descriptor, for reading at least; it outlives the
 * other. 0; -ESTALE for one that has lost its name; or -errno. */
must_check int replaced_file_open(struct replaced_file *file, int fd);

/* Where the new contents go. */
int replaced_file_descriptor(const struct replaced_file *file);

/* Gives the file its new contents. 0, or -errno and it is as it was, unless the disk
 * failed while they were copied; in both cases it is closed. */
must_check int replaced_file_commit(struct replaced_file *file);

/* Closes, and leaves the file as it was. */
void replaced_file_abandon(struct replaced_file *file);
