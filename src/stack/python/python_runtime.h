/* SPDX-License-Identifier: MIT */
/* Finds the Python in this process: which one, its symbols, where its frames begin.
 * python_runtime_find() is for constructors and the like, outside hooks: it uses the
 * dynamic linker, which may allocate. The rest may be called from a hook, on any
 * thread: no lock, no memory, errno kept, under 500 bytes of stack. The filled struct
 * may be read anywhere; only python_runtime_resolve() changes it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/python/python_layout.h"

enum python_implementation {
    PYTHON_NONE,
    PYTHON_CPYTHON,
    PYTHON_CPYTHON_FREE_THREADED,
    PYTHON_PYPY,
};

/* The names below are CPython's, without prefix. Functions and data may be NULL only
 * where a comment says so. */
struct python_runtime {
    enum python_implementation implementation;
    uint32_t version; /* as PY_VERSION_HEX; 0 when unknown (PyPy) */
    void *handle;     /* of the dynamic linker (dlsym), for CPython's other symbols */
    struct python_layout layout;

    const void *runtime;           /* _PyRuntime; NULL in 3.6 */
    const void *const *finalizing; /* non-NULL there: the runtime is finalizing */
    void *const *current_tstate;   /* needs the GIL; NULL from 3.12 on */
    void *(*get_current)(void);    /* PyThreadState_GetUnchecked() */
    void *(*this_thread)(void);    /* PyGILState_GetThisThreadState() */
    void *(*interpreter_of)(void *tstate); /* NULL before 3.12, as the next */
    void *(*main_interpreter)(void);
    int (*is_finalizing)(void); /* NULL in 3.6 */
    void (*get_allocator)(int domain, void *allocator);
    void (*set_allocator)(int domain, void *allocator);
    int (*set_ref_tracer)(int (*tracer)(void *object, int event, void *data),
                          void *data); /* NULL before 3.13, as the next */
    void *(*get_ref_tracer)(void **data);

    void *code_type; /* PyCode_Type and so on: addresses of the type objects */
    void *type_type;
    void *float_type;
    void *tuple_type;
    void *list_type;
    void *dict_type;
    void *import_inittab; /* struct _inittab **: PyImport_Inittab */
};

/* Returns 0 when frames can be read. `out->implementation` and `out->version` are
 * always filled, the symbols as far as they are there. -ENOENT: no Python (yet);
 * -ENOTSUP: one whose frames we cannot read (PyPy, 2.7, free-threaded, pre-release,
 * newer than we know, or with other object headers); -EINVAL: its debug offsets are
 * unexpected; -ENXIO: a symbol is missing. A CPython that a dlopen() brought in with
 * RTLD_LOCAL is found, whatever its file is called, and then stays loaded. */
int python_runtime_find(struct python_runtime *out);

/* Whether an address of code is CPython's: of an object that defines Py_GetVersion.
 * Takes no lock, so anywhere; after native_object_prepare. */
bool python_runtime_is_code(uintptr_t address);

/* Called once at the first capture with the GIL held: forgets `current_tstate` where
 * it disagrees with `get_current`, which a vendor's changed _PyRuntime may cause. */
void python_runtime_resolve(struct python_runtime *runtime);

/* Whether the innermost frames of a thread, from `frame` on, are what the layout says:
 * `tstate` of an interpreter, code objects with str and bytes in them. Memory is asked
 * for before it is touched, by system calls: for the first capture only. */
bool python_runtime_check(const struct python_runtime *runtime, const void *tstate,
                          const void *frame);

/* Where the interpreter keeps the current thread state of a thread, as a distance from
 * the thread pointer: `tstate` is looked for in this thread's block of its thread-local
 * variables. 0 when it is not there, or more than once, or when the block is not in the
 * static TLS area. From 3.12 on, with the GIL, outside hooks. */
ptrdiff_t python_runtime_current_offset(const struct python_runtime *runtime,
                                        const void *tstate);
