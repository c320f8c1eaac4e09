/* SPDX-License-Identifier: MIT */
/* The formats of `tracemalloc export`: one exporter for each, in one table.
 * tracemalloc-export(5) describes what each writes. Equal inputs give equal bytes.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/compiler.h"
#include "export/export_input.h"

struct exporter {
    const char *name;      /* as given to --format */
    const char *extension; /* of a file name, without a dot */
    const char *summary;   /* one line, no full stop */
    bool only_python;      /* the format cannot represent native frames */
    bool only_leaf;        /* only the innermost frame of each stack is written */
    bool by_block;         /* blocks are written one by one; `limit` is not supported */
    bool has_resource;     /* the input's `resource` is written */
    bool is_lake;          /* a directory is written, by export/lake.h */
    /* NULL for a lake. 0, -ENOMEM, -EIO, or -EFBIG if the format cannot represent so
     * much data. Write errors are left in the stream. May add names to those of the
     * input. */
    int (*write)(struct export_input *input, FILE *out);
};

extern const struct exporter export_collapsed;
extern const struct exporter export_csv;
extern const struct exporter export_json;
extern const struct exporter export_otlp;
extern const struct exporter export_parquet;
extern const struct exporter export_pprof;
extern const struct exporter export_snapshot;
extern const struct exporter export_speedscope;

/* Finds the exporter of a format; NULL if there is none. */
must_check const struct exporter *exporter_find(const char *name);

/* The exporter of an index, from 0; NULL after the last. */
must_check const struct exporter *exporter_at(size_t i);
