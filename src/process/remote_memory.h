/* SPDX-License-Identifier: MIT */
/* The memory of another process: its mappings, and what its loaded objects define.
 *
 * Offline code, one thread. Everything is read from the memory itself, as the files may
 * be another namespace's, or replaced since. Answers are old when they arrive.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

/* 0, or -errno: -EPERM as for ptrace, -ESRCH, -EFAULT. All bytes or none count. */
must_check int remote_memory_read(pid_t pid, uint64_t address, void *out, size_t size);
must_check int remote_memory_write(pid_t pid, uint64_t address, const void *bytes,
                                   size_t size);

struct remote_mapping {
    uint64_t start;
    uint64_t end;
    uint64_t offset;
    bool is_code;
    char *path; /* empty: no file */
};

struct remote_mappings {
    struct remote_mapping *all;
    size_t count;
    size_t capacity;
};

/* 0 or -errno. To be freed also after an error. */
must_check int remote_mappings_read(pid_t pid, struct remote_mappings *out);
void remote_mappings_free(struct remote_mappings *mappings);
/* NULL: nothing is mapped there. */
const struct remote_mapping *remote_mappings_at(const struct remote_mappings *mappings,
                                                uint64_t address);
/* The file's first mapping, where its ELF header is. The path's last component begins
 * with `name`; NULL: no such file. */
const struct remote_mapping *
remote_mappings_file(const struct remote_mappings *mappings, const char *name);

/* The address of a symbol that the object at `base` defines. 0; -ENOENT; -errno. */
must_check int remote_symbol_find(pid_t pid, uint64_t base, const char *name,
                                  uint64_t *out);
