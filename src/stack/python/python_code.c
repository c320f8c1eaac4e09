/* SPDX-License-Identifier: MIT */
#include "stack/python/python_code.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

/* Bits of tp_flags that say of which builtin a type is a subclass. */
enum { TYPE_IS_BYTES = 1 << 27, TYPE_IS_STRING = 1 << 28 };

/* Bits of PyASCIIObject.state; the kind is the size of a character in bytes. */
enum {
    STATE_KIND_SHIFT = 2,
    STATE_KIND_MASK = 7,
    STATE_COMPACT = 1 << 5,
    STATE_ASCII = 1 << 6,
    STATE_READY = 1 << 7,
};

enum { MAX_CODE_POINT = 0x10ffff, REPLACEMENT_CODE_POINT = 0xfffd };

struct characters {
    const void *data;
    size_t length;
    unsigned size; /* of a character: 1, 2 or 4 bytes */
};

static int read_int(const void *object, size_t offset) {
    int value;
    memcpy(&value, (const char *)object + offset, sizeof value);
    return value;
}

static bool object_is(const struct python_layout *layout, const void *object,
                      uintptr_t type_flag) {
    const void *type =
        object != NULL ? python_layout_pointer(object, layout->object_type) : NULL;
    return type != NULL &&
           ((uintptr_t)python_layout_pointer(type, layout->type_flags) & type_flag);
}

static int read_bytes(const struct python_layout *layout, const void *object,
                      const uint8_t **data, size_t *length) {
    if (!object_is(layout, object, TYPE_IS_BYTES))
        return -EINVAL;
    intptr_t size = (intptr_t)python_layout_pointer(object, layout->bytes_size);
    if (size < 0)
        return -EINVAL;
    *data = (const uint8_t *)object + layout->bytes_data;
    *length = (size_t)size;
    return 0;
}

static int read_names(const struct python_layout *layout, const void *code,
                      struct python_code *out) {
    uint16_t name = layout->code_qualname ? layout->code_qualname : layout->code_name;
    out->filename = python_layout_pointer(code, layout->code_filename);
    out->name = python_layout_pointer(code, name);
    if (!object_is(layout, out->filename, TYPE_IS_STRING))
        return -EINVAL;
    return object_is(layout, out->name, TYPE_IS_STRING) ? 0 : -EINVAL;
}

static int read_bytecode(const struct python_layout *layout, const void *code,
                         struct python_code *out) {
    size_t length;
    if (layout->frames == PYTHON_FRAMES_OBJECT)
        return read_bytes(layout, python_layout_pointer(code, layout->code_bytecode),
                          &out->bytecode, &length);
    out->bytecode = (const uint8_t *)code + layout->code_bytecode;
    out->first_traceable = 2 * read_int(code, layout->code_first_traceable);
    return 0;
}

int python_code_read(const struct python_layout *layout, const void *code_type,
                     const void *code, struct python_code *out) {
    *out = (struct python_code){0};
    if (code == NULL || python_layout_pointer(code, layout->object_type) != code_type)
        return -EINVAL;
    int error = read_names(layout, code, out);
    if (error < 0)
        return error;
    out->first_line = read_int(code, layout->code_first_line);
    error = read_bytes(layout, python_layout_pointer(code, layout->code_line_table),
                       &out->line_table, &out->line_table_length);
    return error < 0 ? error : read_bytecode(layout, code, out);
}

static int offset_of(const struct python_layout *layout, const struct python_code *code,
                     const void *ip) {
    intptr_t offset;
    if (layout->frames == PYTHON_FRAMES_OBJECT)
        offset = (intptr_t)ip * layout->ip_unit;
    else
        offset = (intptr_t)((uintptr_t)ip - (uintptr_t)code->bytecode);
    if (offset < 0)
        return -1;
    return offset > INT_MAX ? INT_MAX : (int)offset;
}

int python_code_line(const struct python_layout *layout, const struct python_code *code,
                     const void *ip, struct python_line_scan *scan) {
    if (scan->table != code->line_table || scan->length != code->line_table_length ||
        scan->first_line != code->first_line)
        python_lines_open(scan, code->line_table, code->line_table_length,
                          code->first_line);
    return python_lines_find(layout->lines, scan, offset_of(layout, code, ip));
}

bool python_code_is_incomplete(const struct python_layout *layout,
                               const struct python_code *code, const void *ip,
                               uint8_t owner) {
    if (layout->frames == PYTHON_FRAMES_OBJECT)
        return false;
    if (owner >= layout->owner_skip)
        return true;
    return code != NULL && owner != layout->owner_generator &&
           (uintptr_t)ip < (uintptr_t)code->bytecode + (uintptr_t)code->first_traceable;
}

/* To 3.11, a str that was never read may still have its wchar_t copy only. */
static struct characters wide_characters(const struct python_layout *layout,
                                         const void *string) {
    return (struct characters){
        .data = python_layout_pointer(string, layout->string_wide),
        .length = (size_t)python_layout_pointer(string, layout->string_wide_length),
        .size = sizeof(wchar_t),
    };
}

static struct characters characters_of(const struct python_layout *layout,
                                       const void *string) {
    unsigned state = (unsigned)read_int(string, layout->string_state);
    struct characters found = {
        .length = (size_t)python_layout_pointer(string, layout->string_length),
        .size = state >> STATE_KIND_SHIFT & STATE_KIND_MASK,
    };
    if (layout->string_wide && (state & STATE_READY) == 0)
        return wide_characters(layout, string);
    if ((state & STATE_COMPACT) == 0)
        found.data = python_layout_pointer(string, layout->string_data);
    else if (state & STATE_ASCII)
        found.data = (const char *)string + layout->string_ascii_data;
    else
        found.data = (const char *)string + layout->string_data;
    return found;
}

static uint32_t code_point_at(const struct characters *characters, size_t index) {
    uint32_t point;
    switch (characters->size) {
    case 1:
        return ((const uint8_t *)characters->data)[index];
    case 2:
        return ((const uint16_t *)characters->data)[index];
    default:
        point = ((const uint32_t *)characters->data)[index];
        return point > MAX_CODE_POINT ? REPLACEMENT_CODE_POINT : point;
    }
}

static size_t utf8_length(uint32_t point) {
    return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

static void write_utf8(char *at, uint32_t point, size_t length) {
    static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length; i-- > 1; point >>= 6)
        at[i] = (char)(0x80 | (point & 0x3f));
    at[0] = (char)(lead[length] | point);
}

ssize_t python_string_utf8(const struct python_layout *layout, const void *string,
                           char *buffer, size_t size, bool *truncated) {
    size_t used = 0, i;
    if (!object_is(layout, string, TYPE_IS_STRING))
        return -EINVAL;
    struct characters characters = characters_of(layout, string);
    if (characters.data == NULL)
        return -EINVAL;
    for (i = 0; i < characters.length; i++) {
        uint32_t point = code_point_at(&characters, i);
        size_t length = utf8_length(point);
        if (length > size - used)
            break;
        write_utf8(buffer + used, point, length);
        used += length;
    }
    if (truncated != NULL)
        *truncated = i < characters.length;
    return (ssize_t)used;
}
