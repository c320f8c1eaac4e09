/* SPDX-License-Identifier: MIT */
/* The processes that a dump is of: one, or those that were merged into it.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "output/json_writer.h"
#include "profile/profile.h"

/* One process with what it holds in a profile. */
struct process_share {
    uint32_t process; /* index in the dump */
    struct weight weight;
};

/* The processes of a profile's dump, the one that holds most first: as many as the dump
 * has, to be freed, or NULL when there is no memory. */
struct process_share *process_list_shares(const struct profile *profile);

/* Empties the tallies of all other processes, and adds up again. */
void process_list_keep(struct profile *profile, uint32_t process);

/* `4242: python3 app.py`, to be freed, or NULL when there is no memory. */
char *process_list_title(const struct dump_reader *reader, uint32_t process);

/* The keys `pid`, `ppid`, `argv` and `state` of a process, in the map that is open. */
void process_list_add_json(struct json_writer *writer, const struct dump_reader *reader,
                           uint32_t process);
