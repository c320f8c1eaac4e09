/* SPDX-License-Identifier: MIT */
/* Writes a frame as a JSON object, the same in all documents (see
 * tracemalloc-stats(1)). For offline code; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "output/json_writer.h"

struct json_frame {
    struct dump_text filename; /* of a native frame: written if has_source */
    struct dump_text function; /* null if empty */
    uint32_t line;
    bool native;
    bool has_source;         /* native frames only */
    bool has_address;        /* native frames only; false for a group of several */
    uint64_t address;        /* ELF virtual address */
    struct dump_text module; /* path; null if empty */
};

/* Writes the keys `filename`, `lineno` and `function`; for a native frame also
 * `native`, `module` and `offset`. Unknown values are null. */
void json_frame_add(struct json_writer *writer, const struct json_frame *frame);
