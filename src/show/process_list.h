/* SPDX-License-Identifier: MIT */
/* The processes of a dump: one, or those that were merged into it.
 *
 * For offline code; allocates; one thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "output/json_writer.h"
#include "profile/profile.h"

/* What one process holds in a profile. */
struct process_share {
    uint32_t process; /* index in the dump */
    struct weight weight;
};

/* Returns an array of all processes of the profile's dump, largest first. The caller
 * frees it; NULL if there is no memory. */
struct process_share *process_list_shares(const struct profile *profile);

/* Sets the sites of all other processes to zero and updates the total. */
void process_list_keep(struct profile *profile, uint32_t process);

/* Whether the process changed its title, and whether it changed its comm. The kernel
 * sets the comm to the base name of the executable, of a link to it or of a script. */
bool process_list_is_renamed(const struct dump_reader *reader, uint32_t process);
bool process_list_has_comm(const struct dump_reader *reader, uint32_t process);

/* The position of the process among those of its run (see tracemalloc-run(1)), ordered
 * by start and counted from 1; 0 if it is the only one or belongs to no run. */
uint32_t process_list_number(const struct dump_reader *reader, uint32_t process);

/* Returns `4242: python3 app.py`; or, with its number in the run and the comm and title
 * that it gave itself, `4242: [2] [worker] app: idle, started as python3 app.py`. The
 * caller frees it; NULL if there is no memory. */
char *process_list_title(const struct dump_reader *reader, uint32_t process);

/* Adds the keys `title`, `comm` and `number_in_run`, each null if unknown. */
void process_list_add_names(struct json_writer *writer,
                            const struct dump_reader *reader, uint32_t process);

/* Adds keys to the open map: `pid`, `ppid`, `argv`, those of process_list_add_names and
 * `state`. */
void process_list_add_json(struct json_writer *writer, const struct dump_reader *reader,
                           uint32_t process);
