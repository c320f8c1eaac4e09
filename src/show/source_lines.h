/* SPDX-License-Identifier: MIT */
/* Lines of source files, for a look at what stands at a frame.
 *
 * For offline code; allocates; one thread at a time. The names come from a dump, from a
 * stranger that is: only regular files of a bounded size are read, each once.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "collection/id_map.h"
#include "dump/dump_reader.h"

struct source_file; /* the text of one */

/* All zeros is an empty cache. */
struct source_lines {
    struct id_map ids;          /* by address of the name */
    struct source_file **files; /* by id; NULL where there is nothing to read */
    size_t room;
    size_t held; /* bytes of all */
};

/* Line `line` of a file, counted from 1, without white space around it; empty where it
 * is not at hand. It lives as long as the cache. `filename` is followed by a NUL, and
 * is always the same address for the same name. */
struct dump_text source_lines_get(struct source_lines *lines, struct dump_text filename,
                                  uint32_t line);

void source_lines_close(struct source_lines *lines);
