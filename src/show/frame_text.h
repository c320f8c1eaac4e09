/* SPDX-License-Identifier: MIT */
/* How a frame is named for people: `function  file:line`. For offline code; one thread;
 * write errors stay in the stream. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/terminal.h"
#include "profile/profile.h"

/* In words, what a stack without frames is: `<unknown>` in the standard library. */
struct dump_text frame_text_unknown(const struct profile *profile);

/* The file of a frame, and for one that is not there what stands for it, in words. */
struct dump_text frame_text_file(const struct profile *profile, struct frame frame);

/* The function at a node, or for native code its module's file, or what stands for a
 * frame that is not there. */
struct dump_text frame_text_function(const struct profile *profile, uint32_t stack);

/* Prints function and place in `width` columns on a terminal: of the place, its end.
 * Without a line where that is not certain. Returns the columns taken. */
size_t frame_text_put(const struct terminal *terminal, const struct profile *profile,
                      uint32_t stack, bool has_line, size_t width);
