/* SPDX-License-Identifier: MIT */
/* The id of the container in which a process runs, as OpenTelemetry's attribute
 * container.id has it. For offline code; one thread; allocates nothing. */
#pragma once

#include <stddef.h>

#include "dump/dump_reader.h"

enum { CONTAINER_ID_SIZE = 64 + 1 };

/* Finds it for the process of a dump: from /proc while that runs, afterwards if the
 * process counted in this command's PID namespace, this command's own. Empty if there
 * is none, or it is not known. */
void container_id_find(char id[CONTAINER_ID_SIZE],
                       const struct tracemalloc_dump_header *header);

/* The id that all of these dumps have; else empty. */
void container_id_find_common(char id[CONTAINER_ID_SIZE],
                              struct dump_reader *const *dumps, size_t count);

/* Finds it in a line of /proc/PID/cgroup or /proc/PID/mountinfo: 64 hexadecimal digits
 * that are no part of a longer word. Empty if there is none. */
void container_id_parse(char id[CONTAINER_ID_SIZE], const char *line);
