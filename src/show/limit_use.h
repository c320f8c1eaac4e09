/* SPDX-License-Identifier: MIT */
/* How far a process was from its memory limit, for a reader who asks why it was
 * killed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dump/dump_reader.h"
#include "output/json_writer.h"
#include "output/terminal.h"

enum { LIMIT_USE_TEXT_SIZE = 160 };

struct limit_use {
    uint64_t used, limit; /* bytes */
    uint32_t source;      /* enum tracemalloc_dump_limit */
    /* Only the process's own resident memory is known, of a limit that may be that of
     * several processes. */
    bool is_resident;
};

/* As the process last saw it. False: unknown, or a merged dump. */
bool limit_use_find(const struct dump_reader *reader, struct limit_use *use);
void limit_use_text(const struct limit_use *use, char text[LIMIT_USE_TEXT_SIZE]);

/* If the process was killed out of memory, as far as can be seen, prints one line that
 * says how far it was from its limit. `name`: of the dump if there are several, or
 * NULL. */
void limit_use_print_end(const struct terminal *terminal,
                         const struct dump_reader *reader, const char *name);
/* Adds null if it is unknown. */
void limit_use_add_json(struct json_writer *writer, const char *key,
                        const struct dump_reader *reader);
