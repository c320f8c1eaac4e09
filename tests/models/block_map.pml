/* SPDX-License-Identifier: MIT */
/* trace/block_map.c: the table of chunks grows from two positions to four while others
 * search it without a lock; then a chunk is added to the table that they search.
 *
 *   old    1: key 3                     mask 1
 *   new    1: taken   2: key 2, later   3: key 3     mask 3
 *
 * A reader of a block in chunk 3 must find its slots or take the slow path; one whose
 * block is in no chunk must not find half of one. Neither may read beyond a table.
 *
 * Mutants: FREE_HOME MASK_WITHOUT_RELEASE KEY_WITHOUT_RELEASE MASK_WITHOUT_ACQUIRE
 * KEY_WITHOUT_ACQUIRE */
#define PLACES 7
#define STORES 8
#include "weak.inc"

#define CHUNKS 0 /* 0: the old table, 1: the new one */
#define MASK 1
#define KEY_1 2
#define KEY_2 3
#define KEY_3 4
#define SLOTS_2 5
#define SLOTS_3 6
#define NO_KEY 9

#define old_mask 1
#define new_mask 3

active proctype writer() {
    store(SLOTS_3, 7, 0);
#ifdef KEY_WITHOUT_RELEASE
    store(KEY_3, 3, 0);
#else
    store(KEY_3, 3, 1);
#endif
#ifndef FREE_HOME
    store(KEY_1, NO_KEY, 0);
#endif
    store(CHUNKS, 1, 1);
#ifdef MASK_WITHOUT_RELEASE
    store(MASK, new_mask - old_mask, 0);
#else
    store(MASK, new_mask - old_mask, 1);
#endif
    store(SLOTS_2, 6, 0);
#ifdef KEY_WITHOUT_RELEASE
    store(KEY_2, 2, 0)
#else
    store(KEY_2, 2, 1)
#endif
}

/* The mask, then the table. */
inline load_table() {
    if
    :: mask = memory[MASK] + old_mask; chunks = memory[CHUNKS]
#ifdef MASK_WITHOUT_ACQUIRE
    :: chunks = memory[CHUNKS]; mask = memory[MASK] + old_mask
#endif
    fi;
    assert(chunks == 1 || mask == old_mask)
}

#define position(key) (key & mask)

/* What the position holds. */
inline load_position(key) {
    if
    :: chunks == 0 -> found = (position(key) == 1 -> 3 : 0); slots = 7
    :: else ->
        if
        :: position(key) == 1 -> found = memory[KEY_1]; slots = 0
        :: position(key) == 2 -> load_pair(KEY_2, SLOTS_2)
        :: position(key) == 3 -> load_pair(KEY_3, SLOTS_3)
        :: else -> found = NO_KEY; slots = 0
        fi
    fi
}

inline load_pair(key_at, slots_at) {
    if
    :: found = memory[key_at]; slots = memory[slots_at]
#ifdef KEY_WITHOUT_ACQUIRE
    :: slots = memory[slots_at]; found = memory[key_at]
#endif
    fi
}

active proctype owner_of_a_block() {
    byte mask, chunks, found, slots;
    load_table();
    load_position(3);
    if
    :: found == 3 -> assert(slots == 7)
    :: else ->
        /* block_map_is_absent */
        load_table();
        load_position(3);
        assert(found != 0)
    fi
}

active proctype owner_of_none() {
    byte mask, chunks, found, slots;
    load_table();
    load_position(2);
    if
    :: found == 2 -> assert(slots == 6)
    :: else
    fi
}
