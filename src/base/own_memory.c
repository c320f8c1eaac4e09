/* SPDX-License-Identifier: MIT */
#include "base/own_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>

#include "base/io.h"
#include "base/sys.h"

/* Whether a filter (seccomp) may kill the process for a call that only the tracer
 * makes. */
static bool is_filtered(void) {
    static const char key[] = "\nSeccomp:\t";
    char text[4096];
    if (sys_confined || io_read_file("/proc/self/status", text, sizeof text) < 0)
        return true;
    const char *found = strstr(text, key);
    return found == NULL || found[sizeof key - 1] != '0';
}

/* A process that changed its user may not open its own memory. */
int own_memory_open(struct own_memory *memory) {
    *memory = (struct own_memory){
        .fd = sys_open("/proc/self/mem", O_RDONLY | O_CLOEXEC, 0),
        .pid = sys_getpid(),
    };
    int error = memory->fd < 0 ? memory->fd : 0;
    if (error < 0 && !is_filtered()) {
        char byte;
        memory->fd = -1;
        error = own_memory_read(memory, (uintptr_t)memory, &byte, 1) == 1 ? 0 : error;
    }
    return error;
}

void own_memory_close(struct own_memory *memory) {
    if (memory->fd >= 0)
        sys_close(memory->fd);
    memory->fd = -1;
}

size_t own_memory_read(const struct own_memory *memory, uintptr_t address, void *out,
                       size_t size) {
    long got;
    if (memory->fd >= 0) {
        got = sys_call(SYS_pread64, memory->fd, out, size, address);
    } else {
        struct iovec to = {out, size}, from = {(void *)address, size};
        got = sys_call(SYS_process_vm_readv, memory->pid, &to, 1, &from, 1, 0);
    }
    return got > 0 ? (size_t)got : 0;
}
