/* SPDX-License-Identifier: MIT */
#include "stack/python/python_lines.h"

#include <limits.h>

enum {
    LINETABLE_NO_LINE = -128,
    LOCATION_START = 0x80, /* set in the first byte of an entry only */
    LOCATION_NO_LINE = 0x1f,
    LOCATION_ONE_LINE_1 = 11,
    LOCATION_ONE_LINE_2 = 12,
    LOCATION_NO_COLUMNS = 13,
    LOCATION_LONG = 14,
};

/* Sums of deltas from a damaged table may leave the range of int. */
static int line_of(int64_t line) {
    return line < 0 || line > INT_MAX ? 0 : (int)line;
}

static int lnotab_find(struct python_line_scan *scan, int offset) {
    for (; scan->at + 1 < scan->length; scan->at += 2) {
        if (scan->start + scan->table[scan->at] > offset)
            break;
        scan->start += scan->table[scan->at];
        scan->line += (int8_t)scan->table[scan->at + 1];
    }
    return line_of(scan->line);
}

static int linetable_find(struct python_line_scan *scan, int offset) {
    for (; scan->at + 1 < scan->length; scan->at += 2) {
        int8_t delta = (int8_t)scan->table[scan->at + 1];
        int64_t line = delta == LINETABLE_NO_LINE ? scan->line : scan->line + delta;
        if (scan->start + scan->table[scan->at] > offset)
            return delta == LINETABLE_NO_LINE ? 0 : line_of(line);
        scan->start += scan->table[scan->at];
        scan->line = line;
    }
    return 0;
}

/* Six bits a byte, the lowest first; bit 6 says that more follow. */
static uint32_t read_varint(const uint8_t *at, const uint8_t *end) {
    uint32_t value = 0;
    for (unsigned shift = 0; at < end && shift < 32; shift += 6) {
        value |= (uint32_t)(*at & 0x3f) << shift;
        if ((*at++ & 0x40) == 0)
            break;
    }
    return value;
}

static int64_t location_line_delta(const uint8_t *entry, const uint8_t *end) {
    uint32_t value;
    switch ((*entry >> 3) & 0xf) {
    case LOCATION_ONE_LINE_1:
        return 1;
    case LOCATION_ONE_LINE_2:
        return 2;
    case LOCATION_NO_COLUMNS:
    case LOCATION_LONG:
        value = read_varint(entry + 1, end);
        return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
    default:
        return 0;
    }
}

static int locations_find(struct python_line_scan *scan, int offset) {
    const uint8_t *at = scan->table + scan->at, *limit = scan->table + scan->length;
    while (at < limit) {
        int64_t line = scan->line + location_line_delta(at, limit);
        int64_t end = scan->start + ((*at & 7) + 1) * 2;
        if (end > offset)
            return *at >> 3 == LOCATION_NO_LINE ? 0 : line_of(line);
        do
            at++;
        while (at < limit && (*at & LOCATION_START) == 0);
        scan->at = (size_t)(at - scan->table);
        scan->start = end;
        scan->line = line;
    }
    return 0;
}

void python_lines_open(struct python_line_scan *scan, const uint8_t *table,
                       size_t length, int first_line) {
    *scan = (struct python_line_scan){table, length, first_line, 0, 0, first_line};
}

int python_lines_find(enum python_line_format format, struct python_line_scan *scan,
                      int offset) {
    if (offset < 0)
        return line_of(scan->first_line);
    if (offset < scan->start)
        python_lines_open(scan, scan->table, scan->length, scan->first_line);
    switch (format) {
    case PYTHON_LINES_LNOTAB:
        return lnotab_find(scan, offset);
    case PYTHON_LINES_LINETABLE:
        return linetable_find(scan, offset);
    case PYTHON_LINES_LOCATIONS:
        return locations_find(scan, offset);
    }
    return 0;
}
