/* SPDX-License-Identifier: MIT */
/* Drops the census of types from the dump of the traced process.
 *
 * Under the tracer's lock, or with one thread. */
#pragma once

#include "base/compiler.h"
#include "dump/dump_file.h"

/* Whether readers see one. */
static inline bool dump_census_exists(const struct dump_file *file) {
    return file->header->census_time != 0;
}

/* Its entries may no longer be those of their buckets. */
static inline void dump_census_drop(struct dump_file *file) {
    file->header->census_time = 0;
    dump_file_publish(file, TRACEMALLOC_DUMP_CENSUS, 0);
    dump_file_publish(file, TRACEMALLOC_DUMP_TYPES, 0);
}
