/* SPDX-License-Identifier: MIT */
#include "export/lake.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "collection/array.h"
#include "export/exporter.h"
#include "export/lake_process.h"
#include "export/lake_samples.h"
#include "export/source_names.h"

const struct exporter export_parquet = {
    .name = "parquet",
    .summary = "tables for data lakes, in a directory; needs DuckDB's C library",
    .has_resource = true,
    .is_lake = true,
};

/* The rows of samples that are kept in memory. */
static const size_t max_rows = 1 << 20;

int lake_open(struct lake *lake, const struct duckdb_library *library,
              const char *root) {
    *lake = (struct lake){.batch = stack_hash_begin()};
    int error = lake_files_open(&lake->files, root);
    return error == 0 ? lake_tables_open(&lake->tables, library) : error;
}

static void format_day(uint64_t nanoseconds, char day[16]) {
    time_t seconds = (time_t)(nanoseconds / 1000000000u);
    struct tm time;
    if (gmtime_r(&seconds, &time) == NULL || time.tm_year + 1900 > 9999 ||
        strftime(day, sizeof "2026-11-28", "%Y-%m-%d", &time) == 0)
        strcpy(day, "1970-01-01");
}

/* Returns the index of a partition, which is added if it is new; or -ENOMEM. */
static int64_t add_partition(struct lake *lake, uint64_t time, const char *service) {
    struct lake_partition partition;
    format_day(time, partition.day);
    for (size_t i = 0; i < lake->partition_count; i++)
        if (strcmp(lake->partitions[i].day, partition.day) == 0 &&
            strcmp(lake->partitions[i].service, service) == 0)
            return (int64_t)i;
    if (array_reserve(&lake->partitions, &lake->partition_capacity,
                      lake->partition_count + 1, sizeof partition) < 0)
        return -ENOMEM;
    partition.service = strdup(service);
    if (partition.service == NULL)
        return -ENOMEM;
    lake->partitions[lake->partition_count] = partition;
    return (int64_t)lake->partition_count++;
}

static void drop_partitions(struct lake *lake) {
    for (size_t i = 0; i < lake->partition_count; i++)
        free(lake->partitions[i].service);
    lake->partition_count = 0;
}

static int write_batch(struct lake *lake) {
    char name[STACK_HASH_TEXT_SIZE];
    stack_hash_format(lake->batch, name);
    int error = lake_tables_write(&lake->tables, &lake->files, lake->partitions,
                                  lake->partition_count, name);
    drop_partitions(lake);
    lake->rows = 0;
    lake->batch = stack_hash_begin();
    return error;
}

/* Returns the number of a process; -EEXIST if it was added before, or -ENOMEM. */
static int64_t add_process(struct lake *lake, const struct export_input *input,
                           uint32_t process) {
    char service[SOURCE_NAMES_SIZE];
    struct stack_hash id = lake_process_id(input, process);
    size_t known = lake->processes.count;
    int64_t number = id_map_add(&lake->processes, (struct id_pair){id.high, id.low});
    if (number < 0)
        return -ENOMEM;
    if ((size_t)number < known)
        return -EEXIST;
    source_names_service(input, process, service);
    int64_t partition = add_partition(lake, export_input_time(input, process), service);
    if (partition < 0)
        return partition;
    lake_process_add(&lake->tables, input, process, number, partition);
    stack_hash_add_number(&lake->batch, id.high);
    stack_hash_add_number(&lake->batch, id.low);
    return number;
}

int lake_add(struct lake *lake, struct export_input *input, size_t *repeated) {
    const size_t count = input->reader->process_count;
    int64_t *numbers = calloc(count, sizeof *numbers);
    int error = numbers == NULL ? -ENOMEM : 0;
    *repeated = 0;
    for (uint32_t i = 0; error == 0 && i < count; i++) {
        numbers[i] = add_process(lake, input, i);
        if (numbers[i] == -EEXIST)
            ++*repeated;
        else if (numbers[i] < 0)
            error = (int)numbers[i];
    }
    if (error == 0)
        error =
            lake_samples_add(&lake->tables, &lake->stacks, input, numbers, &lake->rows);
    free(numbers);
    if (error == 0 && lake->tables.failed)
        error = -EIO;
    return error == 0 && lake->rows >= max_rows ? write_batch(lake) : error;
}

int lake_commit(struct lake *lake, const struct copied_rights *rights) {
    int error = lake->partition_count > 0 ? write_batch(lake) : 0;
    return error == 0 ? lake_files_commit(&lake->files, rights) : error;
}

void lake_close(struct lake *lake) {
    lake_tables_close(&lake->tables);
    lake_files_close(&lake->files);
    id_map_clear(&lake->processes);
    id_map_clear(&lake->stacks);
    drop_partitions(lake);
    free(lake->partitions);
    *lake = (struct lake){0};
}
