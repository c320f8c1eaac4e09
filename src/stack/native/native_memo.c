/* SPDX-License-Identifier: MIT */
#include "stack/native/native_memo.h"

#include "base/arena.h"

enum { FIRST_NODES = 8192 };

struct native_memo native_memo;

void native_memo_open(void) {
    native_memo_close();
}

void native_memo_close(void) {
    if (native_memo.entries != NULL)
        arena_unmap(native_memo.entries,
                    native_memo.count * sizeof *native_memo.entries);
    native_memo = (struct native_memo){0};
}

static bool make_room(uint32_t node) {
    size_t size = sizeof *native_memo.entries;
    size_t count = native_memo.count == 0 ? FIRST_NODES : native_memo.count;
    while (count <= node)
        count *= 2;
    if (count == native_memo.count)
        return true;
    void *grown =
        native_memo.entries == NULL
            ? arena_map(count * size)
            : arena_grow(native_memo.entries, native_memo.count * size, count * size);
    if (grown == NULL || count > UINT32_MAX)
        return false;
    native_memo.entries = grown;
    native_memo.count = (uint32_t)count;
    return true;
}

/* Two frames of Python may have the same node: the first one to be met is known. A
 * child is always newer than its parent, but for the one of stacks that found no
 * room. */
void native_memo_add(uint32_t parent, uint64_t key, uint32_t node) {
    if (node <= parent || !make_room(node))
        return;
    struct native_memo_entry *entry = native_memo.entries + node;
    if (entry->key != 0)
        return;
    entry->key = key;
    entry->sibling = native_memo.entries[parent].child;
    native_memo.entries[parent].child = node;
}
