/* SPDX-License-Identifier: MIT */
#include "show/process_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "show/dump_info.h"

static int compare(const void *first, const void *second) {
    const struct process_share *a = first, *b = second;
    if (a->weight.size != b->weight.size)
        return a->weight.size < b->weight.size ? 1 : -1;
    return (a->process > b->process) - (a->process < b->process);
}

struct process_share *process_list_shares(const struct profile *profile) {
    const struct dump_reader *reader = profile->reader;
    struct process_share *shares = calloc(reader->process_count, sizeof *shares);
    if (shares == NULL)
        return NULL;
    for (uint32_t i = 0; i < reader->process_count; i++)
        shares[i].process = i;
    for (size_t i = 0; i < reader->site_count; i++) {
        struct weight *weight = &shares[reader->sites[i].process].weight;
        weight_add(weight, profile->sites[i]);
    }
    qsort(shares, reader->process_count, sizeof *shares, compare);
    return shares;
}

void process_list_keep(struct profile *profile, uint32_t process) {
    const struct dump_reader *reader = profile->reader;
    for (size_t i = 0; i < reader->site_count; i++)
        if (reader->sites[i].process != process)
            profile->sites[i] = (struct weight){0};
    profile_update_total(profile);
}

static struct dump_text text_of(const char *name) {
    return (struct dump_text){name, strlen(name)};
}

bool process_list_is_renamed(const struct dump_reader *reader, uint32_t process) {
    const struct tracemalloc_dump_process *entry = &reader->processes[process];
    struct dump_text argv = dump_reader_text(reader, entry->argv);
    size_t length = strlen(entry->title);
    while (argv.length > 0 && argv.bytes[argv.length - 1] == '\0')
        argv.length--;
    bool cut = length == sizeof entry->title - 1;
    if (length > argv.length || (length < argv.length && !cut))
        return length > 0;
    for (size_t i = 0; i < length; i++)
        if (entry->title[i] != (argv.bytes[i] == '\0' ? ' ' : argv.bytes[i]))
            return true;
    return false;
}

/* Whether the kernel would give a process this comm after executing the path. */
static bool is_named_after(const char *comm, struct dump_text path) {
    const char *slash = memrchr(path.bytes, '/', path.length);
    const char *name = slash != NULL ? slash + 1 : path.bytes;
    size_t length = path.length - (size_t)(name - path.bytes);
    if (length > TRACEMALLOC_DUMP_COMM_SIZE - 1)
        length = TRACEMALLOC_DUMP_COMM_SIZE - 1;
    return strlen(comm) == length && memcmp(comm, name, length) == 0;
}

bool process_list_has_comm(const struct dump_reader *reader, uint32_t process) {
    const struct tracemalloc_dump_process *entry = &reader->processes[process];
    struct dump_text argv = dump_reader_text(reader, entry->argv), argument;
    if (entry->comm[0] == '\0' ||
        is_named_after(entry->comm, dump_reader_text(reader, entry->executable)))
        return false;
    for (size_t at = 0; dump_info_next_argument(argv, &at, &argument);)
        if (is_named_after(entry->comm, argument))
            return false;
    return true;
}

uint32_t process_list_number(const struct dump_reader *reader, uint32_t process) {
    const struct tracemalloc_dump_process *entry = &reader->processes[process];
    uint32_t before = 0, others = 0;
    for (uint32_t i = 0; i < reader->process_count && entry->run_id != 0; i++) {
        const struct tracemalloc_dump_process *other = &reader->processes[i];
        if (other->run_id != entry->run_id || i == process)
            continue;
        others++;
        before += other->start_time < entry->start_time ||
                  (other->start_time == entry->start_time && i < process);
    }
    return others > 0 ? before + 1 : 0;
}

static void put_argv(FILE *stream, struct dump_text argv) {
    struct dump_text argument;
    for (size_t at = 0; dump_info_next_argument(argv, &at, &argument);) {
        fputc(' ', stream);
        fwrite(argument.bytes, 1, argument.length, stream);
    }
}

/* What distinguishes processes with the same arguments comes first, because long lines
 * are cut at the end. */
static void put_names(FILE *stream, const struct dump_reader *reader,
                      uint32_t process) {
    const struct tracemalloc_dump_process *entry = &reader->processes[process];
    uint32_t number = process_list_number(reader, process);
    struct dump_text argv = dump_reader_text(reader, entry->argv);
    bool renamed = process_list_is_renamed(reader, process);
    fprintf(stream, "%" PRIu32 ":", entry->pid);
    if (number != 0)
        fprintf(stream, " [%" PRIu32 "]", number);
    if (process_list_has_comm(reader, process))
        fprintf(stream, " [%s]", entry->comm);
    if (renamed)
        fprintf(stream, " %s, started as", entry->title);
    put_argv(stream, argv);
}

char *process_list_title(const struct dump_reader *reader, uint32_t process) {
    char *title = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&title, &size);
    if (stream == NULL)
        return NULL;
    put_names(stream, reader, process);
    if (fclose(stream) == 0)
        return title;
    free(title);
    return NULL;
}

static void add_name(struct json_writer *writer, const char *key, const char *name) {
    json_writer_key(writer, key);
    if (name[0] != '\0')
        json_writer_text(writer, text_of(name));
    else
        json_writer_null(writer);
}

void process_list_add_names(struct json_writer *writer,
                            const struct dump_reader *reader, uint32_t process) {
    uint32_t number = process_list_number(reader, process);
    add_name(writer, "title", reader->processes[process].title);
    add_name(writer, "comm", reader->processes[process].comm);
    json_writer_add_if_known(writer, "number_in_run", number != 0, number);
}

void process_list_add_json(struct json_writer *writer, const struct dump_reader *reader,
                           uint32_t process) {
    const struct tracemalloc_dump_process *entry = &reader->processes[process];
    struct dump_text argv = dump_reader_text(reader, entry->argv), argument;
    json_writer_add_unsigned(writer, "pid", entry->pid);
    json_writer_add_unsigned(writer, "ppid", entry->ppid);
    json_writer_key(writer, "argv");
    json_writer_open_list(writer);
    for (size_t at = 0; dump_info_next_argument(argv, &at, &argument);)
        json_writer_text(writer, argument);
    json_writer_close_list(writer);
    process_list_add_names(writer, reader, process);
    json_writer_add_word(writer, "state", dump_info_state_name(entry->state));
}
