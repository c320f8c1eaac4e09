/* SPDX-License-Identifier: MIT */
#include "export/trace_document.h"

int trace_document_write(struct export_input *input, FILE *out, unsigned keys,
                         void (*write)(struct json_writer *writer,
                                       struct trace_table *table)) {
    struct trace_table table;
    struct json_writer writer;
    int error = trace_table_open(&table, input,
                                 keys | (input->by_process ? TRACE_KEY_PROCESS : 0));
    if (error < 0)
        return error;
    error = json_writer_open(&writer, out);
    if (error == 0) {
        write(&writer, &table);
        error = json_writer_close(&writer);
    }
    trace_table_close(&table);
    return error;
}
