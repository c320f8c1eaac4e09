/* SPDX-License-Identifier: MIT */
#include "show/dump_json.h"

#include <stdbool.h>
#include <stdint.h>

#include "show/dump_info.h"
#include "show/process_list.h"

/* Adds null if the value is unknown. */
static void add_signed_if(struct json_writer *writer, const char *key, bool known,
                          int64_t value) {
    json_writer_key(writer, key);
    if (known)
        json_writer_signed(writer, value);
    else
        json_writer_null(writer);
}

static void add_time(struct json_writer *writer, const char *key,
                     uint64_t nanoseconds) {
    json_writer_key(writer, key);
    if (nanoseconds != 0)
        json_writer_seconds(writer, nanoseconds);
    else
        json_writer_null(writer);
}

void dump_json_add_program(struct json_writer *writer,
                           const struct dump_reader *reader) {
    struct dump_text argument;
    char version[DUMP_INFO_TEXT_SIZE];
    json_writer_add_unsigned(writer, "pid", reader->header.pid);
    json_writer_add_unsigned(writer, "ppid", reader->header.ppid);
    json_writer_key(writer, "argv");
    json_writer_open_list(writer);
    for (size_t at = 0; dump_info_argument(reader, &at, &argument);)
        json_writer_text(writer, argument);
    json_writer_close_list(writer);
    process_list_add_names(writer, reader, 0);
    json_writer_add_word(writer, "implementation", dump_info_implementation(reader));
    dump_info_version(reader, version);
    json_writer_add_word(writer, "python_version", version[0] != '\0' ? version : NULL);
    json_writer_add_unsigned(writer, "nframe", reader->header.nframe);
}

void dump_json_add_ending(struct json_writer *writer,
                          const struct dump_reader *reader) {
    const struct tracemalloc_dump_header *header = &reader->header;
    bool by_signal = reader->state == TRACEMALLOC_DUMP_SIGNAL;
    bool ended = by_signal || reader->state == DUMP_READER_KILLED;
    json_writer_add_word(writer, "state", dump_info_state(reader));
    add_signed_if(writer, "exit_status", reader->state == TRACEMALLOC_DUMP_EXITED,
                  header->exit_status);
    add_signed_if(writer, "signal", by_signal, header->signal);
    json_writer_key(writer, "oom_killed");
    if (ended && header->oom_killed >= 0)
        json_writer_bool(writer, header->oom_killed != 0);
    else
        json_writer_null(writer);
    add_time(writer, "start_time", header->start_time);
    add_time(writer, "end_time", header->end_time);
    add_time(writer, "loaded_late", header->loaded_late);
    add_time(writer, "census_time", header->census_time);
}
