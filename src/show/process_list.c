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
    for (size_t i = 0; i < reader->tally_count; i++) {
        struct weight *weight = &shares[reader->tallies[i].process].weight;
        weight->size += profile->tallies[i].size;
        weight->count += profile->tallies[i].count;
    }
    qsort(shares, reader->process_count, sizeof *shares, compare);
    return shares;
}

void process_list_keep(struct profile *profile, uint32_t process) {
    const struct dump_reader *reader = profile->reader;
    for (size_t i = 0; i < reader->tally_count; i++)
        if (reader->tallies[i].process != process)
            profile->tallies[i] = (struct weight){0};
    profile_add_up(profile);
}

char *process_list_title(const struct dump_reader *reader, uint32_t process) {
    struct dump_text argv = dump_reader_text(reader, reader->processes[process].argv);
    struct dump_text argument;
    char *title = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&title, &size);
    if (stream == NULL)
        return NULL;
    fprintf(stream, "%" PRIu32 ":", reader->processes[process].pid);
    for (size_t at = 0; dump_info_next_argument(argv, &at, &argument);) {
        fputc(' ', stream);
        fwrite(argument.bytes, 1, argument.length, stream);
    }
    if (fclose(stream) == 0)
        return title;
    free(title);
    return NULL;
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
    json_writer_add_word(writer, "state", dump_info_state_name(entry->state));
}
