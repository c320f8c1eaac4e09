/* SPDX-License-Identifier: MIT */
#include "report/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 64 };

static int grow(struct array *array, size_t wanted) {
    size_t room = array->room == 0 ? FIRST_ROOM : array->room;
    while (room < wanted)
        room *= 2;
    void *entries = reallocarray(array->entries, room, array->entry_size);
    if (entries == NULL)
        return -ENOMEM;
    array->entries = entries;
    array->room = room;
    return 0;
}

int64_t array_append(struct array *array, const void *entries, size_t count) {
    size_t first = array->count, end = first + count;
    if ((end > array->room || array->room == 0) && grow(array, end) < 0)
        return -ENOMEM;
    if (count > 0)
        memcpy((char *)array->entries + first * array->entry_size, entries,
               count * array->entry_size);
    array->count = end;
    return (int64_t)first;
}
