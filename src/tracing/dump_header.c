/* SPDX-License-Identifier: MIT */
#include "tracing/dump_header.h"

#include <fcntl.h>
#include <string.h>

#include "base/build.h"
#include "base/io.h"
#include "base/process.h"
#include "base/sys.h"
#include "event/event.h"
#include "trace/name_table.h"
#include "tracing/traced_process.h"

enum { MAX_ARGV = 1 << 16 };

static tracemalloc_dump_string read_argv(void) {
    static char text[MAX_ARGV]; /* protected by traced_process_lock */
    ptrdiff_t length = io_read_file("/proc/self/cmdline", text, sizeof text);
    return length > 0 ? name_table_string(text, (size_t)length) : 0;
}

static tracemalloc_dump_string read_executable(void) {
    char path[512];
    long length =
        sys_call(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", path, sizeof path);
    return length > 0 ? name_table_string(path, (size_t)length) : 0;
}

/* The rest of the field is zero, also when a child writes the same again. */
static void set_name(char *field, size_t size, const char *text) {
    memcpy(field, text, strnlen(text, size - 1));
}

static void describe_library(struct tracemalloc_dump_header *header) {
    set_name(header->library_version, sizeof header->library_version, build_version);
    set_name(header->library_build, sizeof header->library_build, build_description);
    set_name(header->library_machine, sizeof header->library_machine, build_machine);
}

void dump_header_describe_process(void) {
    struct tracemalloc_dump_header *header = tracer.dump->header;
    describe_library(header);
    header->pid = (uint32_t)sys_getpid();
    header->ppid = (uint32_t)sys_call(SYS_getppid);
    header->start_time = process_clock();
    if (process_own_start_time(&header->process_start) < 0)
        header->process_start = 0;
    header->pid_namespace = process_pid_namespace();
    process_boot_id(header->boot_id, sizeof header->boot_id);
    header->run_id = traced_process.options->run_id;
    header->generation = traced_process.generation;
    header->state = TRACEMALLOC_DUMP_TRACING;
    header->oom_killed = -1;
    header->request_signal = tracemalloc_request_signal;
    timeline_open(tracer.dump);
}

static uint32_t implementation(void) {
    switch (traced_process.runtime->implementation) {
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

/* Whoever wants samples as close as that wants detail; a process that is always traced
 * takes coarser ones, which cost less than seeing the free lists. */
enum { FINE_SAMPLES = 16 << 10 };

static bool are_free_lists_seen(void) {
    uint32_t when = traced_process.options->free_lists;
    return when == OPTIONS_FREE_LISTS_ALWAYS ||
           (when == OPTIONS_FREE_LISTS_EXACT &&
            tracer.dump->header->sample_distance <= FINE_SAMPLES);
}

void dump_header_describe(uint32_t nframe, bool frames_work) {
    struct tracemalloc_dump_header *header = tracer.dump->header;
    dump_header_describe_process();
    header->argv = read_argv();
    header->executable = read_executable();
    header->implementation = implementation();
    header->python_version = traced_process.runtime->version;
    header->nframe = nframe;
    header->native_nframe = event_native_limit();
    header->free_lists = frames_work && are_free_lists_seen();
    if (!frames_work && traced_process.runtime->implementation != PYTHON_NONE)
        header->lost[TRACEMALLOC_DUMP_LOST_VERSION]++;
    if (traced_process.late)
        header->loaded_late = header->start_time;
    header->lost[TRACEMALLOC_DUMP_LOST_MALLOC] = traced_process.bypassed;
    header->lost[TRACEMALLOC_DUMP_LOST_TRACK] = traced_process.unredirected;
}
