/* SPDX-License-Identifier: MIT */
#include "trace/python_arenas.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena_array.h"

struct range {
    uintptr_t start, end;
};

/* Sorted by address; no two touch. */
static struct range *ranges;
static size_t count;
static uint32_t capacity;
static uint64_t bytes;

/* The index of the first range that ends at the address or after it. */
static size_t first_ending_at(uintptr_t address) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges[middle].end < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool insert_at(size_t index, uintptr_t start, uintptr_t end) {
    if (arena_array_reserve(&ranges, &capacity, count + 1, sizeof *ranges) < 0)
        return false;
    memmove(ranges + index + 1, ranges + index, (count - index) * sizeof *ranges);
    ranges[index] = (struct range){start, end};
    count++;
    return true;
}

static void erase(size_t first, size_t end) {
    memmove(ranges + first, ranges + end, (count - end) * sizeof *ranges);
    count -= end - first;
}

void python_arenas_remove(struct event_guard guard, uintptr_t start, size_t length) {
    uintptr_t end = start + length;
    size_t index = first_ending_at(start);
    event_guard_check(guard);
    while (index < count && ranges[index].start < end) {
        struct range *range = &ranges[index];
        struct range old = *range;
        uintptr_t first = old.start > start ? old.start : start;
        uintptr_t last = old.end < end ? old.end : end;
        bytes -= last > first ? last - first : 0;
        if (old.start >= start && old.end <= end) {
            erase(index, index + 1);
            continue;
        }
        if (old.start < start)
            range->end = first;
        else
            range->start = last;
        if (old.start < start && old.end > end && !insert_at(index + 1, end, old.end))
            bytes -= old.end - end;
        index++;
    }
}

void python_arenas_add(struct event_guard guard, uintptr_t start, size_t length) {
    uintptr_t end = start + length;
    python_arenas_remove(guard, start, length);
    size_t index = first_ending_at(start);
    bool follows = index < count && ranges[index].end == start;
    size_t next = index + (follows ? 1 : 0);
    bool precedes = next < count && ranges[next].start == end;
    if (follows && precedes) {
        ranges[index].end = ranges[next].end;
        erase(next, next + 1);
    } else if (follows) {
        ranges[index].end = end;
    } else if (precedes) {
        ranges[next].start = start;
    } else if (!insert_at(index, start, end)) {
        return;
    }
    bytes += length;
}

uint64_t python_arenas_bytes(void) {
    return bytes;
}

void python_arenas_clear(void) {
    count = 0;
    bytes = 0;
}
