/* SPDX-License-Identifier: MIT */
/* Represents the native frames of a dump by code objects like those of Python: one for
 * each function at an address, inlined ones included.
 *
 * For offline code; allocates; one thread at a time. Names recorded in the dump have
 * precedence over symbols; unknown code has the module's path and its offset in place
 * of a file name. Each address is looked up once. Frames with equal function, file and
 * line are one code object.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "collection/array.h"
#include "collection/id_map.h"
#include "dump/dump_reader.h"
#include "symbols/dump_symbols.h"
#include "symbols/text_store.h"

/* Code object and line of a node in the tree of stacks. */
struct native_frame {
    uint32_t code; /* valid after native_frames_install */
    uint32_t line;
};

struct native_frame_list {
    const struct native_frame *frames; /* outermost first; at least one */
    size_t count;
};

struct native_frames {
    struct dump_reader *reader;
    struct dump_symbols symbols;
    uint32_t *load_instances; /* by module: how many earlier ones have the same file */
    struct text_store texts;
    struct id_map addresses;         /* by module and address */
    struct array lists;              /* by id of an address: a range of `frames` */
    struct array frames;             /* struct native_frame */
    struct id_map ids;               /* of code, by function, file, line and module */
    struct array code;               /* struct tracemalloc_dump_code, by id */
    struct array natives;            /* struct dump_native, by id */
    struct native_frame interpreter; /* see native_frames_interpreter */
};

/* Of `PATH+0x1f20`, which replaces an unknown file name. */
enum { NATIVE_FRAMES_LOCATION_SIZE = 4200 };

/* If `symbols` is NULL, only names recorded in the dump are used. 0 or -ENOMEM. Dump
 * and symbols belong to the caller and must outlive the frames. */
must_check int native_frames_open(struct native_frames *frames,
                                  struct dump_reader *reader, struct symbols *symbols);

/* Finds the frames at an address of a module, which are valid until the next call. 0,
 * -ENOMEM or -EFBIG. */
must_check int native_frames_find(struct native_frames *frames, uint32_t module,
                                  uint64_t address, struct native_frame_list *list);

/* Gives the single frame that replaces frames of the interpreter, whose module it is. 0
 * or -ENOMEM. */
must_check int native_frames_interpreter(struct native_frames *frames, uint32_t module,
                                         struct native_frame_list *list);

/* Adds the code objects to the dump. 0 or -ENOMEM. */
must_check int native_frames_install(struct native_frames *frames);

void native_frames_close(struct native_frames *frames);
