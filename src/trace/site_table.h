/* SPDX-License-Identifier: MIT */
/* Sites of the dump: the sum of what one stack ever allocated in one domain.
 *
 * Under the tracer's lock, or with one thread. Site 0 is no site. A site lives as
 * long as its stack; then its sum goes to the nearest caller that stays.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "base/id_set.h"
#include "dump/dump_file.h"

/* Begins the table of a new dump, with the sites of the overflow. 0, or -errno. */
must_check int site_table_open(struct dump_file *file);
void site_table_close(void);

/* The site of a stack in a domain, new where there was none; 0 without room. */
uint32_t site_table_find(uint32_t stack, uint32_t domain);

/* These stacks go: the parent of each is one that stays. No bucket of theirs holds
 * anything, nor has it a sum of its own. `ids`, an empty set with a limit of as many
 * sites as there are, is taken over. */
void site_table_reclaim(const struct id_set *stacks, struct id_set *ids);
