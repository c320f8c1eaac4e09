/* SPDX-License-Identifier: MIT */
#include "preload/tracing.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/arena.h"
#include "base/io.h"
#include "base/message.h"
#include "base/process.h"
#include "base/sys.h"
#include "preload/bus_guard.h"
#include "preload/free_lists.h"
#include "preload/pymem_hooks.h"
#include "preload/record.h"
#include "preload/tracemalloc_module.h"
#include "trace/name_table.h"
#include "trace/recycle.h"
#include "trace/room.h"
#include "trace/stack_table.h"
#include "trace/timeline.h"

enum { LONGEST_ARGV = 1 << 16, QUIET_EVENTS = 16 };

static struct lock lock = {.rank = LOCK_CONTROL};
static const struct options *options;
static const struct python_runtime *runtime;
static uint32_t signal_number; /* what the process listens to; 0: nothing */
static uint32_t generation;    /* dumps before this one */
/* In a child that has no file yet: the calls whose events make none. First that of
 * fork, then the one after it. */
static struct python_place quiet_place;
static uint32_t
    quiet_events; /* that the second of them may still have; 0: it is the first */
static uint32_t child_pid;
/* Of -X tracemalloc, until the interpreter was kept from obeying it. */
static long kept_off_nframe;

void tracing_prepare(const struct options *read, const struct python_runtime *found) {
    options = read;
    runtime = found;
}

bool tracing_is_on(void) {
    return tracer.active;
}

static uint32_t add_code(const char *filename, size_t filename_length, const char *name,
                         size_t name_length, uint32_t first_line) {
    return name_table_code(name_table_string(filename, filename_length),
                           name_table_string(name, name_length), first_line);
}

static uint32_t add_node(uint32_t parent, uint32_t code, uint32_t line) {
    return stack_table_node(parent, code, line);
}

static bool holds_gil(void) {
    const void *own = runtime->this_thread();
    return own != NULL && runtime->get_current() == own;
}

void tracing_hook_objects(void) {
    if (options->free_lists)
        free_lists_install(runtime);
}

void tracing_keep_off(long nframe) {
    kept_off_nframe = nframe;
}

/* The first frame with the GIL: the interpreter's types are ready. */
static bool ready(void) {
    if (!holds_gil())
        return false;
    /* 3.6 chooses its allocators after our constructor. */
    if (runtime->layout.version == 0x306)
        pymem_hooks_install(runtime);
    if (record_python.thread_local_current && record_python.current_offset == 0)
        record_python.current_offset =
            python_runtime_current_offset(runtime, runtime->get_current());
    if (record_python.current_tstate != NULL &&
        *record_python.current_tstate != runtime->get_current())
        record_python.current_tstate = NULL;
    tracing_hook_objects();
    if (kept_off_nframe > 0)
        tracemalloc_module_keep_off(runtime, kept_off_nframe);
    kept_off_nframe = 0;
    return true;
}

static void refused(void) {
    record_python.enabled = false;
    record_direct = RECORD_INDIRECT;
    tracer.dump->header->lost[TRACEMALLOC_DUMP_LOST_PYTHON]++;
    message(
        "this interpreter's frames are not where they should be; Python frames are off",
        NULL);
}

static void forget_stacks(const struct id_set *stacks) {
    python_stack_forget_nodes(stacks);
    native_merge_forget();
}

static void renewed(void) {
    static const struct recycle_memo memo = {python_stack_spare_codes, forget_stacks};
    if (room.wanted)
        recycle(tracer.dump, &memo);
}

static const struct python_stack_sink sink = {add_code, add_node, tracer_watch_code,
                                              ready,    refused,  renewed};

/* --- the header ------------------------------------------------------------------- */

static tracemalloc_dump_string read_argv(void) {
    static char text[LONGEST_ARGV]; /* protected by lock */
    ptrdiff_t length = io_read_file("/proc/self/cmdline", text, sizeof text);
    return length > 0 ? name_table_string(text, (size_t)length) : 0;
}

static tracemalloc_dump_string read_executable(void) {
    char path[512];
    long length = sys_call(SYS_readlinkat, -100, "/proc/self/exe", path, sizeof path);
    return length > 0 ? name_table_string(path, (size_t)length) : 0;
}

static void describe_process(struct tracemalloc_dump_header *header) {
    header->pid = (uint32_t)sys_getpid();
    header->ppid = (uint32_t)sys_call(SYS_getppid);
    header->start_time = process_clock();
    if (process_start_time(header->pid, &header->process_start) < 0)
        header->process_start = 0;
    process_boot_id(header->boot_id, sizeof header->boot_id);
    header->run_id = options->run_id;
    header->generation = generation;
    header->state = TRACEMALLOC_DUMP_TRACING;
    header->oom_killed = -1;
    header->request_signal = signal_number;
    timeline_open(tracer.dump);
}

static uint32_t implementation(void) {
    switch (runtime->implementation) {
    case PYTHON_CPYTHON:
        return TRACEMALLOC_DUMP_CPYTHON;
    case PYTHON_CPYTHON_FREE_THREADED:
        return TRACEMALLOC_DUMP_CPYTHON_FREE_THREADED;
    case PYTHON_PYPY:
        return TRACEMALLOC_DUMP_PYPY;
    default:
        return TRACEMALLOC_DUMP_NO_PYTHON;
    }
}

static void describe(struct tracemalloc_dump_header *header, uint32_t nframe,
                     bool frames_work) {
    describe_process(header);
    header->argv = read_argv();
    header->executable = read_executable();
    header->implementation = implementation();
    header->python_version = runtime->version;
    header->nframe = nframe;
    header->native_nframe = record_native_limit();
    header->free_lists = options->free_lists && frames_work;
    if (!frames_work && runtime->implementation != PYTHON_NONE)
        header->lost[TRACEMALLOC_DUMP_LOST_VERSION]++;
}

/* --- the file --------------------------------------------------------------------- */

static int expand_name(char *name, size_t size) {
    char command[64] = "";
    struct utsname host;
    int saved = errno;
    if (uname(&host) != 0)
        host.nodename[0] = '\0';
    errno = saved;
    if (io_read_file("/proc/self/comm", command, sizeof command) < 0)
        command[0] = '\0';
    command[strcspn(command, "\n")] = '\0';
    struct pattern_values values = {(uint32_t)sys_getpid(), command, host.nodename,
                                    process_clock() / 1000000000u};
    return options_expand_pattern(options->output, &values, name, size);
}

static const char *temporary_folder(void) {
    for (char *const *variable = environ; variable != NULL && *variable != NULL;
         variable++)
        if (strncmp(*variable, "TMPDIR=", 7) == 0)
            return *variable + 7;
    return "/tmp";
}

static const char *reason(int status) {
    if (status == -ENODEV)
        return "it is not a regular file";
    if (status == -EFBIG)
        return "the limit on its size is too low";
    return strerrordesc_np(-status);
}

/* One line when the dump is not where it was asked for. */
static void attach(void) {
    static char name[PATH_MAX]; /* protected by lock */
    const char *const folders[] = {temporary_folder(), "/tmp", NULL};
    struct dump_file_place place = {0};
    int status = expand_name(name, sizeof name);
    if (status == 0)
        status = dump_file_attach(tracer.dump, name, folders, &place);
    else
        place.refused = status;
    if (status < 0)
        message("no dump is written: ", name, ": ", reason(place.refused), NULL);
    else if (place.refused < 0)
        message("cannot write ", name, " (", reason(place.refused), "); the dump is ",
                tracer.dump->path, NULL);
    if (status < 0)
        tracer.dump->header->lost[TRACEMALLOC_DUMP_LOST_FILE]++;
}

/* --- start and stop --------------------------------------------------------------- */

static unsigned granule(void) {
    return runtime->version >> 16 < 0x308 ? 8 : 16;
}

static int open_all(uint32_t nframe, bool frames_work) {
    struct tracer_start start = {granule(), options->max_file,
                                 frames_work ? python_stack_code_freed : NULL};
    int status = tracer_open(&start);
    if (status < 0)
        return status;
    if (frames_work)
        status = python_stack_open(runtime, &sink, nframe);
    if (status < 0) {
        python_stack_close();
        tracer_close();
        return status;
    }
    describe(tracer.dump->header, nframe, frames_work);
    record_native_open(frames_work ? &runtime->layout : NULL);
    record_python.enabled = frames_work;
    return 0;
}

static int start_locked(uint32_t nframe, bool frames_work) {
    if (tracing_is_on())
        return -EALREADY;
    int status = open_all(nframe, frames_work);
    if (status < 0) {
        message("not tracing: no memory for the tables", NULL);
        return status;
    }
    attach();
    bus_guard_install();
    generation++;
    tracer_activate();
    if (record_python.enabled && !record_native.enabled)
        record_direct = python_walk.recent ? RECORD_RECENT : RECORD_DIRECT;
    record_open = true;
    return 0;
}

/* Marks the thread as inside, so that a signal handler does not meet a half-made
 * table. */
static struct thread_state *take_all(void) {
    struct thread_state *self = thread_state_get();
    self->inside = true;
    lock_take(&lock);
    lock_take(&tracer.lock);
    return self;
}

static void release_all(struct thread_state *self) {
    lock_release(&tracer.lock);
    lock_release(&lock);
    self->inside = false;
    if (self->put_off)
        record_deferred(self);
}

int tracing_start(uint32_t nframe, bool frames_work) {
    struct thread_state *self = take_all();
    int status = start_locked(nframe, frames_work);
    release_all(self);
    return status;
}

static void seal(enum tracemalloc_dump_state state, int status) {
    struct tracemalloc_dump_header *header = tracer.dump->header;
    tracer_measure();
    timeline_add();
    header->end_time = process_clock();
    header->exit_status = status;
    __atomic_store_n(&header->state, (uint32_t)state, __ATOMIC_RELEASE);
}

int tracing_stop(void) {
    struct thread_state *self = take_all();
    int status = tracing_is_on() ? 0 : -EALREADY;
    if (status == 0) {
        record_open = record_asleep = false;
        record_direct = RECORD_INDIRECT;
        tracer_deactivate();
        seal(TRACEMALLOC_DUMP_STOPPED, 0);
        record_native_close();
        python_stack_close();
        tracer_close();
    }
    release_all(self);
    return status;
}

int tracing_clear(void) {
    struct thread_state *self = take_all();
    int status = tracer.active ? 0 : -EALREADY;
    if (status == 0) {
        tracer_clear();
        /* The map's flags on code objects are gone, and with them the notice of their
         * death. */
        if (record_python.enabled)
            python_stack_forget();
        __atomic_fetch_add(&tracer.dump->header->cleared, 1, __ATOMIC_RELEASE);
    }
    release_all(self);
    return status;
}

int tracing_snapshot(const char *path) {
    struct thread_state *self = take_all();
    int status = -EALREADY;
    if (tracer.active)
        status = dump_file_copy(tracer.dump, path, process_clock());
    release_all(self);
    return status;
}

void tracing_set_signal(uint32_t number) {
    signal_number = number;
    if (tracer.active)
        tracer.dump->header->request_signal = number;
}

/* --- answers ---------------------------------------------------------------------- */

struct tracing_totals tracing_totals(void) {
    struct tracing_totals totals = {0};
    struct thread_state *self = take_all();
    if (tracer.active) {
        const struct tracemalloc_dump_header *header = tracer.dump->header;
        totals.python_bytes = header->python_bytes;
        totals.python_peak_bytes = header->python_peak_bytes > header->python_bytes
                                       ? header->python_peak_bytes
                                       : header->python_bytes;
    }
    release_all(self);
    return totals;
}

void tracing_reset_peak(void) {
    struct thread_state *self = take_all();
    if (tracer.active)
        tracer.dump->header->python_peak_bytes = tracer.dump->header->python_bytes;
    release_all(self);
}

uint32_t tracing_nframe(void) {
    struct thread_state *self = take_all();
    uint32_t nframe = tracing_is_on() ? tracer.dump->header->nframe : 0;
    release_all(self);
    return nframe;
}

uint64_t tracing_memory(void) {
    struct thread_state *self = take_all();
    uint64_t bytes = 0;
    if (tracer.active)
        bytes = arena_bytes() + block_map_bytes() + tracer.dump->header->file_size;
    release_all(self);
    return bytes;
}

/* --- the end ---------------------------------------------------------------------- */

static void end_quiet(void);

static bool is_own_dump(void) {
    return tracer.active && tracer.dump->header->pid == (uint32_t)sys_getpid();
}

void tracing_end(enum tracemalloc_dump_state state, int status) {
    end_quiet();
    if (!is_own_dump() || thread_state_get()->inside)
        return;
    struct thread_state *self = take_all();
    if (tracer.active) {
        if (state == TRACEMALLOC_DUMP_EXITED)
            tracer_freeze();
        seal(state, status);
    }
    release_all(self);
}

void tracing_resume(void) {
    if (!is_own_dump())
        return;
    struct tracemalloc_dump_header *header = tracer.dump->header;
    header->end_time = 0;
    __atomic_store_n(&header->state, TRACEMALLOC_DUMP_TRACING, __ATOMIC_RELEASE);
}

/* --- fork ------------------------------------------------------------------------- */

static const char *own_tstate(void) {
    return record_python.enabled ? runtime->this_thread() : NULL;
}

static void get_file(void) {
    struct thread_state *self = take_all();
    if (record_asleep) {
        describe_process(tracer.dump->header);
        attach();
        record_asleep = false;
        record_open = true;
    }
    release_all(self);
}

/* What the interpreter allocates to recover from a fork, and then a little in one call,
 * counts, but makes no file yet: the child that only leaves, by os._exit or an exec, is
 * to have none. */
static bool is_quiet(void) {
    const char *tstate = own_tstate();
    if (tstate == NULL || quiet_place.frame == NULL)
        return false;
    if (python_stack_is_within(tstate, &quiet_place))
        return quiet_events == 0 || --quiet_events > 0;
    if (quiet_events != 0)
        return false;
    quiet_events = QUIET_EVENTS;
    quiet_place = python_stack_place(tstate);
    return true;
}

/* A child that ends elsewhere than in its one quiet call has allocated: it gets its
 * file now. */
static void end_quiet(void) {
    const char *tstate = own_tstate();
    bool is_own = record_asleep && (uint32_t)sys_getpid() == child_pid;
    if (is_own && quiet_events != 0 &&
        (tstate == NULL || !python_stack_is_within(tstate, &quiet_place)))
        get_file();
}

static bool wake(void) {
    struct thread_state *self = thread_state_get();
    if (!self->inside && !self->nested && !is_quiet())
        get_file();
    return true;
}

void tracing_before_fork(void) {
    struct thread_state *self = take_all();
    if (!tracer.active || !options->follow_fork)
        return;
    const char *tstate = self->ended ? NULL : own_tstate();
    quiet_place =
        tstate != NULL ? python_stack_place(tstate) : (struct python_place){0};
    quiet_events = 0;
    dump_file_before_fork(tracer.dump);
}

void tracing_in_parent(void) {
    if (tracer.active && options->follow_fork)
        dump_file_in_parent(tracer.dump);
    release_all(thread_state_get());
}

static void forget_dump(void) {
    record_open = record_asleep = false;
    record_direct = RECORD_INDIRECT;
    tracer_deactivate();
    record_native_close();
    python_stack_close();
    tracer_close();
}

/* The other threads are gone, and with them whoever waited for a lock. */
void tracing_in_child(void) {
    lock_fork(&tracer.lock);
    lock_fork(&lock);
    thread_state_fork();
    record_wake = wake;
    if (tracer.active && (!options->follow_fork || dump_file_in_child(tracer.dump) < 0))
        forget_dump();
    else if (tracer.active) {
        record_open = false;
        record_asleep = true;
        /* Not this process's: nothing of the parent's end or exec may be written
         * here. */
        tracer.dump->header->pid = 0;
        child_pid = (uint32_t)sys_getpid();
    }
    release_all(thread_state_get());
}
