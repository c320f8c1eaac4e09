/* SPDX-License-Identifier: MIT */
/* Reads CPython's code and str objects at their addresses, by the offsets of a layout.
 * May be called from any hook, on any thread whose frames keep the objects alive: calls
 * no Python API, takes no reference, lock or memory, leaves errno alone, and wants less
 * than 200 bytes of stack. What is found is borrowed: it lives as long as the code. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "stack/python/python_layout.h"
#include "stack/python/python_lines.h"

struct python_code {
    const void *filename; /* str objects, see python_string_utf8() */
    const void *name;     /* qualified where the version has that */
    int first_line;
    int first_traceable; /* in bytes from `bytecode`; 0: all of it */
    const uint8_t *line_table;
    size_t line_table_length;
    const uint8_t *bytecode;
};

/* Returns 0, or -EINVAL when `code` is no object of type `code_type` (&PyCode_Type), or
 * its parts are no str and bytes. `code` must be readable and free of tag bits. */
int python_code_read(const struct python_layout *layout, const void *code_type,
                     const void *code, struct python_code *out);

/* The line of the instruction at `ip`, 0 when it has none. `ip` is the frame's word at
 * `layout->frame_ip`; where that is an int (to 3.10), the int cast to a pointer.
 * `scan`: of an earlier call, as long as the code of that call lives, or all zero. */
int python_code_line(const struct python_layout *layout, const struct python_code *code,
                     const void *ip, struct python_line_scan *scan);

/* Whether a traceback leaves the frame out, as _PyFrame_IsIncomplete() decides: a shim
 * of the interpreter, or not yet at its first RESUME. `owner` is the frame's byte at
 * `layout->frame_owner`, 0 where there is none. With a `code` of NULL only the owner
 * decides: that is to be asked first, since a shim need not have a code object. */
bool python_code_is_incomplete(const struct python_layout *layout,
                               const struct python_code *code, const void *ip,
                               uint8_t owner);

/* Writes the str object as UTF-8, lone surrogates encoded like other code points, at
 * most `size` bytes, whole code points, no final NUL. Returns the length written, or
 * -EINVAL when `string` is no str. `*truncated`, unless NULL, says if all of it fitted
 * (false) or not. */
ssize_t python_string_utf8(const struct python_layout *layout, const void *string,
                           char *buffer, size_t size, bool *truncated);
