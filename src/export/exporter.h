/* SPDX-License-Identifier: MIT */
/* The formats of `tracemalloc export`: one exporter for each, in one table.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "base/compiler.h"
#include "dump/dump_reader.h"

struct export_options {
    /* As PY_VERSION_HEX: who shall read it. 0: the traced interpreter. */
    uint32_t python_version;
};

struct exporter {
    const char *name;      /* as given to --format */
    const char *extension; /* of such files, without a dot */
    const char *summary;   /* one line, no full stop */
    /* Writes a dump. 0, -ENOMEM, or -EFBIG when the format cannot hold that much. Write
     * errors stay in the stream. */
    int (*write)(const struct dump_reader *reader, const struct export_options *options,
                 FILE *out);
};

extern const struct exporter export_snapshot;

/* The exporter of a format, or NULL. */
must_check const struct exporter *exporter_find(const char *name);

/* The exporters by number, from 0 on; NULL behind the last. */
must_check const struct exporter *exporter_at(size_t number);
