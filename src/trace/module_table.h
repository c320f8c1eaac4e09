/* SPDX-License-Identifier: MIT */
/* The modules of the dump, which native frames refer to: one for each load of a file,
 * with its addresses.
 *
 * Under the tracer's lock, or with one thread. Module 0 is code that belongs to no
 * file.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_file.h"

struct module_location {
    const char *path;
    size_t path_length;
    const unsigned char *build_id;
    size_t build_id_length; /* bytes */
    uint64_t load_bias;
    uint64_t start; /* first address of its code */
    uint64_t end;   /* behind its code */
};

/* Begins the table of a new dump. 0, or -errno. */
must_check int module_table_open(struct dump_file *file);
void module_table_close(void);

/* Adds a module, whose id is less than `max`. A program may load and unload the same
 * files for ever, so after MAX_LOADS loads of a file at one address all later ones
 * share a module. 0 if the dump is full or the next id is `max`; the header's `lost`
 * counts that. */
uint32_t module_table_id(const struct module_location *location, uint32_t max);
