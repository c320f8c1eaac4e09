/* SPDX-License-Identifier: MIT */
/* A table is written, then the flag or the count behind which it is read: the gate and
 * the tables, entries and extents of a section of the dump and their counts, a part of
 * the map of addresses, libc's functions. (trace/gate.h, dump/dump_file.h)
 *
 * Mutants: NO_RELEASE NO_ACQUIRE */
#define PLACES 2
#define STORES 8
#include "weak.inc"

#define TABLE 0
#define COUNT 1

#ifdef NO_RELEASE
#define ORDER 0
#else
#define ORDER 1
#endif

active proctype writer() {
    store(TABLE, 1, 0);
    store(COUNT, 1, ORDER);
    store(TABLE, 2, 0);
    store(COUNT, 2, ORDER)
}

active proctype reader() {
    byte count, entry;
    if
    :: count = memory[COUNT]; entry = memory[TABLE]
#ifdef NO_ACQUIRE
    :: entry = memory[TABLE]; count = memory[COUNT]
#endif
    fi;
    assert(entry >= count)
}
