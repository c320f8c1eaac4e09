/* SPDX-License-Identifier: MIT */
#include "event/event_native.h"

#include <string.h>

#include "base/arena.h"
#include "base/message.h"
#include "base/sys.h"
#include "event/event_python.h"
#include "stack/native/native_merge.h"
#include "stack/native/native_machine.h"
#include "trace/module_table.h"
#include "trace/stack_table.h"
#include "trace/tracer.h"

enum { MAX_PATH = 4096 };

struct event_native event_native;

/* Native frames of a traceback; 0: none are wanted, or they cannot be captured. */
static uint32_t limit;

/* Around a step of libunwind: its own mappings are not events. */
static void mark_in_allocator(bool begins) {
    thread_state_get()->in_allocator = begins;
}

void event_native_prepare(const struct options *options) {
    if (options->native_frames == 0)
        return;
    if (native_object_prepare() < 0) {
        message("native frames need glibc 2.35; there are none", NULL);
        return;
    }
    if (native_window_prepare() < 0) {
        message("native frames need to know what can be read; there are none", NULL);
        return;
    }
    native_loads_find();
    (void)!native_libunwind_prepare(
        mark_in_allocator); /* else a walk ends at odd frames */
    thread_state_release_native = native_merge_release;
    limit = options->native_frames;
}

uint32_t event_native_limit(void) {
    return limit;
}

/* --- modules and frames in the dump ----------------------------------------------- */

static bool is_vdso(const char *name) {
    return strncmp(name, "linux-vdso.", strlen("linux-vdso.")) == 0;
}

/* Makes a relative path absolute. The result is right if the program has not changed
 * its working directory since it loaded the file. */
static size_t absolute_path(const char *name, char *path) {
    size_t length = 0;
    if (name[0] != '/' && strchr(name, '/') != NULL) {
        long got = sys_call(SYS_getcwd, path, MAX_PATH);
        length = got > 0 ? (size_t)got : 1;
        path[length - 1] = '/';
    }
    size_t rest = strnlen(name, MAX_PATH - length);
    memcpy(path + length, name, rest);
    return length + rest;
}

static size_t path_of(const struct native_object *object, char *path) {
    long length = 0;
    if (object->name[0] == '\0')
        length = sys_call(SYS_readlinkat, -100, "/proc/self/exe", path, MAX_PATH);
    if (length > 0)
        return (size_t)length;
    return absolute_path(is_vdso(object->name) ? "[vdso]" : object->name, path);
}

static uint32_t add_module(const struct native_object *object) {
    static char path[MAX_PATH]; /* protected by the tracer's lock */
    struct module_location location = {.path = path, .load_bias = object->bias};
    uintptr_t start, end;
    native_object_code(object, &start, &end);
    location.start = start;
    location.end = end;
    location.path_length = path_of(object, path);
    location.build_id = native_object_build_id(object, &location.build_id_length);
    return module_table_id(&location, NATIVE_MAX_MODULES);
}

static uint32_t add_native(uint32_t parent, uint32_t module, uint64_t address) {
    return stack_table_node(parent, TRACEMALLOC_DUMP_NATIVE | module, address);
}

static uint32_t add_python(uint32_t parent, uint32_t node) {
    if (node >= tracer.dump->header->sections[TRACEMALLOC_DUMP_STACKS].count)
        return TRACEMALLOC_DUMP_OVERFLOW_STACK;
    const struct tracemalloc_dump_stack *frame =
        (const struct tracemalloc_dump_stack *)
            tracer.dump->base[TRACEMALLOC_DUMP_STACKS] +
        node;
    return stack_table_node(parent, frame->code, frame->line);
}

static const struct native_merge_sink sink = {add_native, add_python};

/* --- a tracing -------------------------------------------------------------------- */

void event_native_open(const struct python_layout *layout) {
    if (limit == 0)
        return;
    int error = module_table_open(tracer.dump);
    if (error == 0)
        error = unwind_table_open(add_module);
    native_merge_open(&sink, layout, limit);
    event_native.enabled = error == 0;
    if (error < 0) {
        event_native_close();
        message("no memory for native frames; there are none", NULL);
    }
}

void event_native_close(void) {
    event_native.enabled = false;
    native_merge_close();
    unwind_table_close();
    module_table_close();
}

void event_native_forget(void) {
    native_merge_forget();
}

/* --- an event --------------------------------------------------------------------- */

static struct native_merge *merge_of(struct thread_state *self) {
    if (unlikely(self->native == NULL))
        self->native = arena_map(sizeof *self->native);
    if (likely(self->native != NULL))
        native_merge_refresh(self->native);
    return self->native;
}

static uint32_t capture(struct thread_state *self, const struct native_registers *leaf,
                        const char *tstate) {
    struct native_merge *merge = merge_of(self);
    const struct python_stack *python = tstate != NULL ? &self->python : NULL;
    if (unlikely(merge == NULL))
        return TRACEMALLOC_DUMP_EMPTY_STACK;
    unwind_table_notice();
    uint32_t node = native_merge_find(merge, leaf, python, tstate);
    if (unlikely(merge->broken))
        tracer.dump->header->lost[TRACEMALLOC_DUMP_LOST_NATIVE]++;
    if (unlikely(merge->cramped))
        tracer.dump->header->lost[TRACEMALLOC_DUMP_LOST_CRAMPED]++;
    return node;
}

/* The frame address points to this function's own frame: the caller's rbp, followed by
 * the return address. */
__attribute__((noinline)) uint32_t event_native_capture(struct event_guard guard,
                                                        bool with_gil) {
    struct thread_state *self = guard.thread;
    const struct native_registers leaf =
        native_registers_of_caller(__builtin_frame_address(0));
    const char *tstate = NULL;
    if (unlikely(self->ended))
        return TRACEMALLOC_DUMP_EMPTY_STACK;
    if (event_python.enabled)
        tstate =
            event_python_tstate(self, with_gil ? EVENT_WITH_GIL : EVENT_ANY_THREAD);
    event_python_capture(self, tstate);
    return capture(self, &leaf, event_python.enabled ? tstate : NULL);
}
