/* SPDX-License-Identifier: MIT */
/* The dump as the traced process holds it: growing arrays in memory that are at the
 * same time a file.
 *
 * Each section has a range of addresses of its own, of which the first `mapped` bytes
 * are memory, so that base pointers never move. The rest is far from all that the
 * kernel gives out, and is not mapped: it would count for RLIMIT_AS, RLIMIT_MEMLOCK and
 * mlockall(2). If something else is found there, the section cannot grow. A dump begins
 * in anonymous memory; dump_file_attach puts a file under it.
 * dump/dump_fork gives a forked child a copy.
 *
 * All functions run under the tracer's lock, or where there is no second thread, and
 * outside of signal handlers. They allocate nothing by malloc, hold no descriptor open
 * afterwards, and leave errno alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_memory.h"

/* Why dump_file_attach put the file elsewhere, or nowhere: 0 or -errno of the name
 * asked for. */
struct dump_file_place {
    int refused;
};

/* Chooses addresses and makes an empty dump in anonymous memory. 0, or -ENOMEM. */
must_check int dump_file_open(struct dump_file *file, uint64_t max_size);

/* Gives everything back. The file, where there is one, stays as it is. */
void dump_file_close(struct dump_file *file);

/* Whether an address is in the range of the dump. Also in a signal handler. */
bool dump_file_contains(const struct dump_file *file, uintptr_t address);

/* Room for `count` entries of a section. 0, or -errno when it cannot grow: -EFBIG at
 * the size bound, -EDOM at RLIMIT_FSIZE, -ENOSPC, and so on; the header's `growth` says
 * it too. What was there stays. */
must_check int dump_file_reserve(struct dump_file *file, unsigned section,
                                 uint64_t count);

/* Makes the first `count` entries visible to readers, after their contents were
 * written. */
static inline void dump_file_publish(struct dump_file *file, unsigned section,
                                     uint64_t count) {
    __atomic_store_n(&file->header->sections[section].count, count, __ATOMIC_RELEASE);
}

/* Creates a new file of mode 0600 and puts it under the dump. An existing name gets the
 * next free suffix. `fallback`, NULL-terminated, names folders to try when the name's
 * own cannot take it. 0; -errno when there is no place, and the dump goes on in
 * anonymous memory. place->refused says why the first place was not taken. */
must_check int dump_file_attach(struct dump_file *file, const char *name,
                                const char *const *fallback,
                                struct dump_file_place *place);

/* Writes what the dump holds now to a new file of mode 0600, in state SNAPSHOT, ended
 * at `end_time` (nanoseconds since the epoch). 0, or -errno and no file. */
must_check int dump_file_copy(const struct dump_file *file, const char *path,
                              uint64_t end_time);
