/* SPDX-License-Identifier: MIT */
/* The names of where a dump comes from, for which the user's attributes go before what
 * is found out. For offline code; one thread. */
#pragma once

#include <limits.h>
#include <stdint.h>

#include "export/export_input.h"

enum { SOURCE_NAMES_SIZE = 2 * NAME_MAX };

/* service.name; by default `unknown_service:EXECUTABLE`, as OpenTelemetry has it. Cut
 * to the size. */
void source_names_service(const struct export_input *input, uint32_t process,
                          char name[SOURCE_NAMES_SIZE]);

/* host.name; by default this machine's if the dump was written in its present boot,
 * since a dump does not name its machine. Empty if it is not known. */
void source_names_host(const struct export_input *input, char name[SOURCE_NAMES_SIZE]);

/* The last part of a path. */
struct dump_text source_names_base(struct dump_text path);
