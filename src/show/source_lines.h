/* SPDX-License-Identifier: MIT */
/* The source lines of frames.
 *
 * For offline code; allocates; one thread at a time. The file names come from a dump,
 * which is untrusted: only regular files of a bounded size are read, each once, and
 * only those that the dump's owner may read.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collection/id_map.h"
#include "dump/dump_reader.h"
#include "show/source_file.h"

struct source_file;

/* A cache of files; empty when all zeros. */
struct source_lines {
    struct id_map ids;          /* by address of the name, and owner of the dump */
    struct source_file **files; /* by id; NULL for a file that cannot be read */
    size_t capacity;
    size_t held;             /* bytes of all files, MAX_HELD_BYTES at most */
    struct source_user user; /* the last dump's owner */
    bool has_user;
};

/* Line `line` (from 1) of a file that a dump names, without surrounding white space;
 * empty if it cannot be read, or if source lines of this dump are hidden. It is valid
 * until the cache is closed. `filename` must be followed by a NUL and have the same
 * address each time. */
struct dump_text source_lines_get(struct source_lines *lines,
                                  const struct dump_reader *reader,
                                  struct dump_text filename, uint32_t line);

void source_lines_close(struct source_lines *lines);
