/* SPDX-License-Identifier: MIT */
/* The dictionary of an OTLP message: its tables of strings, attributes, mappings,
 * functions, locations and stacks, to which samples refer by index.
 *
 * An entry is added when it is first asked for, so that none is there twice and none is
 * unused; entry 0 of each table is empty, and index 0 means none. If there is no
 * memory, `failed` is set and the indices mean nothing.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/id_map.h"
#include "export/proto_buffer.h"
#include "export/trace_table.h"

struct otlp_dictionary {
    struct trace_table *table;
    struct proto_buffer bytes; /* of the message Dictionary, packed by entries */
    bool failed;
    int32_t *strings; /* index by id of the name */
    size_t string_capacity;
    int32_t string_count;
    int32_t *locations; /* index by frame */
    int32_t *mappings;  /* index by name of the module's path */
    uint64_t *biases;   /* by mapping */
    int32_t mapping_count;
    int32_t location_count;
    struct id_map functions;  /* by file and name */
    struct id_map attributes; /* by hashes of key and value */
    struct id_map stacks;     /* by hash, length and innermost location */
    int32_t *window;          /* of a stack's locations */
};

/* 0 or -ENOMEM. The table must outlive the dictionary, which adds names to its input.
 */
must_check int otlp_dictionary_open(struct otlp_dictionary *dictionary,
                                    struct trace_table *table);
void otlp_dictionary_close(struct otlp_dictionary *dictionary);

/* A constant word. */
int32_t otlp_dictionary_word(struct otlp_dictionary *dictionary, const char *word);

/* The key is a constant; the value is copied. */
int32_t otlp_dictionary_attribute(struct otlp_dictionary *dictionary, const char *key,
                                  const char *value);

/* The same for a text of the dump. */
int32_t otlp_dictionary_text(struct otlp_dictionary *dictionary, const char *key,
                             struct dump_text text);

/* The stack of a trace. */
int32_t otlp_dictionary_stack(struct otlp_dictionary *dictionary,
                              const struct trace *trace);
