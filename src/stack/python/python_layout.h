/* SPDX-License-Identifier: MIT */
/* Where CPython keeps what a frame walk reads: one row of offsets per minor version,
 * for 64-bit builds with a GIL. 3.6 to 3.12 are constants taken from each version's own
 * headers; 3.13 and later read most of them from `_PyRuntime.debug_offsets`. Called
 * once per process, outside hooks, on any thread; no locks, no allocation. The filled
 * struct is never changed afterwards and may be read anywhere. All offsets in bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "stack/python/python_lines.h"

enum python_frames {
    PYTHON_FRAMES_OBJECT,  /* to 3.10: tstate->frame is a PyFrameObject */
    PYTHON_FRAMES_CFRAME,  /* 3.11, 3.12: tstate->cframe->current_frame */
    PYTHON_FRAMES_CURRENT, /* 3.13 and later: tstate->current_frame */
};

struct python_layout {
    uint16_t version; /* major << 8 | minor */
    uint8_t frames;   /* enum python_frames */
    uint8_t lines;    /* enum python_line_format */

    uint16_t tstate_frame; /* of frame, cframe or current_frame in PyThreadState */
    uint16_t cframe_current;
    /* 3.10 and 3.11: the structure on the C stack that each evaluation has; else 0. */
    uint16_t tstate_cframe;
    uint16_t cframe_previous;
    uint16_t frame_is_entry; /* 3.11: one byte, whether an evaluation began with it */
    uint16_t tstate_interp;
    uint16_t tstate_thread_id; /* unsigned long, as pthread_self() */

    uint16_t frame_previous;
    uint16_t frame_code;
    /* To 3.10 an int, index of the last instruction in units of `ip_unit` bytes; later
     * a pointer into the bytecode (prev_instr, from 3.13 on instr_ptr). */
    uint16_t frame_ip;
    uint8_t ip_unit;
    bool tagged;          /* the low bits of the code pointer are no part of it */
    uint16_t frame_owner; /* one byte; 0: the version has none */
    uint8_t owner_generator;
    uint8_t
        owner_skip; /* owners from here on are no Python frames, their code no code */

    uint16_t code_filename;
    uint16_t code_name;
    uint16_t code_qualname; /* 0: the version has none */
    uint16_t code_first_line;
    uint16_t code_line_table;
    uint16_t code_first_traceable; /* int, in units of 2 bytes; 0: none */
    uint16_t code_bytecode;        /* the bytes themselves, or to 3.10 a bytes object */

    uint16_t object_type; /* ob_type in any object */
    uint16_t type_flags;  /* tp_flags, unsigned long */
    uint16_t bytes_size;
    uint16_t bytes_data;

    uint16_t string_length; /* in code points */
    uint16_t string_state;  /* 32 bits: interned:2 kind:3 compact:1 ascii:1 ready:1 */
    uint16_t string_ascii_data;  /* compact and ASCII: where the characters begin */
    uint16_t string_data;        /* compact: likewise; else where their pointer is */
    uint16_t string_wide;        /* wchar_t * of a string that is not ready; 0: none */
    uint16_t string_wide_length; /* its length */

    uint32_t runtime_finalizing;     /* non-zero word once finalizing; 3.6: see below */
    uint32_t runtime_tstate_current; /* 3.7 to 3.11; 0: the version has none */
};

/* `version_hex` is PY_VERSION_HEX's form; `runtime` is the address of _PyRuntime, read
 * from 3.13 on only (3.6 has none: both runtime_ fields are 0). Returns 0; -ENOTSUP for
 * a version without a row, an alpha, beta or candidate (their structures still moved),
 * or a free-threaded build; -EINVAL when the debug offsets are not the ones expected.
 * `out->version` is set in any case. */
int python_layout_fill(struct python_layout *out, uint32_t version_hex,
                       const void *runtime);

/* The pointer, or the word, at an offset in an object or a structure. */
static inline const void *python_layout_pointer(const void *object, size_t offset) {
    const void *value;
    memcpy(&value, (const char *)object + offset, sizeof value);
    return value;
}
