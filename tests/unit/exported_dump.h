/* SPDX-License-Identifier: MIT */
/* A made dump, exported to memory. For tests; one thread; what fails to open ends the
 * test. */
#pragma once

#include <stddef.h>

#include "dump_maker.h"
#include "export/export_input.h"

struct exported_dump {
    char *bytes; /* with a NUL behind them */
    size_t size;
    int error; /* of the exporter */
};

/* The settings: those of an input that stand before its reader. */
struct exported_dump exported_dump_make(const struct dump_maker *maker,
                                        const char *format,
                                        const struct export_input *settings);

/* With the settings that export_input_prepare gives. */
struct exported_dump exported_dump_make_all(const struct dump_maker *maker,
                                            const char *format);

void exported_dump_free(struct exported_dump *result);
