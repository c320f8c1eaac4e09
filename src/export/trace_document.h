/* SPDX-License-Identifier: MIT */
/* Writes an export that is one JSON document of all traces. For offline code;
 * allocates; one thread at a time. */
#pragma once

#include <stdio.h>

#include "base/compiler.h"
#include "export/export_input.h"
#include "export/trace_table.h"
#include "output/json_writer.h"

/* The traces are by `keys`, and by process if the input has them separate; `write`
 * writes the value of the document. 0, or an error of trace_table_open or
 * json_writer_close. */
must_check int trace_document_write(struct export_input *input, FILE *out,
                                    unsigned keys,
                                    void (*write)(struct json_writer *writer,
                                                  struct trace_table *table));
