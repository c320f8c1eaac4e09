/* SPDX-License-Identifier: MIT */
#include "collection/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

int array_reserve(void *entries, size_t *capacity, size_t wanted, size_t entry_size) {
    size_t new_capacity = *capacity == 0 ? FIRST_CAPACITY : *capacity;
    void *old, *grown;
    if (wanted <= *capacity)
        return 0;
    while (new_capacity < wanted)
        new_capacity *= 2;
    memcpy(&old, entries, sizeof old);
    grown = reallocarray(old, new_capacity, entry_size);
    if (grown == NULL)
        return -ENOMEM;
    memcpy(entries, &grown, sizeof grown);
    *capacity = new_capacity;
    return 0;
}

int64_t array_append(struct array *array, const void *entries, size_t count) {
    size_t first = array->count, end = first + count;
    /* `entries` must not be NULL even if there are none. */
    size_t wanted = end > 0 ? end : 1;
    if (array_reserve(&array->entries, &array->capacity, wanted, array->entry_size) < 0)
        return -ENOMEM;
    if (count > 0)
        memcpy((char *)array->entries + first * array->entry_size, entries,
               count * array->entry_size);
    array->count = end;
    return (int64_t)first;
}

size_t array_count_up_to(const struct array *array, uint64_t key) {
    size_t low = 0, high = array->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        uint64_t entry_key;
        memcpy(&entry_key, (const char *)array->entries + middle * array->entry_size,
               sizeof entry_key);
        if (entry_key <= key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
