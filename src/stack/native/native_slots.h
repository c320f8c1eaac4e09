/* SPDX-License-Identifier: MIT */
/* The slots of a loaded object: the words by which its code reaches functions and data
 * of others (its global offset table), and those of its data that hold an address of
 * such.
 *
 * Nothing is allocated. Any thread, as long as the object stays loaded; slots may only
 * be set outside hooks.
 */
#pragma once

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "stack/native/native_object.h"

struct native_slots {
    uintptr_t bias, start, end;         /* as of the object */
    uintptr_t read_only, read_only_end; /* pages that the loader made so (RELRO) */
    const uint32_t *hash;               /* DT_GNU_HASH */
    const ElfW(Sym) * symbols;          /* NULL: the object has no slots */
    const char *names;
    const ElfW(Rela) * entries[2]; /* of calls, and of other addresses */
    size_t counts[2];
};

void native_slots_describe(const struct native_object *object,
                           const ElfW(Phdr) * segments, size_t count,
                           struct native_slots *out);

struct native_slot {
    void **place;
    const char *name;  /* of the symbol */
    bool is_call;      /* for calls alone: it may be bound at the first */
    bool is_data;      /* a word of the program's data, which it may change itself */
    bool is_undefined; /* the object does not define the symbol itself */
};

/* Where the next call goes on; both 0 to begin with. */
struct native_slots_at {
    size_t table, entry;
};

/* The next slot that holds the plain address of a symbol; false after the last one. */
bool native_slots_next(const struct native_slots *slots, struct native_slots_at *at,
                       struct native_slot *out);

/* Makes a slot lead to `to`, by one store; its page is writable meanwhile. 0; else what
 * mprotect says. */
must_check int native_slots_set(const struct native_slots *slots, void **place,
                                void *to);
