/* SPDX-License-Identifier: MIT */
#include "export/lake_tables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/plain_text.h"

static void keep_error(struct lake_tables *tables, const char *error) {
    if (!tables->failed && error != NULL)
        tables->error = strndup(error, strcspn(error, "\n"));
    tables->failed = true;
}

static void query(struct lake_tables *tables, const char *text) {
    struct duckdb_library_result result;
    if (tables->failed)
        return;
    if (tables->library->query(tables->connection, text, &result) !=
        DUCKDB_LIBRARY_SUCCESS)
        keep_error(tables, tables->library->result_error(&result));
    tables->library->destroy_result(&result);
}

/* Nothing is loaded or fetched in addition to the library, and nothing is written but
 * our files. */
static void open_database(struct lake_tables *tables) {
    static const char *const options[][2] = {
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
        {"temp_directory", ""},
        {"preserve_insertion_order", "false"},
    };
    const struct duckdb_library *library = tables->library;
    duckdb_library_config config = NULL;
    char *error = NULL;
    tables->failed = library->create_config(&config) != DUCKDB_LIBRARY_SUCCESS;
    for (size_t i = 0; !tables->failed && i < sizeof options / sizeof *options; i++)
        tables->failed = library->set_config(config, options[i][0], options[i][1]) !=
                         DUCKDB_LIBRARY_SUCCESS;
    if (!tables->failed && library->open_ext(NULL, &tables->database, config, &error) !=
                               DUCKDB_LIBRARY_SUCCESS)
        keep_error(tables, error);
    library->free(error);
    library->destroy_config(&config);
    if (!tables->failed)
        tables->failed = library->connect(tables->database, &tables->connection) !=
                         DUCKDB_LIBRARY_SUCCESS;
}

int lake_tables_open(struct lake_tables *tables, const struct duckdb_library *library) {
    *tables = (struct lake_tables){.library = library};
    open_database(tables);
    for (size_t i = 0; lake_queries_create[i] != NULL; i++)
        query(tables, lake_queries_create[i]);
    for (size_t i = 0; !tables->failed && i < LAKE_TABLES; i++)
        if (library->appender_create(tables->connection, NULL, lake_queries_names[i],
                                     &tables->appenders[i]) != DUCKDB_LIBRARY_SUCCESS)
            keep_error(tables, library->appender_error(tables->appenders[i]));
    return tables->failed ? -EIO : 0;
}

static void check(struct lake_tables *tables, enum lake_table table, int result) {
    if (result != DUCKDB_LIBRARY_SUCCESS)
        keep_error(tables, tables->library->appender_error(tables->appenders[table]));
}

void lake_tables_number(struct lake_tables *tables, enum lake_table table,
                        int64_t value) {
    if (!tables->failed)
        check(tables, table,
              tables->library->append_int64(tables->appenders[table], value));
}

void lake_tables_real(struct lake_tables *tables, enum lake_table table, double value) {
    if (!tables->failed)
        check(tables, table,
              tables->library->append_double(tables->appenders[table], value));
}

void lake_tables_null(struct lake_tables *tables, enum lake_table table) {
    if (!tables->failed)
        check(tables, table, tables->library->append_null(tables->appenders[table]));
}

void lake_tables_text(struct lake_tables *tables, enum lake_table table,
                      struct dump_text text) {
    if (tables->failed)
        return;
    char *plain = plain_text_copy(text);
    if (plain == NULL)
        keep_error(tables, strerror(ENOMEM));
    else
        check(tables, table,
              tables->library->append_varchar_length(tables->appenders[table], plain,
                                                     strlen(plain)));
    free(plain);
}

void lake_tables_word(struct lake_tables *tables, enum lake_table table,
                      const char *word) {
    if (word == NULL)
        lake_tables_null(tables, table);
    else
        lake_tables_text(tables, table, (struct dump_text){word, strlen(word)});
}

void lake_tables_end_row(struct lake_tables *tables, enum lake_table table) {
    if (!tables->failed)
        check(tables, table,
              tables->library->appender_end_row(tables->appenders[table]));
}

/* A text in quotes, in which those of its own are doubled. */
static void put_quoted(FILE *out, const char *text) {
    putc('\'', out);
    for (; *text != '\0'; text++)
        fputs(*text == '\'' ? "''" : (char[]){*text, '\0'}, out);
    putc('\'', out);
}

/* COPY of what a query selects of a partition. */
static int write_table(struct lake_tables *tables, const char *selected,
                       size_t partition, const char *path) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL)
        return -ENOMEM;
    fprintf(stream, "SET VARIABLE part = %zu; COPY (%s) TO ", partition, selected);
    put_quoted(stream, path);
    fputs(" (FORMAT parquet, COMPRESSION zstd)", stream);
    int error = fclose(stream) == 0 ? 0 : -ENOMEM;
    if (error == 0)
        query(tables, text);
    free(text);
    return error;
}

static int write_partition(struct lake_tables *tables, struct lake_files *files,
                           const struct lake_partition *partition, size_t number,
                           const char *name) {
    int error = 0;
    for (size_t i = 0; error == 0 && i < LAKE_QUERIES; i++) {
        const char *path =
            lake_files_add(files, lake_queries_written[i].table, partition, name);
        error = path == NULL ? -ENOMEM
                             : write_table(tables, lake_queries_written[i].selected,
                                           number, path);
    }
    return error;
}

int lake_tables_write(struct lake_tables *tables, struct lake_files *files,
                      const struct lake_partition *partitions, size_t count,
                      const char *name) {
    int error = 0;
    for (size_t i = 0; !tables->failed && i < LAKE_TABLES; i++)
        check(tables, (enum lake_table)i,
              tables->library->appender_flush(tables->appenders[i]));
    query(tables, lake_queries_join_stacks);
    for (size_t i = 0; error == 0 && !tables->failed && i < count; i++)
        error = write_partition(tables, files, &partitions[i], i, name);
    query(tables, lake_queries_forget);
    return error == 0 && tables->failed ? -EIO : error;
}

void lake_tables_close(struct lake_tables *tables) {
    const struct duckdb_library *library = tables->library;
    if (library == NULL)
        return;
    for (size_t i = 0; i < LAKE_TABLES; i++)
        if (tables->appenders[i] != NULL)
            library->appender_destroy(&tables->appenders[i]);
    if (tables->connection != NULL)
        library->disconnect(&tables->connection);
    if (tables->database != NULL)
        library->close(&tables->database);
    free(tables->error);
    *tables = (struct lake_tables){0};
}
