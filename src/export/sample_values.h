/* SPDX-License-Identifier: MIT */
/* What pprof and OpenTelemetry count of a trace, in their words. Allocates; any
 * thread. */
#pragma once

#include <stdint.h>

#include "export/trace_table.h"

enum sample_value {
    SAMPLE_VALUE_INUSE_SPACE,
    SAMPLE_VALUE_INUSE_OBJECTS,
    SAMPLE_VALUE_ALLOC_SPACE,
    SAMPLE_VALUE_ALLOC_OBJECTS,
    SAMPLE_VALUE_PEAK_SPACE,
    SAMPLE_VALUES,
};

struct sample_value_type {
    const char *name;
    const char *unit;
};

extern const struct sample_value_type sample_value_types[SAMPLE_VALUES];

/* The traces of an input, without what was sent before. As trace_table_open. */
must_check int sample_values_open(struct trace_table *table,
                                  struct export_input *input);

void sample_values_fill(int64_t values[SAMPLE_VALUES], const struct trace *trace);
