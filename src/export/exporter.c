/* SPDX-License-Identifier: MIT */
#include "export/exporter.h"

#include <string.h>

static const struct exporter *const exporters[] = {
    &export_collapsed, &export_csv,   &export_json,     &export_otlp,
    &export_parquet,   &export_pprof, &export_snapshot, &export_speedscope,
};

const struct exporter *exporter_at(size_t i) {
    return i < sizeof exporters / sizeof *exporters ? exporters[i] : NULL;
}

const struct exporter *exporter_find(const char *name) {
    const struct exporter *exporter;
    for (size_t i = 0; (exporter = exporter_at(i)) != NULL; i++)
        if (strcmp(exporter->name, name) == 0)
            return exporter;
    return NULL;
}
