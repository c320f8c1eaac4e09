/* SPDX-License-Identifier: MIT */
#include "preload/tracemalloc_module.h"

#include <dlfcn.h>
#include <string.h>

#include "base/arena.h"
#include "preload/dump_view.h"
#include "preload/free_lists.h"
#include "preload/object_block.h"
#include "preload/pymem_hooks.h"
#include "preload/python_api.h"
#include "preload/record.h"
#include "preload/tracing.h"

/* Of Include/import.h, Include/methodobject.h and Include/moduleobject.h: the stable ABI. */
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
} own;

enum { METH_VARARGS = 0x0001 };

static void *none(void) {
    python_api.increase(python_api.none);
    return python_api.none;
}

/* What the making of results allocates is not traced, as with the interpreter's own tracer. */
static struct thread_state *begin_result(void) {
    struct thread_state *self = thread_state_get();
    self->nested = true;
    return self;
}

static void *end_result(struct thread_state *self, void *result) {
    self->nested = false;
    return result;
}

/* --- methods --------------------------------------------------------------------------------------------- */

static void *is_tracing(void *self, void *arguments, ptrdiff_t count) {
    (void)self, (void)arguments, (void)count;
    return python_api.bool_from_long(tracing_is_on());
}

static void *clear_traces(void *self, void *arguments, ptrdiff_t count) {
    (void)self, (void)arguments, (void)count;
    tracing_clear();
    return none();
}

static long own_limit(void *self) {
    void *limit = own.get_traceback_limit(self, NULL, 0);
    long nframe = limit != NULL ? python_api.long_as_long(limit) : 1;
    if (limit != NULL)
        python_api.decrease(limit);
    return nframe;
}

static void own_stop(void *self) {
    void *stopped = own.stop(self, NULL, 0);
    if (stopped != NULL)
        python_api.decrease(stopped);
}

/* The interpreter's own start checks the arguments, and its limit tells what they said. */
static void *start(void *self, void *arguments, ptrdiff_t count) {
    void *result = own.start(self, arguments, count);
    if (result == NULL)
        return NULL;
    uint32_t nframe = (uint32_t)own_limit(self);
    own_stop(self);
    if (!tracing_is_on()) {
        pymem_hooks_install(own.runtime);
        tracing_start(nframe, true);
    } else
        tracing_hook_objects();
    return result;
}

/* Tracing began before the module was there: its own limit becomes ours. Under -X tracemalloc 3.6 may have begun as well. */
static void tell_limit(void *self, uint32_t nframe) {
    own_stop(self);
    void *number = python_api.long_from_size(nframe), *arguments = number;
    if (number == NULL)
        return;
    if ((own.start_flags & METH_VARARGS) != 0) {
        arguments = python_api.tuple_new(1);
        if (arguments == NULL)
            return;
        python_api.tuple_set(arguments, 0, number);
    }
    bool packed = arguments != number;
    void *result = own.start(self, packed ? arguments : &arguments, 1);
    python_api.decrease(arguments);
    if (result != NULL)
        python_api.decrease(result);
    own_stop(self);
    tracing_hook_objects();
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
    return python_api.long_from_size(nframe != 0 ? nframe : (size_t)own_limit(self));
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

static void *text(const char *bytes, uint32_t length) {
    return python_api.string_decode(bytes, (ptrdiff_t)length, "surrogatepass");
}

/* (filename, line); takes the reference to the name. */
static void *frame(void *filename, uint32_t line) {
    void *tuple = filename != NULL ? python_api.tuple_new(2) : NULL;
    if (tuple == NULL)
        return NULL;
    python_api.tuple_set(tuple, 0, filename);
    python_api.tuple_set(tuple, 1, python_api.long_from_size(line));
    return tuple;
}

static void *unknown_traceback(void) {
    void *tuple = python_api.tuple_new(1);
    if (tuple != NULL)
        python_api.tuple_set(tuple, 0, frame(text("<unknown>", 9), 0));
    return tuple;
}

static void *traceback_of(const struct stack_view *view) {
    if (view->length == 0)
        return unknown_traceback();
    void *tuple = python_api.tuple_new(view->length);
    for (uint32_t at = 0; tuple != NULL && at < view->length; at++) {
        const struct stack_view_frame *from = &view->frames[at];
        void *item = frame(text(from->filename, from->filename_length), from->line);
        if (item == NULL) {
            python_api.decrease(tuple);
            return NULL;
        }
        python_api.tuple_set(tuple, at, item);
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
        object_block(object, own.runtime->layout.version));
}

/* --- all traces ------------------------------------------------------------------------------------------ */

/* Objects that traces share: one filename per code object, one traceback per stack. Stacks that differ only below the
 * limit have equal tracebacks, which `interned` makes one. */
struct making {
    struct dump_view view;
    void *interned;
    void **filenames;
    void **tracebacks;
    uint32_t *totals;
    void *list;
    ptrdiff_t at;
};

static const struct tracemalloc_dump_stack *stacks_of(const struct making *making) {
    return (const void *)making->view.sections[TRACEMALLOC_DUMP_STACKS];
}

static void *filename_of(struct making *making, uint32_t code) {
    const struct tracemalloc_dump_code *codes =
        (const void *)making->view.sections[TRACEMALLOC_DUMP_CODE];
    if (making->filenames[code] == NULL) {
        const unsigned char *string =
            making->view.sections[TRACEMALLOC_DUMP_STRINGS] + codes[code].filename;
        uint32_t length;
        memcpy(&length, string, sizeof length);
        making->filenames[code] = text((const char *)string + sizeof length, length);
    }
    if (making->filenames[code] != NULL)
        python_api.increase(making->filenames[code]);
    return making->filenames[code];
}

static uint32_t depth_of(const struct making *making, uint32_t stack) {
    uint32_t depth = 0;
    for (; stack != 0; stack = stacks_of(making)[stack].parent)
        depth++;
    return depth;
}

static void *make_traceback(struct making *making, uint32_t stack) {
    uint32_t total = depth_of(making, stack), shown = total;
    making->totals[stack] = total == 0 ? 1 : total;
    if (total == 0)
        return unknown_traceback();
    if (shown > making->view.nframe)
        shown = making->view.nframe;
    void *tuple = python_api.tuple_new(shown);
    for (uint32_t at = 0; tuple != NULL && at < shown; at++) {
        const struct tracemalloc_dump_stack *node = stacks_of(making) + stack;
        void *item = frame(filename_of(making, node->code), node->line);
        if (item == NULL) {
            python_api.decrease(tuple);
            return NULL;
        }
        python_api.tuple_set(tuple, at, item);
        stack = node->parent;
    }
    return tuple;
}

static void *intern(struct making *making, void *traceback) {
    void *kept = traceback != NULL ? python_api.dict_set_default(making->interned,
                                                                 traceback, traceback)
                                   : NULL;
    if (kept != NULL)
        python_api.increase(kept);
    if (traceback != NULL)
        python_api.decrease(traceback);
    return kept;
}

static void *shared_traceback(struct making *making, uint32_t stack) {
    if (making->tracebacks[stack] == NULL)
        making->tracebacks[stack] = intern(making, make_traceback(making, stack));
    if (making->tracebacks[stack] != NULL)
        python_api.increase(making->tracebacks[stack]);
    return making->tracebacks[stack];
}

/* (domain, size, traceback), and from 3.9 on the number of frames in all. */
static void *make_trace(struct making *making, uint32_t domain, uint64_t size,
                        uint32_t stack) {
    bool has_total = own.runtime->layout.version >= 0x309;
    void *traceback = shared_traceback(making, stack);
    void *tuple = traceback != NULL ? python_api.tuple_new(has_total ? 4 : 3) : NULL;
    if (tuple == NULL)
        return NULL;
    python_api.tuple_set(tuple, 0, python_api.long_from_size(domain));
    python_api.tuple_set(tuple, 1, python_api.long_from_size(size));
    python_api.tuple_set(tuple, 2, traceback);
    if (has_total)
        python_api.tuple_set(tuple, 3,
                             python_api.long_from_size(making->totals[stack]));
    return tuple;
}

static bool is_shown(uint32_t domain) {
    return own.native || (domain != TRACEMALLOC_DUMP_DOMAIN_LIBC &&
                          domain != TRACEMALLOC_DUMP_DOMAIN_MMAP);
}

static const struct tracemalloc_dump_tally *
tally_of(const struct making *making, const struct tracemalloc_dump_site *site) {
    return (const struct tracemalloc_dump_tally *)
               making->view.sections[TRACEMALLOC_DUMP_TALLIES] +
           site->tally;
}

/* The blocks of one site share one tuple. */
static bool add_site(struct making *making, const struct tracemalloc_dump_site *site) {
    const struct tracemalloc_dump_tally *tally = tally_of(making, site);
    const struct tracemalloc_dump_domain *domains =
        (const void *)making->view.sections[TRACEMALLOC_DUMP_DOMAINS];
    void *trace =
        make_trace(making, domains[tally->domain].number, site->size, tally->stack);
    if (trace == NULL)
        return false;
    for (uint32_t block = 0; block < site->live; block++) {
        python_api.increase(trace);
        python_api.list_set(making->list, making->at++, trace);
    }
    python_api.decrease(trace);
    return true;
}

static bool counts(const struct making *making,
                   const struct tracemalloc_dump_site *site) {
    return site->live > 0 && is_shown(tally_of(making, site)->domain);
}

static void fill_list(struct making *making) {
    const struct tracemalloc_dump_site *sites =
        (const void *)making->view.sections[TRACEMALLOC_DUMP_SITES];
    uint64_t count = making->view.counts[TRACEMALLOC_DUMP_SITES];
    ptrdiff_t blocks = 0;
    for (uint64_t id = 1; id < count; id++)
        if (counts(making, sites + id))
            blocks += sites[id].live;
    making->list = python_api.list_new(blocks);
    for (uint64_t id = 1; making->list != NULL && id < count; id++)
        if (counts(making, sites + id) && !add_site(making, sites + id)) {
            python_api.decrease(making->list);
            making->list = NULL;
        }
}

static void release(void **objects, uint64_t count) {
    for (uint64_t at = 0; objects != NULL && at < count; at++)
        if (objects[at] != NULL)
            python_api.decrease(objects[at]);
    if (objects != NULL)
        arena_unmap(objects, count * sizeof *objects);
}

static void *make_list(struct making *making) {
    uint64_t codes = making->view.counts[TRACEMALLOC_DUMP_CODE];
    uint64_t stacks = making->view.counts[TRACEMALLOC_DUMP_STACKS];
    making->interned = python_api.dict_new();
    if (making->interned == NULL)
        return NULL;
    making->filenames = arena_map(codes * sizeof *making->filenames);
    making->tracebacks = arena_map(stacks * sizeof *making->tracebacks);
    making->totals = arena_map(stacks * sizeof *making->totals);
    if (making->filenames != NULL && making->tracebacks != NULL &&
        making->totals != NULL)
        fill_list(making);
    else
        python_api.no_memory();
    release(making->filenames, codes);
    release(making->tracebacks, stacks);
    if (making->totals != NULL)
        arena_unmap(making->totals, stacks * sizeof *making->totals);
    python_api.decrease(making->interned);
    return making->list;
}

static void *get_traces(void *self, void *arguments, ptrdiff_t count) {
    (void)self, (void)arguments, (void)count;
    struct making making = {0};
    if (!tracing_is_on())
        return python_api.list_new(0);
    if (dump_view_take(&making.view) < 0)
        return python_api.no_memory();
    struct thread_state *thread = begin_result();
    void *list = make_list(&making);
    dump_view_release(&making.view);
    return end_result(thread, list);
}

/* --- the exchange ---------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    function call;
    function *original;
} exchanged[] = {
    {"is_tracing", is_tracing, &own.is_tracing},
    {"clear_traces", clear_traces, NULL},
    {"_get_traces", get_traces, NULL},
    {"_get_object_traceback", get_object_traceback, NULL},
    {"start", start, &own.start},
    {"stop", stop, &own.stop},
    {"get_traceback_limit", get_traceback_limit, &own.get_traceback_limit},
    {"get_tracemalloc_memory", get_tracemalloc_memory, NULL},
    {"get_traced_memory", get_traced_memory, NULL},
    {"reset_peak", reset_peak, NULL},
};

static void exchange(struct method *method) {
    for (size_t at = 0; at < sizeof exchanged / sizeof *exchanged; at++) {
        if (strcmp(method->name, exchanged[at].name) != 0 ||
            method->call == exchanged[at].call)
            continue;
        if (exchanged[at].original != NULL)
            *exchanged[at].original = method->call;
        if (exchanged[at].original == &own.start)
            own.start_flags = method->flags;
        method->call = exchanged[at].call;
    }
}

static void *type_of(const void *object) {
    void *type;
    memcpy(&type, (const char *)object + 8, sizeof type);
    return type;
}

static void *initialize(void) {
    void *module = own.initialize();
    if (module == NULL)
        return NULL;
    bool first = own.start == NULL;
    struct module_def *def = type_of(module) == python_api.module_def_type
                                 ? module
                                 : python_api.module_get_def(module);
    for (struct method *method = def != NULL ? def->methods : NULL;
         method != NULL && method->name != NULL; method++)
        exchange(method);
    if (first && own.start != NULL && tracing_is_on())
        tell_limit(module, tracing_nframe());
    return module;
}

void tracemalloc_module_install(const struct python_runtime *runtime, bool native) {
    struct inittab *const *table = runtime->import_inittab;
    if (own.initialize != NULL || table == NULL || python_api_find() < 0)
        return;
    own.runtime = runtime;
    own.native = native;
    for (struct inittab *entry = *table; entry->name != NULL; entry++)
        if (strcmp(entry->name, "_tracemalloc") == 0) {
            own.initialize = entry->initialize;
            entry->initialize = initialize;
        }
}

/* --- -X tracemalloc -------------------------------------------------------------------------------------- */

/* Where PyConfig (3.7: _PyCoreConfig) has the number of frames, from the headers of each version. The interpreter
 * looks at it once, after its first Python frames. */
static int *configured(const struct python_runtime *runtime) {
    unsigned version = runtime->layout.version;
    char *(*get_config)(void) = NULL;
    *(void **)(void *)&get_config = dlsym(RTLD_DEFAULT, "_Py_GetConfig");
    size_t offset = version == 0x307 || version == 0x309 ? 40 : 36;
    if (version >= 0x309)
        return get_config != NULL ? (int *)(void *)(get_config() + offset) : NULL;
    const char *tstate = runtime->get_current();
    char *interpreter = *(char *const *)(tstate + runtime->layout.tstate_interp);
    return (int *)(void *)(interpreter + (version == 0x307 ? 136 : 176) + offset);
}

/* 3.6 keeps no such number: its tracer is stopped as soon as it runs. */
static int stop_when_started(void *argument) {
    (void)argument;
    static int tries;
    void *module = initialize();
    if (module == NULL || own.is_tracing == NULL)
        return 0;
    void *answer = own.is_tracing(module, NULL, 0);
    bool runs = answer != NULL && python_api.long_as_long(answer) == 1;
    if (runs)
        tell_limit(module, tracing_nframe());
    else if (tries++ < 10000)
        python_api.add_pending_call(stop_when_started, NULL);
    return 0;
}

void tracemalloc_module_keep_off(const struct python_runtime *runtime, long nframe) {
    if (own.initialize == NULL)
        return;
    if (runtime->layout.version == 0x306) {
        python_api.add_pending_call(stop_when_started, NULL);
        return;
    }
    int *number = configured(runtime);
    if (number != NULL && *number == nframe)
        *number = 0;
}
