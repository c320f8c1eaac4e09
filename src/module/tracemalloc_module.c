/* SPDX-License-Identifier: MIT */
#include "module/tracemalloc_module.h"

#include <dlfcn.h>
#include <string.h>

#include "event/object_block.h"
#include "event/event.h"
#include "hooks/free_lists.h"
#include "hooks/pymem_hooks.h"
#include "module/dump_view.h"
#include "module/trace_list.h"
#include "module/traceback_object.h"
#include "stack/python/python_api.h"
#include "tracing/first_frame.h"
#include "tracing/traced_process.h"
#include "tracing/tracing.h"

/* As in Include/import.h, Include/methodobject.h and Include/moduleobject.h: the stable
 * ABI. */
struct inittab {
    const char *name;
    void *(*initialize)(void);
};

typedef void *(*function)(void *self, void *arguments, ptrdiff_t count);

struct method {
    const char *name;
    function call;
    int flags;
    const char *documentation;
};

struct module_def {
    char base[40];
    const char *name;
    const char *documentation;
    ptrdiff_t size;
    struct method *methods;
};

static struct {
    const struct python_runtime *runtime;
    bool native;
    void *(*initialize)(void);
    function start;
    int start_flags; /* METH_VARARGS or METH_FASTCALL */
    function stop;
    function get_traceback_limit;
    function is_tracing;
} builtin; /* the interpreter's own module */

enum { METH_VARARGS = 0x0001 };

static void *none(void) {
    python_api.increase(python_api.none);
    return python_api.none;
}

/* Allocations for results are not traced, as in the interpreter's own tracer. */
static struct thread_state *begin_result(void) {
    struct thread_state *self = thread_state_get();
    self->in_allocator = true;
    return self;
}

static void *end_result(struct thread_state *self, void *result) {
    self->in_allocator = false;
    return result;
}

/* --- methods ---------------------------------------------------------------------- */

static void *is_tracing(void *self, void *arguments, ptrdiff_t count) {
    (void)self, (void)arguments, (void)count;
    return python_api.bool_from_long(tracing_is_on());
}

static void *clear_traces(void *self, void *arguments, ptrdiff_t count) {
    (void)self, (void)arguments, (void)count;
    tracing_clear();
    return none();
}

static long builtin_limit(void *self) {
    void *limit = builtin.get_traceback_limit(self, NULL, 0);
    long nframe = limit != NULL ? python_api.long_as_long(limit) : 1;
    if (limit != NULL)
        python_api.decrease(limit);
    return nframe;
}

/* 3.13.0 does not remove its reference tracer when it stops. */
static void builtin_stop(void *self) {
    void *stopped = builtin.stop(self, NULL, 0);
    if (stopped != NULL)
        python_api.decrease(stopped);
    if (builtin.runtime->set_ref_tracer != NULL)
        builtin.runtime->set_ref_tracer(NULL, NULL);
}

/* The builtin start checks the arguments, and the builtin limit is then their value. */
static void *start(void *self, void *arguments, ptrdiff_t count) {
    void *result = builtin.start(self, arguments, count);
    if (result == NULL)
        return NULL;
    uint32_t nframe = (uint32_t)builtin_limit(self);
    builtin_stop(self);
    if (!tracing_is_on()) {
        pymem_hooks_install(builtin.runtime);
        tracing_start(nframe, traced_process.options->sample_distance, true);
    } else
        first_frame_hook_objects();
    return result;
}

/* Tracing began before the module existed: sets the builtin limit to ours. Under -X
 * tracemalloc 3.6 may have started its own tracer as well. */
static void set_builtin_limit(void *self, uint32_t nframe) {
    builtin_stop(self);
    void *number = python_api.long_from_size(nframe), *arguments = number;
    if (number == NULL)
        return;
    if ((builtin.start_flags & METH_VARARGS) != 0) {
        arguments = python_api.tuple_new(1);
        if (arguments == NULL)
            return;
        python_api.tuple_set(arguments, 0, number);
    }
    bool packed = arguments != number;
    void *result = builtin.start(self, packed ? arguments : &arguments, 1);
    python_api.decrease(arguments);
    if (result != NULL)
        python_api.decrease(result);
    builtin_stop(self);
    first_frame_hook_objects();
}

static void *stop(void *self, void *arguments, ptrdiff_t count) {
    (void)self, (void)arguments, (void)count;
    if (tracing_stop() == 0)
        free_lists_refill();
    return none();
}

static void *get_traceback_limit(void *self, void *arguments, ptrdiff_t count) {
    (void)arguments, (void)count;
    uint32_t nframe = tracing_nframe();
    return python_api.long_from_size(nframe != 0 ? nframe
                                                 : (size_t)builtin_limit(self));
}

static void *get_tracemalloc_memory(void *self, void *arguments, ptrdiff_t count) {
    (void)self, (void)arguments, (void)count;
    return python_api.long_from_size(tracing_memory());
}

static void *pair(uint64_t first, uint64_t second) {
    void *tuple = python_api.tuple_new(2);
    if (tuple != NULL) {
        python_api.tuple_set(tuple, 0, python_api.long_from_size(first));
        python_api.tuple_set(tuple, 1, python_api.long_from_size(second));
    }
    return tuple;
}

static void *get_traced_memory(void *self, void *arguments, ptrdiff_t count) {
    (void)self, (void)arguments, (void)count;
    struct tracing_totals totals = tracing_totals();
    return pair(totals.python_bytes, totals.python_peak_bytes);
}

static void *reset_peak(void *self, void *arguments, ptrdiff_t count) {
    (void)self, (void)arguments, (void)count;
    tracing_reset_peak();
    return none();
}

static void *traceback_of(const struct stack_view *view) {
    if (view->length == 0)
        return traceback_object_unknown();
    void *tuple = python_api.tuple_new(view->length);
    for (uint32_t i = 0; tuple != NULL && i < view->length; i++) {
        const struct stack_view_frame *from = &view->frames[i];
        void *name = traceback_object_text(from->filename, from->filename_length);
        if (!python_api_put(tuple, i, traceback_object_frame(name, from->line))) {
            python_api.decrease(tuple);
            return NULL;
        }
    }
    return tuple;
}

void *tracemalloc_module_traceback(uint32_t domain, uintptr_t block) {
    struct stack_view view;
    if (stack_view_take(&view, domain, block) < 0)
        return none();
    struct thread_state *thread = begin_result();
    void *result = traceback_of(&view);
    stack_view_release(&view);
    return end_result(thread, result);
}

static void *get_object_traceback(void *self, void *object, ptrdiff_t count) {
    (void)self, (void)count;
    return tracemalloc_module_traceback(
        TRACEMALLOC_DUMP_DOMAIN_PYTHON,
        object_block(object, builtin.runtime->layout.version));
}

static void *get_traces(void *self, void *arguments, ptrdiff_t count) {
    (void)self, (void)arguments, (void)count;
    struct dump_view view;
    if (!tracing_is_on())
        return python_api.list_new(0);
    if (dump_view_take(&view, builtin.native) < 0)
        return python_api.no_memory();
    struct thread_state *thread = begin_result();
    void *list = trace_list_make(&view, builtin.runtime->layout.version >= 0x309);
    dump_view_release(&view);
    return end_result(thread, list);
}

/* --- replacing the methods -------------------------------------------------------- */

static const struct {
    const char *name;
    function call;
    function *original;
} replacements[] = {
    {"is_tracing", is_tracing, &builtin.is_tracing},
    {"clear_traces", clear_traces, NULL},
    {"_get_traces", get_traces, NULL},
    {"_get_object_traceback", get_object_traceback, NULL},
    {"start", start, &builtin.start},
    {"stop", stop, &builtin.stop},
    {"get_traceback_limit", get_traceback_limit, &builtin.get_traceback_limit},
    {"get_tracemalloc_memory", get_tracemalloc_memory, NULL},
    {"get_traced_memory", get_traced_memory, NULL},
    {"reset_peak", reset_peak, NULL},
};

static void replace(struct method *method) {
    for (size_t i = 0; i < sizeof replacements / sizeof *replacements; i++) {
        if (strcmp(method->name, replacements[i].name) != 0 ||
            method->call == replacements[i].call)
            continue;
        if (replacements[i].original != NULL)
            *replacements[i].original = method->call;
        if (replacements[i].original == &builtin.start)
            builtin.start_flags = method->flags;
        method->call = replacements[i].call;
    }
}

static void *type_of(const void *object) {
    void *type;
    memcpy(&type, (const char *)object + 8, sizeof type);
    return type;
}

static void *initialize(void) {
    void *module = builtin.initialize();
    if (module == NULL)
        return NULL;
    bool first = builtin.start == NULL;
    struct module_def *def = type_of(module) == python_api.module_def_type
                                 ? module
                                 : python_api.module_get_def(module);
    for (struct method *method = def != NULL ? def->methods : NULL;
         method != NULL && method->name != NULL; method++)
        replace(method);
    if (first && builtin.start != NULL && tracing_is_on())
        set_builtin_limit(module, tracing_nframe());
    return module;
}

void tracemalloc_module_install(const struct python_runtime *runtime, bool native) {
    struct inittab *const *table = runtime->import_inittab;
    if (builtin.initialize != NULL || table == NULL ||
        python_api_find(runtime->handle) < 0)
        return;
    builtin.runtime = runtime;
    builtin.native = native;
    for (struct inittab *entry = *table; entry->name != NULL; entry++)
        if (strcmp(entry->name, "_tracemalloc") == 0) {
            builtin.initialize = entry->initialize;
            entry->initialize = initialize;
        }
}

/* --- -X tracemalloc --------------------------------------------------------------- */

/* Where PyConfig (3.7: _PyCoreConfig) keeps the number of frames, from the headers of
 * each version. The interpreter reads it once, after its first Python frames. */
static int *configured(const struct python_runtime *runtime) {
    unsigned version = runtime->layout.version;
    char *(*get_config)(void) = NULL;
    *(void **)(void *)&get_config = dlsym(runtime->handle, "_Py_GetConfig");
    size_t offset = version == 0x307 || version == 0x309 ? 40 : 36;
    if (version >= 0x309)
        return get_config != NULL ? (int *)(void *)(get_config() + offset) : NULL;
    const char *tstate = runtime->get_current();
    char *interpreter = *(char *const *)(tstate + runtime->layout.tstate_interp);
    return (int *)(void *)(interpreter + (version == 0x307 ? 136 : 176) + offset);
}

/* 3.6 keeps no such number: stops its tracer as soon as it runs. */
static int stop_when_started(void *argument) {
    (void)argument;
    static int tries;
    void *module = initialize();
    if (module == NULL || builtin.is_tracing == NULL)
        return 0;
    void *answer = builtin.is_tracing(module, NULL, 0);
    bool runs = answer != NULL && python_api.long_as_long(answer) == 1;
    if (runs)
        set_builtin_limit(module, tracing_nframe());
    else if (tries++ < 10000)
        python_api.add_pending_call(stop_when_started, NULL);
    return 0;
}

void tracemalloc_module_suppress_builtin(const struct python_runtime *runtime,
                                         long nframe) {
    if (builtin.initialize == NULL)
        return;
    if (runtime->layout.version == 0x306) {
        python_api.add_pending_call(stop_when_started, NULL);
        return;
    }
    int *number = configured(runtime);
    if (number != NULL && *number == nframe)
        *number = 0;
}
