/* SPDX-License-Identifier: MIT */
/* The sites of the dump: (stack, domain) with the sum of freed buckets.
 *
 * Under the tracer's lock, or with one thread. Site 0 is no site. A site lives as long
 * as its stack; then its sum is added to the site of the nearest live caller.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "base/id_set.h"
#include "dump/dump_file.h"

/* Begins the table of a new dump, with the sites of the overflow. 0, or -errno. */
must_check int site_table_open(struct dump_file *file);
void site_table_close(void);

/* The site of a stack in a domain; adds a missing one. 0 if the dump is full. */
uint32_t site_table_find(uint32_t stack, uint32_t domain);

/* Frees the sites of these stacks, whose parents are live and whose buckets are all
 * free. `ids` is an empty set whose limit is the number of sites; takes ownership of
 * it. */
void site_table_reclaim(const struct id_set *stacks, struct id_set *ids);
