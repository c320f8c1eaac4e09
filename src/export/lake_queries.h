/* SPDX-License-Identifier: MIT */
/* The SQL of a lake's tables: what is kept in memory, and what is written of it.
 * tracemalloc-export(5) describes the columns. */
#pragma once

enum { LAKE_QUERIES = 3 };

/* The tables in memory, to which rows are added. */
enum lake_table {
    LAKE_PROCESSES,
    LAKE_SAMPLES,
    LAKE_STACK_IDS,
    LAKE_FRAMES,
    LAKE_TABLES,
};

/* Their names. */
extern const char *const lake_queries_names[LAKE_TABLES];
/* Ends with NULL. */
extern const char *const lake_queries_create[];

/* Gives the new stacks their frames. */
extern const char lake_queries_join_stacks[];

/* Each table of the lake, of the variable `part`. Stacks come first and processes last:
 * a reader that sees a process finds the rest. */
extern const struct lake_query {
    const char *table;
    const char *selected;
} lake_queries_written[LAKE_QUERIES];

/* Removes the rows of what was written, but not the stacks. */
extern const char lake_queries_forget[];
