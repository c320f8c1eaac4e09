/* SPDX-License-Identifier: MIT */
/* trace/address_map.c: entry 2 is taken out of a list, and then put into that of free
 * entries, while another thread searches entry 1, behind it, without the lock. The
 * version says whether to believe that it is not there.
 *
 *   head -> 2 -> 1        then        head -> 1, 2 -> 0
 *
 * Mutants: NO_FENCE_OF_WRITER NO_RELEASE NO_FENCE_OF_READER NO_ACQUIRE */
#define PLACES 3
#define STORES 8
#include "weak.inc"

#define HEAD 0   /* 0: entry 2, 1: entry 1 */
#define NEXT_2 1 /* 0: entry 1, 1: the end */
#define VERSION 2

#ifdef NO_RELEASE
#define ORDER 0
#else
#define ORDER 1
#endif

active proctype writer() {
    store(VERSION, 1, 0);
#ifndef NO_FENCE_OF_WRITER
    fence;
#endif
    store(HEAD, 1, 0);
    store(NEXT_2, 1, 0);
    store(VERSION, 2, ORDER);
    /* And back. */
    store(VERSION, 3, 0);
#ifndef NO_FENCE_OF_WRITER
    fence;
#endif
    store(NEXT_2, 0, 0);
    store(HEAD, 0, 1);
    store(VERSION, 4, ORDER)
}

inline search() {
    found = memory[HEAD];
    if
    :: found
    :: else -> found = !memory[NEXT_2]
    fi
}

active proctype reader() {
    byte before, after;
    bool found;
    if
    :: before = memory[VERSION]; search(); after = memory[VERSION]
#ifdef NO_FENCE_OF_READER
    :: before = memory[VERSION]; after = memory[VERSION]; search()
#endif
#ifdef NO_ACQUIRE
    :: search(); before = memory[VERSION]; after = memory[VERSION]
#endif
    fi;
    assert(found || (before & 1) || before != after)
}
