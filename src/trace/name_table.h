/* SPDX-License-Identifier: MIT */
/* Strings and code objects of the dump, each stored once.
 *
 * Under the tracer's lock, or with one thread. If the dump is full, a string is stored
 * as "<no room>" and a code object as `<overflow>`; the header's `lost` counts both.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/id_set.h"
#include "dump/dump_file.h"

/* Begins the tables of a new dump. 0, or -errno. */
must_check int name_table_open(struct dump_file *file);
void name_table_close(void);

/* The id of a string. */
tracemalloc_dump_string name_table_string(const char *bytes, size_t length);
/* The id of the code object with this file, name and first line. If the program creates
 * the same code again, it has the same id. */
uint32_t name_table_code(tracemalloc_dump_string filename, tracemalloc_dump_string name,
                         uint32_t first_line);

/* Frees the ids of these code objects, which are unused, and the slots of strings that
 * nothing refers to. Takes ownership of the set. */
void name_table_reclaim(struct id_set *ids);
