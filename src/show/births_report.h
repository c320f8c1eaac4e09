/* SPDX-License-Identifier: MIT */
/* Says that a report is limited to the blocks of some births (see profile/births.h).
 *
 * For offline code; one thread, since the time zone is asked. Nothing is said of a
 * dump whose blocks are all reported.
 */
#pragma once

#include <stdbool.h>

#include "dump/dump_reader.h"
#include "output/json_writer.h"
#include "output/terminal.h"

enum { BIRTHS_REPORT_SIZE = 320 };

/* `born between 10:00:02 and 10:05:10 (epochs of 8 s)`, with dates if the dump is of
 * several days, and what is uncertain. False, and no text, if all blocks are
 * reported. */
bool births_report_text(const struct dump_reader *reader,
                        char text[BIRTHS_REPORT_SIZE]);

/* Prints that as a line. `name` names the dump if there are several, else it is
 * NULL. */
void births_report_print(const struct terminal *terminal,
                         const struct dump_reader *reader, const char *name);

/* Adds the key with an object of `from` and `to`, in seconds since 1970. */
void births_report_add_json(struct json_writer *writer, const char *key,
                            const struct dump_reader *reader);
