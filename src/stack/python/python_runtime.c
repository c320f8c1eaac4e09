/* SPDX-License-Identifier: MIT */
#include "stack/python/python_runtime.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "stack/native/native_object.h"
#include "stack/python/python_code.h"

enum { FRAMES_TO_CHECK = 8 };

#define FIELD(name) offsetof(struct python_runtime, name)

static const struct symbol {
    const char *name;
    const char *older_name; /* NULL: had no other */
    uint16_t field;         /* its place in struct python_runtime */
    uint8_t since, until;   /* minor versions that must have it; until 0: all later */
} symbols[] = {
    {"_PyRuntime", NULL, FIELD(runtime), 7, 0},
    {"_Py_Finalizing", NULL, FIELD(finalizing), 6, 6},
    {"_PyThreadState_Current", NULL, FIELD(current_tstate), 6, 6},
    {"PyThreadState_GetUnchecked", "_PyThreadState_UncheckedGet", FIELD(get_current), 6,
     0},
    {"PyGILState_GetThisThreadState", NULL, FIELD(this_thread), 6, 0},
    {"PyThreadState_GetInterpreter", NULL, FIELD(interpreter_of), 12, 0},
    {"PyInterpreterState_Main", NULL, FIELD(main_interpreter), 12, 0},
    {"Py_IsFinalizing", "_Py_IsFinalizing", FIELD(is_finalizing), 7, 0},
    {"PyMem_GetAllocator", NULL, FIELD(get_allocator), 6, 0},
    {"PyMem_SetAllocator", NULL, FIELD(set_allocator), 6, 0},
    {"PyRefTracer_SetTracer", NULL, FIELD(set_ref_tracer), 13, 0},
    {"PyRefTracer_GetTracer", NULL, FIELD(get_ref_tracer), 13, 0},
    {"PyCode_Type", NULL, FIELD(code_type), 6, 0},
    {"PyType_Type", NULL, FIELD(type_type), 6, 0},
    {"PyFloat_Type", NULL, FIELD(float_type), 6, 0},
    {"PyTuple_Type", NULL, FIELD(tuple_type), 6, 0},
    {"PyList_Type", NULL, FIELD(list_type), 6, 0},
    {"PyDict_Type", NULL, FIELD(dict_type), 6, 0},
    {"PyImport_Inittab", NULL, FIELD(import_inittab), 6, 0},
};

static const char version_function[] = "Py_GetVersion";

struct library_search {
    const char *symbol; /* that it defines */
    const char *path;
};

static bool defines(const struct native_object *object, const char *name) {
    struct native_symbol symbol;
    return native_object_symbol(object, name, hash_symbol(name), &symbol) == 0;
}

static int match_library(struct dl_phdr_info *info, size_t size, void *data) {
    struct library_search *search = data;
    struct native_object object;
    (void)size;
    native_object_describe(info, &object);
    if (!defines(&object, search->symbol))
        return 0;
    search->path = info->dlpi_name;
    return 1;
}

/* A handle on a library that the program brought in for itself alone (RTLD_LOCAL). The
 * linker is not asked while it walks its own list: its two locks could deadlock. */
static void *open_loaded(const char *symbol) {
    struct library_search search = {.symbol = symbol};
    if (dl_iterate_phdr(match_library, &search) == 0)
        return NULL;
    return dlopen(search.path, RTLD_NOLOAD | RTLD_LAZY);
}

/* The linker's handle that leads to CPython's symbols, or -ENOENT. */
static int find_cpython(void **handle) {
    *handle = RTLD_DEFAULT;
    if (dlsym(*handle, version_function) != NULL)
        return 0;
    *handle = open_loaded(version_function);
    bool found = *handle != NULL && dlsym(*handle, version_function) != NULL;
    return found ? 0 : -ENOENT;
}

static bool is_pypy(void) {
    if (dlsym(RTLD_DEFAULT, "pypy_main_startup") != NULL)
        return true;
    void *handle = open_loaded("pypy_main_startup");
    if (handle != NULL)
        dlclose(handle);
    return handle != NULL;
}

static uint32_t parse_level(const char *text, char **end) {
    static const struct {
        const char *mark;
        uint32_t level;
    } levels[] = {{"a", 0xa}, {"b", 0xb}, {"rc", 0xc}, {"c", 0xc}};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        size_t length = strlen(levels[i].mark);
        if (strncmp(text, levels[i].mark, length) == 0)
            return levels[i].level << 4 | (strtoul(text + length, end, 10) & 0xf);
    }
    return 0xf0;
}

/* "3.8.18 (default, …" or "3.9.0rc1+ (…" to the form of PY_VERSION_HEX. */
static uint32_t parse_version(const char *text) {
    uint32_t version = 0;
    char *end = (char *)text;
    for (unsigned shift = 24; shift >= 8; shift -= 8) {
        version |= (uint32_t)(strtoul(end, &end, 10) & 0xff) << shift;
        if (*end != '.')
            break;
        end++;
    }
    return version | parse_level(end, &end);
}

static void identify(struct python_runtime *out, void *handle) {
    const char *(*get_version)(void) = dlsym(handle, version_function);
    const unsigned long *version = dlsym(handle, "Py_Version");
    const char *text = get_version();
    out->implementation = strstr(text, "free-threading") != NULL
                              ? PYTHON_CPYTHON_FREE_THREADED
                              : PYTHON_CPYTHON;
    out->version = version != NULL ? (uint32_t)*version : parse_version(text);
}

static bool is_wanted(const struct symbol *symbol, unsigned minor) {
    return minor >= symbol->since && (symbol->until == 0 || minor <= symbol->until);
}

static int find_symbols(struct python_runtime *out, void *handle) {
    unsigned minor = out->version >> 16 & 0xff;
    int error = 0;
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        const struct symbol *symbol = &symbols[i];
        void *found = dlsym(handle, symbol->name);
        if (found == NULL && symbol->older_name != NULL)
            found = dlsym(handle, symbol->older_name);
        memcpy((char *)out + symbol->field, &found, sizeof found);
        if (found == NULL && is_wanted(symbol, minor))
            error = -ENXIO;
    }
    return error;
}

/* A build with Py_TRACE_REFS (to 3.7 any debug build) has two more words in front of
 * each object; static types show it before the interpreter runs. */
static bool has_plain_objects(const struct python_runtime *runtime) {
    return python_layout_pointer(runtime->code_type, runtime->layout.object_type) ==
           runtime->type_type;
}

/* In front of the current thread state are the two mutexes of the GIL, which the rows
 * of python_layout.c have with x86-64's size. */
static size_t extra_bytes_of_mutexes(void) {
    enum { MUTEXES = 2, SIZE_ON_X86_64 = 40 };
    return MUTEXES * (sizeof(pthread_mutex_t) - SIZE_ON_X86_64);
}

static void set_runtime_words(struct python_runtime *out) {
    const char *runtime = out->runtime;
    if (out->layout.runtime_finalizing)
        out->finalizing =
            (const void *const *)(runtime + out->layout.runtime_finalizing);
    if (out->layout.runtime_tstate_current)
        out->current_tstate =
            (void *const *)(runtime + out->layout.runtime_tstate_current +
                            extra_bytes_of_mutexes());
}

int python_runtime_find(struct python_runtime *out) {
    void *handle;
    int error = find_cpython(&handle);
    *out = (struct python_runtime){0};
    if (error < 0 && is_pypy()) {
        out->implementation = PYTHON_PYPY;
        error = -ENOTSUP;
    }
    if (error < 0)
        return error;
    out->handle = handle;
    identify(out, handle);
    int missing = find_symbols(out, handle);
    if (out->implementation != PYTHON_CPYTHON)
        return -ENOTSUP;
    error = python_layout_fill(&out->layout, out->version, out->runtime);
    if (error < 0 || missing < 0)
        return error < 0 ? error : missing;
    set_runtime_words(out);
    return has_plain_objects(out) ? 0 : -ENOTSUP;
}

bool python_runtime_is_code(uintptr_t address) {
    struct native_object object;
    return native_object_find(address, &object) == 0 &&
           defines(&object, version_function);
}

void python_runtime_resolve(struct python_runtime *runtime) {
    if (runtime->current_tstate != NULL &&
        *runtime->current_tstate != runtime->get_current())
        runtime->current_tstate = NULL;
}

static bool is_readable(const void *start, size_t size) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = (uintptr_t)start & ~(page - 1);
    uintptr_t end = (uintptr_t)start + size;
    unsigned char resident[2];
    int saved = errno;
    if (end < first || end - first > 2 * page)
        return false;
    bool mapped = mincore((void *)first, end - first, resident) == 0;
    errno = saved;
    return mapped;
}

static bool is_readable_object(const struct python_layout *layout, const void *object) {
    return is_readable(object, layout->bytes_data) &&
           is_readable(python_layout_pointer(object, layout->object_type),
                       layout->type_flags + sizeof(long));
}

static bool is_readable_code(const struct python_layout *layout, const void *code) {
    uint16_t name = layout->code_qualname ? layout->code_qualname : layout->code_name;
    /* To 3.10 the line table follows the bytecode, later it is the other way round. */
    if (!is_readable(code, layout->code_bytecode + sizeof(void *)) ||
        !is_readable(code, layout->code_line_table + sizeof(void *)))
        return false;
    return is_readable_object(layout,
                              python_layout_pointer(code, layout->code_filename)) &&
           is_readable_object(layout, python_layout_pointer(code, name)) &&
           is_readable_object(layout,
                              python_layout_pointer(code, layout->code_line_table));
}

static bool is_instruction(const struct python_layout *layout,
                           const struct python_code *code, const void *frame) {
    const uintptr_t most = 1u << 30;
    int index;
    if (layout->frames != PYTHON_FRAMES_OBJECT)
        return (uintptr_t)python_layout_pointer(frame, layout->frame_ip) -
                   (uintptr_t)code->bytecode + 2 <
               most;
    memcpy(&index, (const char *)frame + layout->frame_ip, sizeof index);
    return (uintptr_t)(intptr_t)index + 1 < most;
}

static bool is_frame(const struct python_runtime *runtime, const void *frame) {
    const struct python_layout *layout = &runtime->layout;
    size_t size = layout->frame_ip + sizeof(void *);
    struct python_code found;
    /* The owner is the last field read where there is one. */
    if (!is_readable(frame, size) || !is_readable(frame, layout->frame_owner + 1u))
        return false;
    if (layout->frame_owner &&
        ((const uint8_t *)frame)[layout->frame_owner] >= layout->owner_skip)
        return true;
    const void *code = python_layout_pointer(frame, layout->frame_code);
    if (layout->tagged)
        code = (const void *)((uintptr_t)code & ~(uintptr_t)7);
    return is_readable_code(layout, code) &&
           python_code_read(layout, runtime->code_type, code, &found) == 0 &&
           is_instruction(layout, &found, frame);
}

bool python_runtime_check(const struct python_runtime *runtime, const void *tstate,
                          const void *frame) {
    const struct python_layout *layout = &runtime->layout;
    if (!is_readable(tstate, layout->tstate_thread_id + sizeof(long)) ||
        !is_readable(python_layout_pointer(tstate, layout->tstate_interp),
                     sizeof(void *)))
        return false;
    for (int i = 0; frame != NULL && i < FRAMES_TO_CHECK; i++) {
        if (!is_frame(runtime, frame))
            return false;
        frame = python_layout_pointer(frame, layout->frame_previous);
    }
    return true;
}
