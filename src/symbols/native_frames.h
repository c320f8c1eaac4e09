/* SPDX-License-Identifier: MIT */
/* The frames of native code in a dump, as code objects like those of Python: the
 * functions at each address, the inlined ones too.
 *
 * For offline code; allocates; one thread at a time. What was recorded in the dump
 * comes first, then what symbols say; code of which nothing is known has the module's
 * path and its offset in place of a file. Each address is looked up once. Frames of one
 * function, file and line are one.
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

/* A frame as a node of the tree of stacks has it. */
struct native_frame {
    uint32_t code; /* valid once the frames were handed over */
    uint32_t line;
};

struct native_frame_list {
    const struct native_frame *frames; /* the outermost first; at least one */
    size_t count;
};

struct native_frames {
    struct dump_reader *reader;
    struct dump_symbols symbols;
    uint32_t *load_instances; /* by module: how many of its file there are before it */
    struct text_store texts;
    struct id_map addresses;         /* by module and address */
    struct array lists;              /* by id of an address: a range of `frames` */
    struct array frames;             /* struct native_frame */
    struct id_map ids;               /* of code, by function, file, line and module */
    struct array code;               /* struct tracemalloc_dump_code, by id */
    struct array natives;            /* struct dump_native, by id */
    struct native_frame interpreter; /* see native_frames_interpreter */
};

/* Where code of a module is that has no source: what stands for its file. */
enum { NATIVE_FRAMES_PLACE_SIZE = 4200 };

/* Without symbols (NULL) only what was recorded is known. 0 or -ENOMEM. Dump and
 * symbols are the caller's and outlive the frames. */
must_check int native_frames_open(struct native_frames *frames,
                                  struct dump_reader *reader, struct symbols *symbols);

/* The frames at an address of a module, valid until the next call. 0, -ENOMEM or
 * -EFBIG. */
must_check int native_frames_find(struct native_frames *frames, uint32_t module,
                                  uint64_t address, struct native_frame_list *list);

/* The one frame that stands for those of the interpreter, a module. 0 or -ENOMEM. */
must_check int native_frames_interpreter(struct native_frames *frames, uint32_t module,
                                         struct native_frame_list *list);

/* Hands the code over to the dump. 0 or -ENOMEM. */
must_check int native_frames_install(struct native_frames *frames);

void native_frames_close(struct native_frames *frames);
