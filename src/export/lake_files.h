/* SPDX-License-Identifier: MIT */
/* The files of a lake, complete or not at all: they are written into a directory with a
 * name of its own and get theirs at the end.
 *
 *   ROOT/.tracemalloc-XXXXXX/0, 1, ...
 *   ROOT/TABLE/day=2026-11-28/service=orders/part-NAME.parquet
 *
 * For offline code; allocates; one thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "output/copied_rights.h"

struct lake_file {
    char *temporary; /* an absolute path */
    char *final;
};

struct lake_files {
    char *root;
    char *directory; /* of the temporary files; NULL: there is none */
    struct lake_file *files;
    size_t count, capacity;
    bool is_new; /* `root` was created */
};

/* A day and a service. */
struct lake_partition {
    char day[16];
    char *service;
};

/* Creates the root if need be. 0 or -errno. To be closed in both cases. */
must_check int lake_files_open(struct lake_files *files, const char *root);

/* Returns the path to write the next file of a table to; NULL if there is no memory. */
must_check const char *lake_files_add(struct lake_files *files, const char *table,
                                      const struct lake_partition *partition,
                                      const char *name);

/* Gives the files, with these rights, their names; existing ones are replaced. 0; or
 * -errno, and some may have theirs. */
must_check int lake_files_commit(struct lake_files *files,
                                 const struct copied_rights *rights);

/* Removes what was not committed. */
void lake_files_close(struct lake_files *files);
