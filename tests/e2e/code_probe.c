/* SPDX-License-Identifier: MIT */
/* A shared object that check_code.py loads into an interpreter to compare what
 * src/stack/ reads with what the interpreter itself says. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "stack/python/python_code.h"
#include "stack/python/python_runtime.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int probe_find(char *out, size_t size);
EXPORT int probe_walk(char *out, size_t size);
EXPORT int probe_line(const void *code, int offset);
EXPORT int probe_finalizing(void);

static struct python_runtime runtime;

static const void *read_pointer(const void *object, size_t offset) {
    const void *value;

    memcpy(&value, (const char *)object + offset, sizeof(value));
    return value;
}

static const void *first_frame(const void *tstate) {
    const void *frame = read_pointer(tstate, runtime.layout.tstate_frame);

    if (runtime.layout.frames == PYTHON_FRAMES_CFRAME)
        frame = read_pointer(frame, runtime.layout.cframe_current);
    return frame;
}

static const void *read_ip(const void *frame) {
    int index;

    if (runtime.layout.frames != PYTHON_FRAMES_OBJECT)
        return read_pointer(frame, runtime.layout.frame_ip);
    memcpy(&index, (const char *)frame + runtime.layout.frame_ip, sizeof(index));
    return (const void *)(intptr_t)index;
}

static const void *read_code(const void *frame) {
    uintptr_t code = (uintptr_t)read_pointer(frame, runtime.layout.frame_code);

    return (const void *)(runtime.layout.tagged ? code & ~(uintptr_t)7 : code);
}

static size_t write_string(char *out, size_t size, const void *string) {
    ssize_t length = python_string_utf8(&runtime.layout, string, out, size - 1, NULL);

    out[length < 0 ? 0 : length] = '\n';
    return length < 0 ? 1 : (size_t)length + 1;
}

static int line_of(const struct python_code *code, const void *ip) {
    static struct python_line_scan scan;

    return python_code_line(&runtime.layout, code, ip, &scan);
}

static size_t write_frame(char *out, size_t size, const void *frame) {
    const struct python_layout *layout = &runtime.layout;
    struct python_code code = {0};
    uint8_t owner =
        layout->frame_owner ? ((const uint8_t *)frame)[layout->frame_owner] : 0;
    size_t used;

    if (owner < layout->owner_skip &&
        python_code_read(layout, runtime.code_type, read_code(frame), &code))
        return (size_t)snprintf(out, size, "unreadable\n0\n\n");
    if (python_code_is_incomplete(layout, &code, read_ip(frame), owner))
        return 0;
    used = write_string(out, size, code.filename);
    used += (size_t)snprintf(out + used, size - used, "%d\n",
                             line_of(&code, read_ip(frame)));
    return used + write_string(out + used, size - used, code.name);
}

int probe_find(char *out, size_t size) {
    int error = python_runtime_find(&runtime);
    const void *tstate;
    unsigned long thread = 0;

    if (error)
        return error;
    python_runtime_resolve(&runtime);
    tstate = runtime.get_current();
    memcpy(&thread, (const char *)tstate + runtime.layout.tstate_thread_id,
           sizeof(thread));
    snprintf(out, size, "%x %d %d %d %d %d %d", runtime.version,
             runtime.current_tstate != NULL, *runtime.finalizing == NULL,
             runtime.this_thread() == tstate, thread == (unsigned long)pthread_self(),
             python_runtime_check(&runtime, tstate, first_frame(tstate)),
             python_runtime_check(&runtime, tstate, (const char *)tstate + 8));
    return 0;
}

int probe_walk(char *out, size_t size) {
    size_t used = 0;

    for (const void *frame = first_frame(runtime.get_current());
         frame && used + 4096 < size;
         frame = read_pointer(frame, runtime.layout.frame_previous))
        used += write_frame(out + used, size - used, frame);
    return (int)used;
}

int probe_line(const void *address, int offset) {
    const struct python_layout *layout = &runtime.layout;
    struct python_code code;
    const void *ip = (const void *)(intptr_t)(offset / (layout->ip_unit));

    if (python_code_read(layout, runtime.code_type, address, &code))
        return -1;
    if (layout->frames != PYTHON_FRAMES_OBJECT)
        ip = code.bytecode + offset;
    return line_of(&code, ip);
}

int probe_finalizing(void) {
    return *runtime.finalizing != NULL;
}
