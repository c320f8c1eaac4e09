/* SPDX-License-Identifier: MIT */
/* The tables of a lake while they are made: rows in DuckDB's memory, which it writes as
 * Parquet.
 *
 * The first error is kept, and makes what follows do nothing: it is asked for once, by
 * lake_tables_write. For offline code; allocates; one thread, and those of DuckDB.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"
#include "export/lake_files.h"
#include "export/lake_queries.h"
#include "output/duckdb_library.h"

struct lake_tables {
    const struct duckdb_library *library;
    duckdb_library_database database;
    duckdb_library_connection connection;
    duckdb_library_appender appenders[LAKE_TABLES];
    char *error; /* in one line; NULL: none */
    bool failed;
};

/* To be closed even if it fails. 0; or -EIO, with `error`. */
must_check int lake_tables_open(struct lake_tables *tables,
                                const struct duckdb_library *library);

/* Add the next value of a row. */
void lake_tables_number(struct lake_tables *tables, enum lake_table table,
                        int64_t value);
void lake_tables_real(struct lake_tables *tables, enum lake_table table, double value);
void lake_tables_text(struct lake_tables *tables, enum lake_table table,
                      struct dump_text text);
void lake_tables_word(struct lake_tables *tables, enum lake_table table,
                      const char *word); /* NULL as null */
void lake_tables_null(struct lake_tables *tables, enum lake_table table);
void lake_tables_end_row(struct lake_tables *tables, enum lake_table table);

/* Writes the rows of processes and samples to files of this name, one in each table for
 * each of the partitions, whose index processes have, and forgets these rows. 0, -EIO
 * with `error`, or -ENOMEM. */
must_check int lake_tables_write(struct lake_tables *tables, struct lake_files *files,
                                 const struct lake_partition *partitions, size_t count,
                                 const char *name);

void lake_tables_close(struct lake_tables *tables);
