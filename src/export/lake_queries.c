/* SPDX-License-Identifier: MIT */
#include "export/lake_queries.h"

#include <stddef.h>

const char *const lake_queries_names[LAKE_TABLES] = {
    [LAKE_PROCESSES] = "process_rows",
    [LAKE_SAMPLES] = "sample_rows",
    [LAKE_STACK_IDS] = "stack_ids",
    [LAKE_FRAMES] = "frame_rows",
};

/* Times are nanoseconds since 1970, attributes lists of keys and values. */
const char *const lake_queries_create[] = {
    "CREATE TABLE process_rows (number BIGINT, part BIGINT, id VARCHAR, time BIGINT, "
    "host VARCHAR, container VARCHAR, boot_id VARCHAR, pid BIGINT, ppid BIGINT, "
    "run_id VARCHAR, arguments VARCHAR, title VARCHAR, comm VARCHAR, "
    "executable VARCHAR, implementation VARCHAR, python_version VARCHAR, "
    "version VARCHAR, state VARCHAR, exit_status BIGINT, signal BIGINT, "
    "oom_killed BIGINT, start_time BIGINT, end_time BIGINT, complete BIGINT, "
    "incomplete_reasons VARCHAR, sample_distance BIGINT, live_bytes BIGINT, "
    "live_blocks BIGINT, live_variance DOUBLE, peak_bytes BIGINT, peak_time BIGINT, "
    "rss_bytes BIGINT, memory_limit BIGINT, keys VARCHAR, \"values\" VARCHAR)",
    "CREATE TABLE sample_rows (process BIGINT, stack BIGINT, domain VARCHAR, "
    "block_size BIGINT, live_bytes BIGINT, live_blocks BIGINT, peak_bytes BIGINT, "
    "peak_blocks BIGINT, allocated_bytes BIGINT, allocated_blocks BIGINT, "
    "variance DOUBLE, sampled_blocks BIGINT)",
    "CREATE TABLE stack_ids (number BIGINT, id VARCHAR)",
    "CREATE TABLE frame_rows (stack BIGINT, position BIGINT, file VARCHAR, "
    "\"function\" VARCHAR, line BIGINT, native BIGINT)",
    "CREATE TABLE stack_rows (number BIGINT, id VARCHAR, frames "
    "STRUCT(file VARCHAR, \"function\" VARCHAR, line BIGINT, native BOOLEAN)[])",
    NULL,
};

const char lake_queries_join_stacks[] =
    "INSERT INTO stack_rows SELECT i.number, i.id, list(struct_pack(file := f.file, "
    "\"function\" := f.\"function\", line := f.line, native := f.native = 1) "
    "ORDER BY f.position) FROM stack_ids i JOIN frame_rows f ON f.stack = i.number "
    "GROUP BY i.number, i.id; DELETE FROM stack_ids; DELETE FROM frame_rows";

#define STACKS                                                                         \
    "SELECT id, frames FROM stack_rows WHERE number IN (SELECT s.stack FROM "          \
    "sample_rows s JOIN process_rows p ON p.number = s.process "                       \
    "WHERE p.part = getvariable('part')) ORDER BY id"

/* One stack after the other, so that what many processes have in common is beside each
 * other. Numbers are grouped and sorted, which is faster than with ids. */
#define SAMPLES                                                                        \
    "SELECT p.id AS process, k.id AS stack, s.domain, s.block_size, s.live_bytes, "    \
    "s.live_blocks, s.peak_bytes, s.peak_blocks, s.allocated_bytes, "                  \
    "s.allocated_blocks, s.live_bytes_error, s.sampled_blocks FROM ("                  \
    "SELECT process, stack, domain, block_size, "                                      \
    "sum(live_bytes)::BIGINT AS live_bytes, sum(live_blocks)::BIGINT AS live_blocks, " \
    "sum(peak_bytes)::BIGINT AS peak_bytes, sum(peak_blocks)::BIGINT AS peak_blocks, " \
    "sum(allocated_bytes)::BIGINT AS allocated_bytes, "                                \
    "sum(allocated_blocks)::BIGINT AS allocated_blocks, "                              \
    "round(sqrt(sum(variance)))::BIGINT AS live_bytes_error, "                         \
    "sum(sampled_blocks)::BIGINT AS sampled_blocks FROM sample_rows "                  \
    "GROUP BY ALL) s JOIN process_rows p ON p.number = s.process "                     \
    "JOIN stack_rows k ON k.number = s.stack WHERE p.part = getvariable('part') "      \
    "ORDER BY s.stack, s.domain, s.block_size, s.process"

#define PROCESSES                                                                      \
    "SELECT id, make_timestamp(time // 1000) AS time, host, container, boot_id, pid, " \
    "ppid, run_id, arguments, title, comm, executable, implementation, "               \
    "python_version, version, state, exit_status, signal, oom_killed = 1 AS "          \
    "oom_killed, make_timestamp(start_time // 1000) AS start_time, "                   \
    "make_timestamp(end_time // 1000) AS end_time, complete = 1 AS complete, "         \
    "incomplete_reasons, sample_distance, live_bytes, live_blocks, "                   \
    "round(sqrt(live_variance))::BIGINT AS live_bytes_error, peak_bytes, "             \
    "make_timestamp(peak_time // 1000) AS peak_time, rss_bytes, memory_limit, "        \
    "map(string_split(keys, chr(31)), string_split(\"values\", chr(31))) "             \
    "AS attributes FROM process_rows WHERE part = getvariable('part') ORDER BY id"

const struct lake_query lake_queries_written[LAKE_QUERIES] = {
    {"stacks", STACKS},
    {"samples", SAMPLES},
    {"processes", PROCESSES},
};

const char lake_queries_forget[] = "DELETE FROM sample_rows; DELETE FROM process_rows";
