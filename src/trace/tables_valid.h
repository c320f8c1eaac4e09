/* SPDX-License-Identifier: MIT */
/* Whether the tables agree with each other and with the header, for developer builds.
 *
 *
 *   stacks    a parent's id is less than its child's
 *   sites     the domain exists
 *   buckets   the site exists; the sums of live * size are the header's bytes, and at
 *             the peak the header's peak
 *   slots     the bucket exists and has live blocks; there are at most as many slots
 *             as live blocks, for mappings, tracked blocks and blocks between
 *             live_block_take and put_back have none
 *
 * Under the tracer's lock, or with one thread. Reads all stacks, sites, buckets, slots.
 */
#pragma once

#include <stdbool.h>

#include "dump/dump_file.h"

bool tables_are_valid(const struct dump_file *dump);
