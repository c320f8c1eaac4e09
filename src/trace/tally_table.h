/* SPDX-License-Identifier: MIT */
/* Tallies of the dump: the sum of what one stack ever allocated in one domain.
 *
 * Under the tracer's lock, or with one thread. Tally 0 is no tally. A tally lives as
 * long as its stack; then its sum goes to the nearest caller that stays.
 */
#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "base/id_set.h"
#include "dump/dump_file.h"

/* Begins the table of a new dump, with the tallies of the overflow. 0, or -errno. */
must_check int tally_table_open(struct dump_file *file);
void tally_table_close(void);

/* The tally of a stack in a domain, new where there was none; 0 without room. */
uint32_t tally_table_find(uint32_t stack, uint32_t domain);

/* These stacks go: the parent of each is one that stays. No site of theirs holds
 * anything, nor has it a sum of its own. `ids`, an empty set with a limit of as many
 * tallies as there are, is taken over. */
void tally_table_recycle(const struct id_set *stacks, struct id_set *ids);
