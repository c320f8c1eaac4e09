/* SPDX-License-Identifier: MIT */
#include "stack/native/native_redirect.h"

#include <errno.h>
#include <string.h>

#include "stack/native/native_slots.h"

int native_redirect(const void *inside, const char *name, void *to, void **before) {
    struct native_object object;
    struct native_slots slots;
    struct native_slots_at at = {0};
    struct native_slot slot;
    size_t count;
    if (native_object_find((uintptr_t)inside, &object) < 0)
        return -ENOENT;
    const ElfW(Phdr) *segments = native_object_segments(&object, &count);
    native_slots_describe(&object, segments, count, &slots);
    while (native_slots_next(&slots, &at, &slot)) {
        if (slot.is_data || strcmp(slot.name, name) != 0)
            continue;
        *before = *slot.place;
        return native_slots_set(&slots, slot.place, to);
    }
    return -ENOENT;
}
