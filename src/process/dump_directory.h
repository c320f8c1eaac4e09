/* SPDX-License-Identifier: MIT */
/* The dumps that processes write into a directory. Copies of running processes
 * (tracemalloc-control(1)) and other files are left out. Offline code, one thread. */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "tracemalloc_dump.h"

/* Gets a dump, and owns the descriptor; or a file that may be a dump and cannot be
 * read, with -errno (-ENOTSUP: of another version) as `fd` and without header. Returns
 * 0, or -errno to end the scan. */
typedef int dump_directory_visit(void *input, const char *name, int fd,
                                 const struct tracemalloc_dump_header *header);

/* Reads the header of an open dump. 0; -EBADMSG if it is not a dump, -ENOTSUP if it is
 * of another version. */
must_check int dump_directory_read_header(int fd,
                                          struct tracemalloc_dump_header *header);

/* Visits the dumps of an open directory, in no order. 0 or -errno, also of a visit. */
must_check int dump_directory_scan(int directory, dump_directory_visit *visit,
                                   void *input);
