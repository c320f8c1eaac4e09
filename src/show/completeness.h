/* SPDX-License-Identifier: MIT */
/* Why a dump is incomplete, in words. For offline code; pure; any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "dump/dump_reader.h"

enum { COMPLETENESS_TEXT_SIZE = 240 };

/* Writes the next reason why the dump is incomplete: a sentence without its full stop,
 * with a count. *at must be 0 for the first call. Returns false after the last
 * reason. */
bool completeness_next(const struct dump_reader *reader, size_t *at,
                       char text[COMPLETENESS_TEXT_SIZE]);

static inline bool completeness_holds(const struct dump_reader *reader) {
    char text[COMPLETENESS_TEXT_SIZE];
    size_t at = 0;
    return !completeness_next(reader, &at, text);
}
