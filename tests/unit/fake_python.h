/* SPDX-License-Identifier: MIT */
/* Frames and code objects in plain memory, as some versions of CPython have them, for
 * tests of the walk.
 *
 * Each frame lies in a page of its own, which cannot be read while the frame is dead: a
 * walk that touches a freed frame ends the test. A code object is reborn at its old
 * address under a new name. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "stack/python/python_runtime.h"

enum {
    FAKE_FRAMES = 96,
    FAKE_CODES = 12,
    FAKE_STEPS = 8, /* instructions of a code object, each with a line of its own */
    FAKE_THREADS = 2,
};

/* Which structures the frames have. */
enum fake_version {
    FAKE_3_9,  /* frame objects */
    FAKE_3_11, /* through cframe */
    FAKE_3_12, /* through cframe, with shims */
    FAKE_3_14, /* current_frame, tagged pointers to code */
    FAKE_VERSIONS,
};

extern struct python_runtime fake_runtime;

/* All frames are dead and all code objects are young. */
void fake_python_open(enum fake_version version);

/* A frame on top of a thread's stack, at its first instruction; its number. `page` may
 * be -1 for any dead one. */
int fake_push(int thread, int page, int code);
/* A shim of the interpreter, which tracebacks leave out. 3.12 and later. */
int fake_push_shim(int thread);
void fake_pop(int thread);
void fake_step(int frame, int step);
/* Takes the frames from `frame` up to the leaf off the stack; the leaf. */
int fake_suspend(int thread, int frame);
/* Puts them on top of a stack again. */
void fake_resume(int thread, int frame, int leaf);
/* The code object dies, and another one takes its place. */
void fake_rebirth(int code);

int fake_leaf(int thread);  /* -1: none */
int fake_caller(int frame); /* -1: none */
bool fake_is_shim(int frame);
bool fake_is_used(int code);
/* Number of the code object's life and its place: what its name says. */
uint32_t fake_name(int code);
int fake_code(int frame);
uint32_t fake_line(int frame);
uint32_t fake_name_of_text(const char *text, size_t length);
const void *fake_address(int code);
const char *fake_thread(int thread);
