/* SPDX-License-Identifier: MIT */
/* Prints what `leaks` found as JSON. For offline code; one thread at a time. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/compiler.h"
#include "leak/leak_report.h"
#include "output/json_writer.h"
#include "show/leaks_document.h"

/* Adds one entry, as a value. */
void leaks_json_add_entry(struct json_writer *writer, const struct leak_report *report,
                          const struct frame_names *names,
                          const struct leak_entry *entry);

/* 0, -ENOMEM, -EIO. */
must_check int leaks_json_print(FILE *out, const struct leaks_document *document);
