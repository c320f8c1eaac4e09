/* SPDX-License-Identifier: MIT */
/* The processes that a dump is of: one, or those that were merged into it.
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

/* One process with what it holds in a profile. */
struct process_share {
    uint32_t process; /* index in the dump */
    struct weight weight;
};

/* The processes of a profile's dump, the one that holds most first: as many as the dump
 * has, to be freed, or NULL when there is no memory. */
struct process_share *process_list_shares(const struct profile *profile);

/* Empties the sites of all other processes, and adds up again. */
void process_list_keep(struct profile *profile, uint32_t process);

/* Whether the title is another text than the arguments, and whether comm is another
 * name than those that the kernel gives: the last part of the path of the executable,
 * of a link to it or of a script. */
bool process_list_is_renamed(const struct dump_reader *reader, uint32_t process);
bool process_list_has_comm(const struct dump_reader *reader, uint32_t process);

/* The process's place among those of its run (see tracemalloc-run(1)) in the dump, by
 * their start, from 1; 0 where it is the only one, or of no run. */
uint32_t process_list_number(const struct dump_reader *reader, uint32_t process);

/* `4242: python3 app.py`, to be freed, or NULL when there is no memory. With what else
 * the process is called, as in `4242: [2] [worker] app: idle, started as python3
 * app.py`: its number in the run, its comm and its title where they are its own. */
char *process_list_title(const struct dump_reader *reader, uint32_t process);

/* The keys `title`, `comm` and `number_in_run`, each null where it is not known. */
void process_list_add_names(struct json_writer *writer,
                            const struct dump_reader *reader, uint32_t process);

/* The keys `pid`, `ppid`, `argv`, those of process_list_add_names and `state` of a
 * process, in the map that is open. */
void process_list_add_json(struct json_writer *writer, const struct dump_reader *reader,
                           uint32_t process);
