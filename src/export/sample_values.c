/* SPDX-License-Identifier: MIT */
#include "export/sample_values.h"

const struct sample_value_type sample_value_types[SAMPLE_VALUES] = {
    [SAMPLE_VALUE_INUSE_SPACE] = {"inuse_space", "bytes"},
    [SAMPLE_VALUE_INUSE_OBJECTS] = {"inuse_objects", "count"},
    [SAMPLE_VALUE_ALLOC_SPACE] = {"alloc_space", "bytes"},
    [SAMPLE_VALUE_ALLOC_OBJECTS] = {"alloc_objects", "count"},
    [SAMPLE_VALUE_PEAK_SPACE] = {"peak_space", "bytes"},
};

/* A stack cannot hold more than it allocated, but a live dump may be read between the
 * updates of the two counts. */
void sample_values_fill(int64_t values[SAMPLE_VALUES], const struct trace *trace) {
    const struct weight *shown = &trace->shown, *allocated = &trace->allocated;
    bool whole = allocated->size >= shown->size && allocated->count >= shown->count;
    if (!whole)
        allocated = shown;
    values[SAMPLE_VALUE_INUSE_SPACE] = (int64_t)shown->size;
    values[SAMPLE_VALUE_INUSE_OBJECTS] = (int64_t)shown->count;
    values[SAMPLE_VALUE_ALLOC_SPACE] = (int64_t)allocated->size;
    values[SAMPLE_VALUE_ALLOC_OBJECTS] = (int64_t)allocated->count;
    values[SAMPLE_VALUE_PEAK_SPACE] = (int64_t)trace->peak_size;
}
