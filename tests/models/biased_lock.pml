/* SPDX-License-Identifier: MIT */
/* base/biased_lock.h: the favoured thread marks the lock as held by a plain store, and
 * its own stores are the ones that are late; the other thread makes the kernel order
 * them. Whoever holds the lock counts: no count may be lost, and no two may hold it.
 *
 * Mutants: NO_MEMBARRIER NO_RELEASE NO_REVOCATION */
#define PLACES 4
#define STORES 8
#include "weak.inc"

#define HELD 0
#define REVOKED 1
#define LOCK 2
#define DATA 3

#ifdef NO_RELEASE
#define ORDER 0
#else
#define ORDER 1
#endif
#define ROUNDS 2

byte counted;          /* by both */
byte inside;           /* holders */

/* The thread's own load of what it stored last. */
inline load_data(into) {
    atomic {
        into = memory[DATA];
        at = 0;
        do
        :: at < pending ->
            if
            :: place[at] == DATA -> into = value[at]
            :: else
            fi;
            at++
        :: else -> break
        od;
        at = 0
    }
}

active proctype favoured() {
    byte round, data, at;
    bool revoked, early;
    do
    :: round < ROUNDS ->
        /* A load may come early: it waits for no store and no other load. */
        if
        :: load_data(data); early = 1
        :: early = 0
        fi;
        store(HELD, 1, 0);
        revoked = memory[REVOKED];
        if
        :: !revoked ->
            inside++;
            assert(inside == 1);
            if
            :: early
            :: !early -> load_data(data)
            fi;
            store(DATA, data + 1, 0);
            inside--;
            store(HELD, 0, ORDER)
        :: else ->
            store(HELD, 0, ORDER);
            atomic { memory[LOCK] == 0 -> memory[LOCK] = 1 };
            inside++;
            assert(inside == 1);
            load_data(data);
            store(DATA, data + 1, 0);
            inside--;
            /* Bias it again, at once here. */
            store(REVOKED, 0, 1);
            store(LOCK, 0, 1)
        fi;
        counted++;
        round++
    :: else -> break
    od;
    fence
}

active proctype other() {
    byte round;
    do
    :: round < ROUNDS ->
        atomic { memory[LOCK] == 0 -> memory[LOCK] = 1 };
        if
        :: memory[REVOKED] == 0 ->
#ifndef NO_REVOCATION
            memory[REVOKED] = 1;
#endif
#ifndef NO_MEMBARRIER
            fence;
#endif
            memory[HELD] == 0
        :: else
        fi;
        inside++;
        assert(inside == 1);
        memory[DATA] = memory[DATA] + 1;
        inside--;
        memory[LOCK] = 0;
        counted++;
        round++
    :: else -> break
    od
}

active proctype end_of_both() {
    counted == 2 * ROUNDS && pending == 0;
    assert(memory[DATA] == counted)
}
