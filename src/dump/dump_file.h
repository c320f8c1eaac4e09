/* SPDX-License-Identifier: MIT */
/* The dump in the traced process: growing arrays in memory that are also a file.
 *
 * Each section has its own range of addresses, of which the first `mapped` bytes are
 * memory, so that base pointers never move. The rest of the range is not mapped,
 * because it would count towards RLIMIT_AS, RLIMIT_MEMLOCK and mlockall(2); it is far
 * from the addresses that the kernel chooses. If something else is mapped there, the
 * section cannot grow. A dump begins in anonymous memory; dump_file_attach moves it to
 * a file. dump/dump_fork gives a forked child a copy.
 *
 * All functions run under the tracer's lock, or while there is only one thread, and
 * never in signal handlers. They do not call malloc, leave no descriptor open, and do
 * not change errno.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "dump/dump_memory.h"

/* Why dump_file_attach did not create the file under the given name: -errno, or 0 if it
 * did. */
struct dump_file_place {
    int refused;
};

/* Chooses addresses and creates an empty dump in anonymous memory. 0 or -ENOMEM. */
must_check int dump_file_open(struct dump_file *file, uint64_t max_size);

/* Unmaps the dump. The file, if there is one, is unchanged. */
void dump_file_close(struct dump_file *file);

/* Whether an address is in the memory of the dump. Safe in signal handlers. */
bool dump_file_contains(const struct dump_file *file, uintptr_t address);

/* Makes room for `count` entries of a section. 0; or, with existing entries unchanged
 * and the reason in the header's `growth`, -errno: -EFBIG at max_size, -EDOM at
 * RLIMIT_FSIZE, -ENOSPC and so on. */
must_check int dump_file_reserve(struct dump_file *file, unsigned section,
                                 uint64_t count);

/* Makes the first `count` entries visible to readers. Their contents must have been
 * written. */
static inline void dump_file_publish(struct dump_file *file, unsigned section,
                                     uint64_t count) {
    __atomic_store_n(&file->header->sections[section].count, count, __ATOMIC_RELEASE);
}

/* Creates a file with mode 0600 and moves the dump to it. If the name exists, the next
 * free suffix is added. `fallback`, NULL-terminated, lists directories to try if the
 * name's own cannot be used. 0; or -errno, and the dump stays in anonymous memory.
 * place->refused is set to the error of the first attempt. */
must_check int dump_file_attach(struct dump_file *file, const char *name,
                                const char *const *fallback,
                                struct dump_file_place *place);
