/* SPDX-License-Identifier: MIT */
#include "show/json_frame.h"

static void add_text(struct json_writer *writer, const char *key, bool known,
                     struct dump_text text) {
    json_writer_key(writer, key);
    if (known)
        json_writer_text(writer, text);
    else
        json_writer_null(writer);
}

static void add_number(struct json_writer *writer, const char *key, bool known,
                       uint64_t number) {
    json_writer_key(writer, key);
    if (known)
        json_writer_unsigned(writer, number);
    else
        json_writer_null(writer);
}

void json_frame_add(struct json_writer *writer, const struct json_frame *frame) {
    json_writer_open_map(writer);
    add_text(writer, "filename", !frame->native || frame->has_source, frame->filename);
    add_number(writer, "lineno", !frame->native || frame->line > 0, frame->line);
    add_text(writer, "function", frame->function.length > 0, frame->function);
    if (frame->native) {
        json_writer_key(writer, "native");
        json_writer_bool(writer, true);
        add_text(writer, "module", frame->module.length > 0, frame->module);
        add_number(writer, "offset", frame->has_address, frame->address);
    }
    json_writer_close_map(writer);
}
