/* SPDX-License-Identifier: MIT */
/* Reads memory of this process that may not be mapped: the kernel copies it, and fails
 * where the process itself would be killed.
 *
 * Any thread, also in a signal handler; allocates nothing; errno is unchanged. The
 * caller closes it before it returns to the program: the library keeps no descriptor.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct own_memory {
    int fd; /* of /proc/self/mem; -1: by process_vm_readv */
    int pid;
};

/* 0; or -errno if the process may not read itself in either way. */
must_check int own_memory_open(struct own_memory *memory);
void own_memory_close(struct own_memory *memory);

/* Copies from an address. Returns the bytes copied, fewer than `size` where memory that
 * cannot be read begins. */
size_t own_memory_read(const struct own_memory *memory, uintptr_t address, void *out,
                       size_t size);
