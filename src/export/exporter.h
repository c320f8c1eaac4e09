/* SPDX-License-Identifier: MIT */
/* The formats of `tracemalloc export`: one exporter for each, in one table. What each
 * writes is in tracemalloc-export(5). The same input gives the same bytes.
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
    const char *extension; /* of such files, without a dot */
    const char *summary;   /* one line, no full stop */
    bool only_python;      /* has no place for native frames */
    bool only_leaf;        /* of each stack its most recent frame */
    bool by_block;         /* of single blocks: has no limit */
    /* 0, -ENOMEM, -EIO, or -EFBIG when the format cannot hold that much. Write errors
     * stay in the stream. New names may be added to the input's. */
    int (*write)(struct export_input *input, FILE *out);
};

extern const struct exporter export_collapsed;
extern const struct exporter export_csv;
extern const struct exporter export_json;
extern const struct exporter export_pprof;
extern const struct exporter export_snapshot;
extern const struct exporter export_speedscope;

/* The exporter of a format, or NULL. */
must_check const struct exporter *exporter_find(const char *name);

/* The exporters by number, from 0 on; NULL behind the last. */
must_check const struct exporter *exporter_at(size_t number);
