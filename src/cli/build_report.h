/* SPDX-License-Identifier: MIT */
/* Which build wrote a dump, and which one reads it: part of `info`. One thread. */
#pragma once

#include "dump/dump_reader.h"
#include "output/json_writer.h"
#include "output/terminal.h"

/* Prints the lines `library` and `command`, as labelled_line_print. */
void build_report_print(const struct terminal *terminal, size_t columns,
                        const struct dump_reader *reader);

/* Adds the keys `library` and `command` to the open map. */
void build_report_add_json(struct json_writer *writer,
                           const struct dump_reader *reader);
