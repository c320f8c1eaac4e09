/* SPDX-License-Identifier: MIT */
/* A frame as a JSON object, the same in all documents (see tracemalloc-stats(1)). For
 * offline code; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "output/json_writer.h"

struct json_frame {
    struct dump_text filename; /* shown of a native frame only where it has a source */
    struct dump_text function; /* empty: null */
    uint32_t line;
    bool native;
    bool has_source;
    bool has_address;        /* of a native frame; not where several were grouped */
    uint64_t address;        /* ELF virtual address */
    struct dump_text module; /* path; empty: null */
};

/* `filename`, `lineno` and `function`; of a native frame `native`, `module` and
 * `offset` as well, and null for what is not known. */
void json_frame_add(struct json_writer *writer, const struct json_frame *frame);
