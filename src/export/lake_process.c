/* SPDX-License-Identifier: MIT */
#include "export/lake_process.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/source_names.h"
#include "process/container_id.h"
#include "profile/heap_history.h"
#include "profile/last_sample.h"
#include "show/completeness.h"
#include "show/dump_info.h"

enum { SEPARATOR = 31 }; /* of lists, in the queries */

struct row {
    struct lake_tables *tables;
    const struct export_input *input;
    const struct dump_reader *reader;
    const struct tracemalloc_dump_process *process;
    uint32_t index;
};

struct stack_hash lake_process_id(const struct export_input *input, uint32_t process) {
    const struct tracemalloc_dump_header *header = &input->reader->header;
    const struct tracemalloc_dump_process *entry = &input->reader->processes[process];
    struct stack_hash hash = stack_hash_begin();
    stack_hash_add_text(&hash, header->boot_id,
                        strnlen(header->boot_id, sizeof header->boot_id));
    stack_hash_add_number(&hash, header->pid_namespace);
    stack_hash_add_number(&hash, entry->pid);
    stack_hash_add_number(&hash, entry->start_time);
    stack_hash_add_number(&hash, export_input_time(input, process));
    return hash;
}

static void put_number(const struct row *row, int64_t value) {
    lake_tables_number(row->tables, LAKE_PROCESSES, value);
}

static void put_number_if(const struct row *row, bool is_known, int64_t value) {
    if (is_known)
        put_number(row, value);
    else
        lake_tables_null(row->tables, LAKE_PROCESSES);
}

/* Null if it is empty. */
static void put_word(const struct row *row, const char *word) {
    bool is_known = word != NULL && word[0] != '\0';
    lake_tables_word(row->tables, LAKE_PROCESSES, is_known ? word : NULL);
}

static void put_hash(const struct row *row, struct stack_hash hash) {
    char text[STACK_HASH_TEXT_SIZE];
    stack_hash_format(hash, text);
    put_word(row, text);
}

static void put_place(const struct row *row) {
    char host[SOURCE_NAMES_SIZE], container[CONTAINER_ID_SIZE] = "";
    const char *given = resource_find(row->input->resource, "container.id");
    source_names_host(row->input, host);
    if (given == NULL && row->reader->process_count == 1)
        container_id_find(container, &row->reader->header);
    put_word(row, host);
    put_word(row, given != NULL ? given : container);
    put_word(row, row->reader->header.boot_id);
}

static void put_arguments(const struct row *row) {
    struct dump_text argument, argv = dump_reader_text(row->reader, row->process->argv);
    char *line = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&line, &size);
    for (size_t at = 0;
         stream != NULL && dump_info_next_argument(argv, &at, &argument);)
        fprintf(stream, "%s%.*s", at > argument.length + 1 ? " " : "",
                (int)argument.length, argument.bytes);
    if (stream == NULL || fclose(stream) != 0) {
        lake_tables_null(row->tables, LAKE_PROCESSES);
        return;
    }
    lake_tables_text(row->tables, LAKE_PROCESSES, (struct dump_text){line, size});
    free(line);
}

static void put_program(const struct row *row) {
    const struct tracemalloc_dump_process *process = row->process;
    char run_id[24] = "", version[DUMP_INFO_TEXT_SIZE];
    put_number(row, process->pid);
    put_number(row, process->ppid);
    if (process->run_id != 0)
        snprintf(run_id, sizeof run_id, "%016" PRIx64, process->run_id);
    put_word(row, run_id);
    put_arguments(row);
    put_word(row, process->title);
    put_word(row, process->comm);
    lake_tables_text(row->tables, LAKE_PROCESSES,
                     dump_reader_text(row->reader, process->executable));
    put_word(row, dump_info_implementation(row->reader));
    dump_info_version(row->reader, version);
    put_word(row, version);
    put_word(row, resource_find(row->input->resource, "service.version"));
}

static void put_ending(const struct row *row) {
    const struct tracemalloc_dump_process *process = row->process;
    const struct tracemalloc_dump_header *header = &row->reader->header;
    bool by_signal = process->state == TRACEMALLOC_DUMP_SIGNAL;
    bool was_killed = by_signal || process->state == DUMP_READER_KILLED;
    bool has_oom =
        was_killed && row->reader->process_count == 1 && header->oom_killed >= 0;
    put_word(row, dump_info_state_name(process->state));
    put_number_if(row, process->state == TRACEMALLOC_DUMP_EXITED, process->exit_status);
    put_number_if(row, by_signal, process->signal);
    put_number_if(row, has_oom, header->oom_killed);
    put_number(row, (int64_t)process->start_time);
    put_number_if(row, process->end_time != 0, (int64_t)process->end_time);
}

/* Of the whole dump, if it has several processes. */
static void put_completeness(const struct row *row) {
    char reason[COMPLETENESS_TEXT_SIZE], *reasons = NULL;
    size_t at = 0, size = 0;
    FILE *stream = open_memstream(&reasons, &size);
    bool complete = completeness_holds(row->reader);
    put_number(row, complete);
    while (stream != NULL && completeness_next(row->reader, &at, reason))
        fprintf(stream, "%s%s", ftell(stream) > 0 ? "; " : "", reason);
    bool is_known = stream != NULL && fclose(stream) == 0;
    put_word(row, is_known ? reasons : NULL);
    free(reasons);
    put_number(row, row->process->sample_distance);
}

static struct weight live_of(const struct row *row) {
    struct weight live = {0};
    for (size_t i = 0; i < row->reader->site_count; i++)
        if (row->reader->sites[i].process == row->index)
            weight_add(&live, row->input->shown.sites[i]);
    return live;
}

/* When the timeline was highest; 0: it does not say. */
static uint64_t peak_time(const struct dump_reader *reader) {
    uint64_t highest = 0, time = 0;
    for (size_t i = 0; i < reader->timeline_count; i++) {
        const struct tracemalloc_dump_timeline_sample *sample = &reader->timeline[i];
        uint64_t bytes = sample->python_bytes + sample->native_bytes;
        if (bytes <= highest)
            continue;
        highest = bytes;
        time = reader->header.start_time + sample->time;
    }
    return time;
}

static void put_memory(const struct row *row) {
    const struct dump_reader *reader = row->reader;
    struct weight live = live_of(row);
    bool alone = reader->process_count == 1;
    size_t last = last_sample_find(reader);
    if (last == 0)
        last = reader->timeline_count;
    uint64_t when = alone ? peak_time(reader) : 0;
    put_number(row, (int64_t)live.size);
    put_number(row, (int64_t)live.count);
    if (live.estimated)
        lake_tables_real(row->tables, LAKE_PROCESSES, live.variance);
    else
        lake_tables_null(row->tables, LAKE_PROCESSES);
    put_number(row, (int64_t)(alone ? heap_history_peak(reader, live.size)
                                    : row->process->peak_bytes));
    put_number_if(row, when != 0, (int64_t)when);
    put_number_if(row, alone && last > 0,
                  last > 0 ? (int64_t)reader->timeline[last - 1].rss_bytes : 0);
    put_number_if(row, reader->header.memory_limit != 0,
                  (int64_t)reader->header.memory_limit);
}

static void put_list(const struct row *row, bool of_keys) {
    const struct resource *resource = row->input->resource;
    char *list = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&list, &size);
    for (size_t i = 0; stream != NULL && i < resource->count; i++) {
        const struct resource_attribute *attribute = &resource->attributes[i];
        const char *text = of_keys ? attribute->key : attribute->value;
        if (i > 0)
            putc(SEPARATOR, stream);
        for (; *text != '\0'; text++)
            putc(*text == SEPARATOR ? ' ' : *text, stream);
    }
    bool is_known = stream != NULL && fclose(stream) == 0 && resource->count > 0;
    lake_tables_word(row->tables, LAKE_PROCESSES, is_known ? list : NULL);
    free(list);
}

void lake_process_add(struct lake_tables *tables, const struct export_input *input,
                      uint32_t process, int64_t number, int64_t partition) {
    const struct row row = {tables, input, input->reader,
                            &input->reader->processes[process], process};
    put_number(&row, number);
    put_number(&row, partition);
    put_hash(&row, lake_process_id(input, process));
    put_number(&row, (int64_t)export_input_time(input, process));
    put_place(&row);
    put_program(&row);
    put_ending(&row);
    put_completeness(&row);
    put_memory(&row);
    put_list(&row, true);
    put_list(&row, false);
    lake_tables_end_row(tables, LAKE_PROCESSES);
}
