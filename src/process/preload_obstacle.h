/* SPDX-License-Identifier: MIT */
/* Whether the library can be loaded into a program that is about to be executed. A
 * guess by the program's file: the program decides what it executes itself. One thread;
 * reads files. */
#pragma once

#include <stdbool.h>

enum preload_obstacle {
    PRELOAD_WORKS, /* or nothing is known of the program */
    PRELOAD_STATIC,
    PRELOAD_PRIVILEGED, /* setuid, setgid or with capabilities: the loader ignores us */
    PRELOAD_32_BIT,
    PRELOAD_OTHER_MACHINE,
    PRELOAD_MUSL,
};

/* Of the program that execvp(3) would find. Of a script, its interpreter counts; of
 * env(1), what it starts. */
enum preload_obstacle preload_obstacle_find(const char *program);

/* What the program is, to follow its name: "is a static executable". */
const char *preload_obstacle_text(enum preload_obstacle obstacle);

/* Whether programs that this one starts may still be traced: its own loader takes no
 * offence at the library. */
bool preload_obstacle_is_inherited(enum preload_obstacle obstacle);
