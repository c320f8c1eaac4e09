/* SPDX-License-Identifier: MIT */
/* The executable or shared object that an address of code belongs to, as the loader has
 * mapped it.
 *
 * Asked of glibc (_dl_find_object, since 2.35), which answers without a lock: the
 * loader's own is held by whoever runs dlopen, and that one may be waiting for the
 * tracer's. Any thread, also inside a hook; no memory. What is found may be read as
 * long as code of the object is running.
 */
#pragma once

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct native_object {
    uintptr_t start;             /* of what is mapped; where its ELF header is */
    uintptr_t end;               /* the byte behind it */
    uintptr_t bias;              /* address in memory less ELF virtual address */
    const char *name;            /* as the loader knows it: empty for the program */
    const unsigned char *header; /* .eh_frame_hdr, or NULL */
    const void *dynamic;         /* its dynamic section */
};

/* Outside hooks, the first time from the constructor: asks the dynamic linker for its
 * function, and which objects the program began with: those are never unloaded. Later
 * calls only answer the same. 0, or -ENOSYS. */
int native_object_prepare(void);
bool native_object_is_permanent(const struct native_object *object);

/* 0, or -ENOENT: no code of a file. */
must_check int native_object_find(uintptr_t address, struct native_object *out);

/* The object that dl_iterate_phdr reports; without its `header`. */
void native_object_describe(const struct dl_phdr_info *info, struct native_object *out);

/* Its program headers; NULL and 0 where they are not in front of the file. */
const ElfW(Phdr) *
    native_object_segments(const struct native_object *object, size_t *count);

/* From the lowest address of its code to the byte behind the highest one; all of it
 * without program headers. */
void native_object_code(const struct native_object *object, uintptr_t *start,
                        uintptr_t *end);

/* The bytes of its build-id, NULL and 0 where it has none. */
const unsigned char *native_object_build_id(const struct native_object *object,
                                            size_t *length);

/* A defined dynamic symbol by its name and the name's hash_symbol(). 0 with address and
 * size; -ENOENT. */
struct native_symbol {
    uintptr_t address;
    size_t size;
};
must_check int native_object_symbol(const struct native_object *object,
                                    const char *name, uint32_t hash,
                                    struct native_symbol *out);
