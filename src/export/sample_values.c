/* SPDX-License-Identifier: MIT */
#include "export/sample_values.h"

#include "export/trace_history.h"

const struct sample_value_type sample_value_types[SAMPLE_VALUES] = {
    [SAMPLE_VALUE_INUSE_SPACE] = {"inuse_space", "bytes"},
    [SAMPLE_VALUE_INUSE_OBJECTS] = {"inuse_objects", "count"},
    [SAMPLE_VALUE_ALLOC_SPACE] = {"alloc_space", "bytes"},
    [SAMPLE_VALUE_ALLOC_OBJECTS] = {"alloc_objects", "count"},
    [SAMPLE_VALUE_PEAK_SPACE] = {"peak_space", "bytes"},
};

int sample_values_open(struct trace_table *table, struct export_input *input) {
    int error =
        trace_table_open(table, input,
                         TRACE_KEY_DOMAIN | TRACE_KEY_PROCESS | TRACE_KEY_THREAD |
                             TRACE_KEY_ADDRESS | TRACE_KEY_EVER);
    if (error == 0 && input->history != NULL) {
        error = trace_history_apply(input->history, table);
        if (error < 0)
            trace_table_close(table);
    }
    return error;
}

/* A stack cannot hold more than it allocated, but a live dump may be read between the
 * updates of the two counts. */
static int64_t since(uint64_t now, uint64_t sent) {
    return now > sent ? (int64_t)(now - sent) : 0;
}

void sample_values_fill(int64_t values[SAMPLE_VALUES], const struct trace *trace) {
    const struct weight *shown = &trace->shown, *allocated = &trace->allocated;
    bool whole = allocated->size >= shown->size && allocated->count >= shown->count;
    if (!whole)
        allocated = shown;
    values[SAMPLE_VALUE_INUSE_SPACE] = (int64_t)shown->size;
    values[SAMPLE_VALUE_INUSE_OBJECTS] = (int64_t)shown->count;
    values[SAMPLE_VALUE_ALLOC_SPACE] = since(allocated->size, trace->sent.size);
    values[SAMPLE_VALUE_ALLOC_OBJECTS] = since(allocated->count, trace->sent.count);
    values[SAMPLE_VALUE_PEAK_SPACE] = (int64_t)trace->peak_size;
}
