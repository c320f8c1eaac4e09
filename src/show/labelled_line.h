/* SPDX-License-Identifier: MIT */
/* Prints lines of a label and a text. For offline code; allocates; one thread; write
 * errors stay in the stream. */
#pragma once

#include <stddef.h>

#include "output/terminal.h"
#include "profile/profile.h"

/* The text begins at column `columns`. If there is no memory, nothing is printed. */
void labelled_line_print(const struct terminal *terminal, size_t columns,
                         const char *label, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

enum { LABELLED_LINE_WEIGHT_SIZE = 112 };

/* Writes `12.3 KiB in 4 blocks`, of an estimate `12.3 KiB ±3% in 4 blocks`. */
void labelled_line_format_weight(char text[LABELLED_LINE_WEIGHT_SIZE],
                                 struct weight weight);
