/* SPDX-License-Identifier: MIT */
/* Says when a dump's objects were counted by type, and how long the program stood still
 * for it.
 *
 * For offline code; one thread, since the time zone is asked.
 */
#pragma once

#include "dump/dump_reader.h"
#include "output/json_writer.h"
#include "output/terminal.h"

enum { CENSUS_REPORT_SIZE = 200 };

/* `2026-11-28 10:02:03; the program stood still for 210 ms`, and how many blocks were
 * not counted. The dump has a census. */
void census_report_text(const struct dump_reader *reader,
                        char text[CENSUS_REPORT_SIZE]);

/* Prints that as a line, after `Types at`. `name` names the dump if there are several,
 * else it is NULL. */
void census_report_print(const struct terminal *terminal,
                         const struct dump_reader *reader, const char *name);

/* Adds the key with an object of `time`, `duration` (in seconds) and
 * `uncounted_blocks`. */
void census_report_add_json(struct json_writer *writer, const char *key,
                            const struct dump_reader *reader);
