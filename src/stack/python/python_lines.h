/* SPDX-License-Identifier: MIT */
/* Decodes CPython's line-number tables: instruction offset to source line, in each of
 * the three formats that 3.6 to 3.15 used. Pure functions on the caller's bytes: any
 * thread, no locks, no allocation, a few words of stack. A damaged table gives a wrong
 * line, never a read outside of it. Formats: Objects/lnotab_notes.txt (to 3.10) and
 * Objects/locations.md or InternalDocs/code_objects.md (3.11 and later) of CPython. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum python_line_format {
    PYTHON_LINES_LNOTAB,    /* 3.6 to 3.9: co_lnotab */
    PYTHON_LINES_LINETABLE, /* 3.10: co_linetable of (bytes, lines) pairs */
    PYTHON_LINES_LOCATIONS, /* 3.11 and later: co_linetable with columns */
};

/* A table, and how far it was read by the last search: one for a later instruction goes
 * on from there, for a module's code, whose table may be long, runs from its start to
 * its end. */
struct python_line_scan {
    const uint8_t *table;
    size_t length;
    int first_line;
    size_t at;     /* of the entry that comes next */
    int64_t start; /* bytes of instructions before it */
    int64_t line;  /* of what is before it */
};

void python_lines_open(struct python_line_scan *scan, const uint8_t *table,
                       size_t length, int first_line);

/* `offset` is the instruction's, in bytes; below 0 stands for "not begun" and gives
 * `first_line`. Returns what PyCode_Addr2Line() does, but 0 where that says -1: the
 * instruction has no line. */
int python_lines_find(enum python_line_format format, struct python_line_scan *scan,
                      int offset);
