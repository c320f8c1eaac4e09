/* SPDX-License-Identifier: MIT */
#include "stack/native/native_memo.h"

#include "base/arena_array.h"

struct native_memo native_memo;

void native_memo_open(void) {
    native_memo_close();
}

void native_memo_close(void) {
    arena_array_release(&native_memo.entries, &native_memo.count,
                        sizeof *native_memo.entries);
}

/* Two frames of Python may have the same node: the first one to be met is known. A
 * child is always newer than its parent, but for the one of stacks that found no
 * room. */
void native_memo_add(uint32_t parent, uint64_t key, uint32_t node) {
    if (node <= parent ||
        arena_array_reserve(&native_memo.entries, &native_memo.count,
                            (uint64_t)node + 1, sizeof *native_memo.entries) < 0)
        return;
    struct native_memo_entry *entry = native_memo.entries + node;
    if (entry->key != 0)
        return;
    entry->key = key;
    entry->sibling = native_memo.entries[parent].child;
    native_memo.entries[parent].child = node;
}
