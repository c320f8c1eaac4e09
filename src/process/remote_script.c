/* SPDX-License-Identifier: MIT */
#include "process/remote_script.h"

#include <errno.h>
#include <string.h>

enum {
    MAX_PATH = 512, /* _Py_MAX_SCRIPT_PATH_SIZE of Include/cpython/pystate.h */
    PATH_OFFSET = 4,
    FINAL_RELEASE = 0xf0,
    PLEASE_STOP = 1 << 5, /* _PY_EVAL_PLEASE_STOP_BIT of pycore_ceval.h */
    OFFSETS_SIZE = 1024,
};

/* Where struct _Py_DebugOffsets has what is needed (pycore_debug_offsets.h of each
 * version). */
static const struct row {
    uint16_t version; /* major << 8 | minor */
    uint16_t interpreters_head;
    uint16_t threads_main;
    uint16_t debugger_support;
} rows[] = {
    {0x30e, 40, 80, 712},
    {0x30f, 40, 80, 840},
};

/* The last member of that struct. */
struct debugger_support {
    uint64_t eval_breaker;
    uint64_t remote_debugger_support;
    uint64_t remote_debugging_enabled;
    uint64_t pending;
    uint64_t path;
    uint64_t path_size;
};

static uint64_t word_at(const unsigned char *offsets, size_t at) {
    uint64_t word;
    memcpy(&word, offsets + at, sizeof word);
    return word;
}

static const struct row *find_row(const unsigned char *offsets) {
    uint64_t version = word_at(offsets, 8);
    if (memcmp(offsets, "xdebugpy", 8) != 0 || (version & 0xff) != FINAL_RELEASE)
        return NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (version >> 16 == rows[i].version)
            return &rows[i];
    return NULL;
}

static int find_runtime(pid_t pid, const struct remote_mappings *mappings,
                        uint64_t *out) {
    for (size_t i = 0; i < mappings->count; i++) {
        const struct remote_mapping *mapping = &mappings->all[i];
        if (mapping->offset == 0 && strstr(mapping->path, "python") != NULL &&
            remote_symbol_find(pid, mapping->start, "_PyRuntime", out) == 0)
            return 0;
    }
    return -ENOENT;
}

static int read_word(pid_t pid, uint64_t address, uint64_t *out) {
    return remote_memory_read(pid, address, out, sizeof *out);
}

static int find_thread(struct remote_script *script, uint64_t runtime,
                       const unsigned char *offsets, const struct row *row) {
    struct debugger_support support;
    uint64_t interpreter = 0, thread = 0;
    int32_t enabled = 0;
    memcpy(&support, offsets + row->debugger_support, sizeof support);
    if (support.pending != 0 || support.path != PATH_OFFSET ||
        support.path_size != MAX_PATH)
        return -ENOENT;
    int error = read_word(
        script->pid, runtime + word_at(offsets, row->interpreters_head), &interpreter);
    if (error == 0)
        error = remote_memory_read(script->pid,
                                   interpreter + support.remote_debugging_enabled,
                                   &enabled, sizeof enabled);
    if (error == 0 && enabled != 1)
        return -EACCES;
    if (error == 0)
        error = read_word(script->pid,
                          interpreter + word_at(offsets, row->threads_main), &thread);
    script->support = thread + support.remote_debugger_support;
    script->eval_breaker = thread + support.eval_breaker;
    return error == 0 && thread == 0 ? -ENOENT : error;
}

int remote_script_open(struct remote_script *script, pid_t pid,
                       const struct remote_mappings *mappings) {
    unsigned char offsets[OFFSETS_SIZE];
    uint64_t runtime = 0;
    *script = (struct remote_script){.pid = pid};
    int error = find_runtime(pid, mappings, &runtime);
    if (error == 0)
        error = remote_memory_read(pid, runtime, offsets, sizeof offsets);
    if (error < 0)
        return error;
    const struct row *row = find_row(offsets);
    return row != NULL ? find_thread(script, runtime, offsets, row) : -ENOENT;
}

static int set_pending(const struct remote_script *script, int32_t value) {
    return remote_memory_write(script->pid, script->support, &value, sizeof value);
}

int remote_script_ask(const struct remote_script *script, const char *path) {
    uint64_t breaker = 0;
    int32_t pending = 0;
    if (strlen(path) >= MAX_PATH)
        return -ENAMETOOLONG;
    int error =
        remote_memory_read(script->pid, script->support, &pending, sizeof pending);
    if (error == 0 && pending != 0)
        return -EBUSY;
    if (error == 0)
        error = remote_memory_write(script->pid, script->support + PATH_OFFSET, path,
                                    strlen(path) + 1);
    if (error == 0)
        error = set_pending(script, 1);
    if (error == 0)
        error = read_word(script->pid, script->eval_breaker, &breaker);
    breaker |= PLEASE_STOP;
    return error == 0 ? remote_memory_write(script->pid, script->eval_breaker, &breaker,
                                            sizeof breaker)
                      : error;
}

/* The interpreter clears the flag, copies the path, and runs nothing if that is empty:
 * a flag that is still set after the path was emptied leads to nothing. */
bool remote_script_withdraw(const struct remote_script *script) {
    static const char empty[] = "";
    int32_t pending = 0;
    if (remote_memory_write(script->pid, script->support + PATH_OFFSET, empty,
                            sizeof empty) < 0 ||
        remote_memory_read(script->pid, script->support, &pending, sizeof pending) < 0)
        return true;
    return pending != 0 && set_pending(script, 0) == 0;
}
