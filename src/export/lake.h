/* SPDX-License-Identifier: MIT */
/* Parquet files of many dumps, for data lakes: tracemalloc-export(5) describes the
 * tables. Dumps are added one after the other, so that memory is needed for one of them
 * and a million rows.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/id_map.h"
#include "export/export_input.h"
#include "export/lake_files.h"
#include "export/lake_tables.h"
#include "export/stack_hash.h"

struct lake {
    struct lake_tables tables;
    struct lake_files files;
    struct id_map processes; /* their ids, of all that were added */
    struct id_map stacks;    /* the same */
    struct lake_partition *partitions;
    size_t partition_count, partition_capacity;
    size_t rows;             /* of samples, since the last files */
    struct stack_hash batch; /* of the processes since the last files: their name */
};

/* To be closed in any case. 0 or -errno; -EIO: with an error of the tables. */
must_check int lake_open(struct lake *lake, const struct duckdb_library *library,
                         const char *root);

/* Adds the processes of a dump, except those that were added before, and sets *repeated
 * to the number of these. Errors as lake_open; -EFBIG if the stacks are too deep. */
must_check int lake_add(struct lake *lake, struct export_input *input,
                        size_t *repeated);

/* Gives the files their names. Errors as lake_open. */
must_check int lake_commit(struct lake *lake, const struct copied_rights *rights);

/* Removes what was not committed. */
void lake_close(struct lake *lake);
