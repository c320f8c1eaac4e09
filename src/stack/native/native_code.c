/* SPDX-License-Identifier: MIT */
#include "stack/native/native_code.h"

#include <fcntl.h>
#include <stddef.h>

#include "base/sys.h"
#include "stack/native/native_machine.h"

enum {
    RANGES = 64,
    MAX_SKIPPED = 1024 /* questions that are answered without the kernel after misses */
};

/* Executable memory that was met; what is gone since does no harm, for no code is read
 * on the strength of it. */
static struct range { uintptr_t start, end; } ranges[RANGES];
static unsigned next_range;

/* Words that only resemble return addresses must not cost a file each. */
static unsigned misses, skip;

bool native_code_is_of(const struct native_object *object, uintptr_t address) {
    size_t count;
    const ElfW(Phdr) *segment = native_object_segments(object, &count);
    for (; count > 0; count--, segment++)
        if (segment->p_type == PT_LOAD && (segment->p_flags & PF_X) != 0 &&
            address - object->bias - segment->p_vaddr < segment->p_memsz)
            return true;
    return false;
}

/* A line of the file: start-end rwxp and more. */
struct line {
    uintptr_t bounds[2];
    unsigned field; /* 0, 1: a bound; 2: access; 3: the rest */
    bool executable;
};

static bool read_character(struct line *line, char c, uintptr_t address) {
    if (c == '\n') {
        *line = (struct line){0};
    } else if (line->field < 2) {
        if (c == '-' || c == ' ')
            line->field++;
        else
            line->bounds[line->field] = line->bounds[line->field] << 4 |
                                        (uintptr_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    } else if (line->field == 2) {
        line->executable |= c == 'x';
        line->field += c == ' ';
        return c == ' ' && line->executable &&
               address - line->bounds[0] < line->bounds[1] - line->bounds[0];
    }
    return false;
}

static bool find_range(int fd, uintptr_t address, struct range *out) {
    static char text[4096]; /* protected by the tracer's lock */
    struct line line = {0};
    long size;
    while ((size = sys_call(SYS_read, fd, text, sizeof text)) > 0)
        for (long i = 0; i < size; i++)
            if (read_character(&line, text[i], address)) {
                *out = (struct range){line.bounds[0], line.bounds[1]};
                return true;
            }
    return false;
}

static bool ask_kernel(uintptr_t address, struct range *out) {
    int fd = sys_open("/proc/self/maps", O_RDONLY | O_CLOEXEC, 0);
    bool found = fd >= 0 && find_range(fd, address, out);
    if (fd >= 0)
        sys_close(fd);
    return found;
}

bool native_code_is_new(uintptr_t address) {
    struct range range;
    if (!native_instruction_is_after_call(address))
        return false;
    for (unsigned i = 0; i < RANGES; i++)
        if (address - ranges[i].start < ranges[i].end - ranges[i].start)
            return true;
    if (skip > 0) {
        skip--;
        return false;
    }
    if (!ask_kernel(address, &range)) {
        misses = misses < MAX_SKIPPED ? misses * 2 + 1 : misses;
        skip = misses / 4;
        return false;
    }
    misses = 0;
    ranges[next_range++ % RANGES] = range;
    return true;
}
