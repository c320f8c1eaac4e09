/* SPDX-License-Identifier: MIT */
/* Lines of source files, for a look at what stands at a frame.
 *
 * For offline code; allocates; one thread at a time. The names come from a dump, from a
 * stranger that is: only regular files of a bounded size are read, each once, and only
 * those that the dump's owner may read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collection/id_map.h"
#include "dump/dump_reader.h"
#include "show/source_file.h"

struct source_file; /* the text of one */

/* All zeros is an empty cache. */
struct source_lines {
    struct id_map ids;          /* by address of the name, and the dump's owner */
    struct source_file **files; /* by id; NULL where there is nothing to read */
    size_t capacity;
    size_t held;             /* bytes of all */
    struct source_user user; /* the last dump's owner */
    bool has_user;
};

/* Line `line` of a file that a dump names, counted from 1, without white space around
 * it; empty where it is not at hand, or the dump's source is not to be shown. It lives
 * as long as the cache. `filename` is followed by a NUL, and is always the same address
 * for the same name. */
struct dump_text source_lines_get(struct source_lines *lines,
                                  const struct dump_reader *reader,
                                  struct dump_text filename, uint32_t line);

void source_lines_close(struct source_lines *lines);
