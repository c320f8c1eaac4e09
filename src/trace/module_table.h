/* SPDX-License-Identifier: MIT */
/* The modules of the dump that native frames belong to: each loading of a file, at the
 * place where it was put.
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
    uint64_t start; /* of its code */
    uint64_t end;
};

/* Begins the table of a new dump. 0, or -errno. */
must_check int module_table_open(struct dump_file *file);
void module_table_close(void);

/* A new module. A program may load and unload a few files for ever: the later loadings
 * of one at one place are one module. 0 when there is no room, which the header's
 * `lost` counts, or at the id `most`. */
uint32_t module_table_id(const struct module_location *location, uint32_t max);
