/* SPDX-License-Identifier: MIT */
/* What `info` and `watch` say of a dump's process to programs: keys of the open map.
 * For offline code; one thread at a time. */
#pragma once

#include "dump/dump_reader.h"
#include "output/json_writer.h"

/* Adds `pid`, `ppid`, `argv`, `title`, `comm`, `number_in_run`, `implementation`,
 * `python_version` and `nframe`. */
void dump_json_add_program(struct json_writer *writer,
                           const struct dump_reader *reader);

/* Adds `state`, `exit_status`, `signal`, `oom_killed`, `start_time`, `end_time`,
 * `loaded_late` and `census_time`. */
void dump_json_add_ending(struct json_writer *writer, const struct dump_reader *reader);
