/* SPDX-License-Identifier: MIT */
/* Whether the blocks of a history leak.
 *
 * A block that was born long before and lives says little by itself: a cache holds
 * such blocks too. What tells is how blocks of its kind die. Their survival over age
 * (the estimate of Kaplan and Meier) falls to nothing for a cache, when its first
 * blocks are replaced; where some leak, it falls and then stays. So the survivors that
 * count are those at least twice as old as any that died, and what they are judged by
 * is when they were born: to the end, and not at the beginning only.
 *
 *   born   ....|.|.||.|.|.|...|.|.|.|.|..|.|.|........
 *          start                        ^ twice the age of the last death   now
 *
 * A container that grows by a larger table is one young block, and a queue that grows
 * loses all of its blocks: for these the bytes that rose decide.
 */
#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "leak/leak_history.h"

enum leak_word {
    LEAK_NONE,
    LEAK_WATCH,   /* grows; may be a cache that is not full, or too few were seen */
    LEAK_BACKLOG, /* all blocks are freed, at an age that rises */
    LEAK_LEAK,
};

struct leak_judgement {
    enum leak_word word;
    bool is_one_block; /* a block that grows */
    bool slows;        /* fewer and fewer survive */
    double bytes_rate; /* a second */
    double sure_rate;  /* the same, at least: what few samples leave in doubt is less */
    double blocks_rate; /* a second; 0 for one block */
    int last_death;     /* the class of age of the last deaths; -1: none died late */
    unsigned age;       /* epochs: from here on blocks are not known to die */
    unsigned first;     /* epoch in which the growth began */
    unsigned end;       /* behind the last epoch whose survivors count */
    unsigned events;    /* epochs in which survivors were born */
    uint64_t survivors; /* blocks */
};

/* Judges a history. `line`: that of all blocks of the same line, or NULL: what
 * comes from one caller is no growth if as much goes that came from another. */
struct leak_judgement leak_judge(const struct leak_history *history,
                                 const struct leak_time *time,
                                 const struct leak_history *line);

/* The blocks that count as survivors. */
uint64_t leak_judge_survivors(const struct leak_judgement *judgement,
                              const struct leak_history *history);
