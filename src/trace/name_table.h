/* SPDX-License-Identifier: MIT */
/* Strings and code objects of the dump, each stored once.
 *
 * Under the tracer's lock, or with one thread. When the dump cannot grow, a name
 * becomes the empty string and a code object `<overflow>`, which the header's `lost`
 * counts.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id_set.h"
#include "dump/dump_file.h"

/* Begins the tables of a new dump: the empty string, no code, `<overflow>`. 0, or
 * -errno. */
must_check int name_table_open(struct dump_file *file);
void name_table_close(void);

/* The id of these bytes; 0 when there is no room. */
tracemalloc_dump_string name_table_string(const char *bytes, size_t length);
/* The id of the code object with this file, name and first line: re-created code gets
 * the same one. */
uint32_t name_table_code(tracemalloc_dump_string filename, tracemalloc_dump_string name,
                         uint32_t first_line);

/* These code objects are unused: their ids are given out again, and so is the
 * room of strings that nothing in the dump names. The set is taken over. */
void name_table_reclaim(struct id_set *ids);
