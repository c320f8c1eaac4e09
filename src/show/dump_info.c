/* SPDX-License-Identifier: MIT */
#include "show/dump_info.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

const char *dump_info_state_name(uint32_t state) {
    static const char *const names[] = {
        [TRACEMALLOC_DUMP_TRACING] = "tracing",
        [TRACEMALLOC_DUMP_STOPPED] = "stopped",
        [TRACEMALLOC_DUMP_EXITED] = "exited",
        [TRACEMALLOC_DUMP_EXEC] = "exec",
        [TRACEMALLOC_DUMP_SNAPSHOT] = "snapshot",
        [TRACEMALLOC_DUMP_SIGNAL] = "signal",
        [DUMP_READER_KILLED] = "killed",
        [DUMP_READER_UNKNOWN] = "unknown",
    };
    return names[state];
}

const char *dump_info_state(const struct dump_reader *reader) {
    return dump_info_state_name(reader->state);
}

const char *dump_info_implementation(const struct dump_reader *reader) {
    switch (reader->header.implementation) {
    case TRACEMALLOC_DUMP_CPYTHON:
    case TRACEMALLOC_DUMP_CPYTHON_UNKNOWN:
        return "cpython";
    case TRACEMALLOC_DUMP_CPYTHON_FREE_THREADED:
        return "cpython-free-threaded";
    case TRACEMALLOC_DUMP_PYPY:
        return "pypy";
    default:
        return NULL;
    }
}

/* PY_VERSION_HEX: one byte each for major, minor and micro, four bits each for the
 * release level and its serial number. */
void dump_info_version(const struct dump_reader *reader,
                       char text[DUMP_INFO_TEXT_SIZE]) {
    uint32_t version = reader->header.python_version;
    static const char *const levels[16] = {[0xa] = "a", [0xb] = "b", [0xc] = "rc"};
    const char *level = levels[version >> 4 & 0xf];
    text[0] = '\0';
    if (version == 0)
        return;
    int length = snprintf(text, DUMP_INFO_TEXT_SIZE, "%u.%u.%u", version >> 24,
                          version >> 16 & 0xff, version >> 8 & 0xff);
    if (level != NULL)
        snprintf(text + length, (size_t)(DUMP_INFO_TEXT_SIZE - length), "%s%u", level,
                 version & 0xf);
}

void dump_info_time(uint64_t nanoseconds, char text[DUMP_INFO_TIME_SIZE]) {
    time_t seconds = (time_t)(nanoseconds / 1000000000u);
    struct tm local;
    if (localtime_r(&seconds, &local) == NULL ||
        strftime(text, DUMP_INFO_TIME_SIZE, "%F %T %z", &local) == 0)
        snprintf(text, DUMP_INFO_TIME_SIZE, "%" PRIu64, nanoseconds);
}

void dump_info_signal(int number, char text[DUMP_INFO_TEXT_SIZE]) {
    const char *name = number > 0 ? sigabbrev_np(number) : NULL;
    if (name != NULL)
        snprintf(text, DUMP_INFO_TEXT_SIZE, "SIG%s", name);
    else if (number >= SIGRTMIN && number <= SIGRTMAX)
        snprintf(text, DUMP_INFO_TEXT_SIZE, "SIGRTMIN+%d", number - SIGRTMIN);
    else
        snprintf(text, DUMP_INFO_TEXT_SIZE, "signal %d", number);
}

/* How a process ended, from a dump's header or from its section of processes. */
struct ending {
    uint32_t state;
    int exit_status;
    int signal;
    bool oom_killed;
};

static void describe_signal(const struct ending *ending,
                            char text[DUMP_INFO_TEXT_SIZE * 2]) {
    char name[DUMP_INFO_TEXT_SIZE];
    dump_info_signal(ending->signal, name);
    snprintf(text, DUMP_INFO_TEXT_SIZE * 2, "killed by %s (%d)%s", name, ending->signal,
             ending->oom_killed ? ", out of memory" : "");
}

static void describe(const struct ending *ending, char text[DUMP_INFO_TEXT_SIZE * 2]) {
    static const char *const texts[] = {
        [TRACEMALLOC_DUMP_TRACING] = "running and being traced",
        [TRACEMALLOC_DUMP_STOPPED] = "tracing was stopped, the process went on",
        [TRACEMALLOC_DUMP_EXEC] = "replaced by another program (exec)",
        [TRACEMALLOC_DUMP_SNAPSHOT] = "a snapshot of a running process",
        [DUMP_READER_KILLED] = "killed by an unknown signal",
        [DUMP_READER_UNKNOWN] = "running or killed: it cannot be seen from here",
    };
    if (ending->state == TRACEMALLOC_DUMP_SIGNAL)
        describe_signal(ending, text);
    else if (ending->state == TRACEMALLOC_DUMP_EXITED)
        snprintf(text, DUMP_INFO_TEXT_SIZE * 2, "exited with status %d",
                 ending->exit_status);
    else
        snprintf(text, DUMP_INFO_TEXT_SIZE * 2, "%s", texts[ending->state]);
}

/* A copy that the process itself wrote. */
static bool describe_reached(const struct tracemalloc_dump_header *header,
                             char text[DUMP_INFO_TEXT_SIZE * 2]) {
    if (header->reached_percent != 0)
        snprintf(text, DUMP_INFO_TEXT_SIZE * 2,
                 "when %" PRIu32 "%% of its memory limit were in use",
                 header->reached_percent);
    else if (header->reached_bytes != 0)
        snprintf(text, DUMP_INFO_TEXT_SIZE * 2, "when %" PRIu64 " MiB were resident",
                 header->reached_bytes >> 20);
    return header->reached_percent != 0 || header->reached_bytes != 0;
}

void dump_info_ending(const struct dump_reader *reader,
                      char text[DUMP_INFO_TEXT_SIZE * 2]) {
    const struct tracemalloc_dump_header *header = &reader->header;
    if (reader->state == TRACEMALLOC_DUMP_SNAPSHOT && describe_reached(header, text))
        return;
    struct ending ending = {reader->state, header->exit_status, header->signal,
                            header->oom_killed == 1};
    describe(&ending, text);
}

void dump_info_process_ending(const struct dump_reader *reader, uint32_t process,
                              char text[DUMP_INFO_TEXT_SIZE * 2]) {
    const struct tracemalloc_dump_process *entry = &reader->processes[process];
    struct ending ending = {entry->state, entry->exit_status, entry->signal, false};
    describe(&ending, text);
}

bool dump_info_next_argument(struct dump_text all, size_t *at,
                             struct dump_text *argument) {
    if (*at >= all.length)
        return false;
    argument->bytes = all.bytes + *at;
    argument->length = strnlen(argument->bytes, all.length - *at);
    *at += argument->length + 1;
    return true;
}

bool dump_info_argument(const struct dump_reader *reader, size_t *at,
                        struct dump_text *argument) {
    return dump_info_next_argument(dump_reader_text(reader, reader->header.argv), at,
                                   argument);
}
