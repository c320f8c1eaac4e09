/* SPDX-License-Identifier: MIT */
/* How frames are printed for people: `function  file:line`. For offline code; one
 * thread; write errors stay in the stream. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output/terminal.h"
#include "profile/profile.h"

/* Describes a stack without frames, which the standard library shows as `<unknown>`. */
struct dump_text frame_text_unknown(const struct profile *profile);

/* The file of a frame; frame_text_unknown if the stack has no frames. */
struct dump_text frame_text_file(const struct profile *profile, struct frame frame);

/* The function of a stack's most recent frame; for unnamed native code its module's
 * file; frame_text_unknown if the stack has no frames. */
struct dump_text frame_text_function(const struct profile *profile, uint32_t stack);

/* Prints a stack's most recent frame, on a terminal in `width` columns: a long location
 * loses its start. The line is printed only if it is certain. Returns the columns
 * taken. */
size_t frame_text_put(const struct terminal *terminal, const struct profile *profile,
                      uint32_t stack, bool has_line, size_t width);
