/* SPDX-License-Identifier: MIT */
#include "fake_python.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    PAGE = 4096,
    OBJECT = 512,
    STRING_FLAG = 1 << 28,
    BYTES_FLAG = 1 << 27,
    COMPACT_ASCII_READY = 1 << 5 | 1 << 6 | 1 << 7,
    SHIM = -1,
};

struct object {
    _Alignas(16) char bytes[OBJECT];
};

struct frame {
    bool alive;
    int code; /* or SHIM */
    int step;
    int caller;
};

struct python_runtime fake_runtime;

static struct object code_type, string_type, bytes_type;
static struct object codes[FAKE_CODES], names[FAKE_CODES], tables[FAKE_CODES];
static struct object bytecode;
static uint32_t lives[FAKE_CODES];
static struct object tstates[FAKE_THREADS], cframes[FAKE_THREADS], interpreter;
static struct frame frames[FAKE_FRAMES];
static int leaves[FAKE_THREADS];
static char *pages;

static const struct python_layout *layout(void) {
    return &fake_runtime.layout;
}

static void put(void *object, size_t offset, const void *value, size_t size) {
    memcpy((char *)object + offset, value, size);
}

static void put_pointer(void *object, size_t offset, const void *value) {
    put(object, offset, &value, sizeof value);
}

static void put_int(void *object, size_t offset, int value) {
    put(object, offset, &value, sizeof value);
}

/* Frames are at different places of their pages, as they would be. */
static char *frame_at(int frame) {
    return pages + (size_t)frame * PAGE + (size_t)(frame % 16) * 80;
}

static void make_bytes(struct object *object, const void *data, size_t length) {
    put_pointer(object, layout()->object_type, &bytes_type);
    put_pointer(object, layout()->bytes_size, (const void *)length);
    put(object, layout()->bytes_data, data, length);
}

static void make_string(struct object *object, const char *text) {
    put_pointer(object, layout()->object_type, &string_type);
    put_pointer(object, layout()->string_length, (const void *)strlen(text));
    put_int(object, layout()->string_state, 1 << 2 | COMPACT_ASCII_READY);
    put(object, layout()->string_ascii_data, text, strlen(text));
}

static int first_line(int code) {
    return 100 * (code + 1);
}

/* Each instruction is on the line below the one before. */
static void make_lines(int code) {
    char table[2 * FAKE_STEPS];
    bool locations = layout()->lines == PYTHON_LINES_LOCATIONS;
    for (int step = 0; step < FAKE_STEPS; step++) {
        table[2 * step] = (char)(locations ? 0xe8 : 2);
        table[2 * step + 1] = (char)(locations ? 2 : 1);
    }
    make_bytes(&tables[code], table, sizeof table);
}

static void make_code(int code) {
    char name[32];
    struct object *object = &codes[code];
    snprintf(name, sizeof name, "%u", fake_name(code));
    memset(object, 0, sizeof *object);
    memset(&names[code], 0, sizeof names[code]);
    make_string(&names[code], name);
    make_lines(code);
    put_pointer(object, layout()->object_type, &code_type);
    put_pointer(object, layout()->code_filename, &names[code]);
    put_pointer(object, layout()->code_name, &names[code]);
    if (layout()->code_qualname != 0)
        put_pointer(object, layout()->code_qualname, &names[code]);
    put_int(object, layout()->code_first_line, first_line(code));
    put_pointer(object, layout()->code_line_table, &tables[code]);
    if (layout()->frames == PYTHON_FRAMES_OBJECT)
        put_pointer(object, layout()->code_bytecode, &bytecode);
}

static void make_thread(int thread) {
    leaves[thread] = -1;
    memset(&tstates[thread], 0, sizeof tstates[thread]);
    memset(&cframes[thread], 0, sizeof cframes[thread]);
    put_pointer(&tstates[thread], layout()->tstate_interp, &interpreter);
    if (layout()->frames == PYTHON_FRAMES_CFRAME)
        put_pointer(&tstates[thread], layout()->tstate_frame, &cframes[thread]);
}

static void choose_layout(enum fake_version version) {
    static const uint32_t hex[] = {0x030900f0, 0x030b00f0, 0x030c00f0, 0x030c00f0};
    ck_assert_int_eq(python_layout_fill(&fake_runtime.layout, hex[version], NULL), 0);
    if (version == FAKE_3_14) {
        fake_runtime.layout.frames = PYTHON_FRAMES_CURRENT;
        fake_runtime.layout.tagged = true;
    }
    fake_runtime.code_type = &code_type;
    put_pointer(&string_type, layout()->type_flags, (const void *)STRING_FLAG);
    put_pointer(&bytes_type, layout()->type_flags, (const void *)BYTES_FLAG);
}

void fake_python_open(enum fake_version version) {
    choose_layout(version);
    make_bytes(&bytecode, "0123456789abcdef", 2 * FAKE_STEPS);
    if (pages == NULL)
        pages = mmap(NULL, FAKE_FRAMES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
                     -1, 0);
    ck_assert_ptr_ne(pages, MAP_FAILED);
    mprotect(pages, FAKE_FRAMES * PAGE, PROT_NONE);
    memset(frames, 0, sizeof frames);
    for (int code = 0; code < FAKE_CODES; code++)
        make_code(code);
    for (int thread = 0; thread < FAKE_THREADS; thread++)
        make_thread(thread);
}

static void set_leaf(int thread, int frame) {
    const void *address = frame >= 0 ? frame_at(frame) : NULL;
    leaves[thread] = frame;
    if (layout()->frames == PYTHON_FRAMES_CFRAME)
        put_pointer(&cframes[thread], layout()->cframe_current, address);
    else
        put_pointer(&tstates[thread], layout()->tstate_frame, address);
}

static void set_caller(int frame, int caller) {
    frames[frame].caller = caller;
    put_pointer(frame_at(frame), layout()->frame_previous,
                caller >= 0 ? frame_at(caller) : NULL);
}

static int dead_page(void) {
    int frame = 0;
    while (frames[frame].alive)
        ck_assert_int_lt(++frame, FAKE_FRAMES);
    return frame;
}

static int push(int thread, int page, int code) {
    int frame = page >= 0 ? page : dead_page();
    ck_assert(!frames[frame].alive);
    mprotect(pages + (size_t)frame * PAGE, PAGE, PROT_READ | PROT_WRITE);
    memset(frame_at(frame), 0, 256);
    frames[frame] = (struct frame){.alive = true, .code = code};
    set_caller(frame, leaves[thread]);
    set_leaf(thread, frame);
    return frame;
}

int fake_push(int thread, int page, int code) {
    int frame = push(thread, page, code);
    uintptr_t tag = layout()->tagged ? 1 : 0;
    put_pointer(frame_at(frame), layout()->frame_code, (char *)&codes[code] + tag);
    fake_step(frame, 0);
    return frame;
}

int fake_push_shim(int thread) {
    int frame = push(thread, -1, SHIM);
    frame_at(frame)[layout()->frame_owner] = (char)layout()->owner_skip;
    put_pointer(frame_at(frame), layout()->frame_ip, &bytecode);
    return frame;
}

void fake_pop(int thread) {
    int frame = leaves[thread];
    set_leaf(thread, frames[frame].caller);
    frames[frame].alive = false;
    mprotect(pages + (size_t)frame * PAGE, PAGE, PROT_NONE);
}

void fake_step(int frame, int step) {
    int code = frames[frame].code;
    frames[frame].step = step;
    if (layout()->frames == PYTHON_FRAMES_OBJECT)
        put_int(frame_at(frame), layout()->frame_ip, 2 * step);
    else
        put_pointer(frame_at(frame), layout()->frame_ip,
                    codes[code].bytes + layout()->code_bytecode + 2 * step);
}

int fake_suspend(int thread, int frame) {
    int leaf = leaves[thread];
    set_leaf(thread, frames[frame].caller);
    set_caller(frame, -1);
    return leaf;
}

void fake_resume(int thread, int frame, int leaf) {
    set_caller(frame, leaves[thread]);
    set_leaf(thread, leaf);
}

bool fake_is_used(int code) {
    for (int frame = 0; frame < FAKE_FRAMES; frame++)
        if (frames[frame].alive && frames[frame].code == code)
            return true;
    return false;
}

void fake_rebirth(int code) {
    ck_assert(!fake_is_used(code));
    lives[code]++;
    make_code(code);
}

int fake_leaf(int thread) {
    return leaves[thread];
}
int fake_caller(int frame) {
    return frames[frame].caller;
}
bool fake_is_shim(int frame) {
    return frames[frame].code == SHIM;
}
int fake_code(int frame) {
    return frames[frame].code;
}
uint32_t fake_name(int code) {
    return lives[code] * FAKE_CODES + (uint32_t)code;
}

uint32_t fake_line(int frame) {
    int offset = layout()->lines == PYTHON_LINES_LOCATIONS ? 1 : 0;
    return (uint32_t)(first_line(frames[frame].code) + frames[frame].step + offset);
}

uint32_t fake_name_of_text(const char *text, size_t length) {
    char copy[32] = "";
    memcpy(copy, text, length);
    return (uint32_t)strtoul(copy, NULL, 10);
}

const void *fake_address(int code) {
    return &codes[code];
}
const char *fake_thread(int thread) {
    return tstates[thread].bytes;
}
