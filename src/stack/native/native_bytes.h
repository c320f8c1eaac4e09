/* SPDX-License-Identifier: MIT */
/* Numbers from unwind tables, as .eh_frame has them. Pure functions; reading beyond the
 * end gives zeros. */
#pragma once

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

/* Pointer encodings (LSB, 10.5.1). */
enum {
    ENCODED_ABSOLUTE = 0x00,
    ENCODED_UDATA4 = 0x03,
    ENCODED_SDATA4 = 0x0b,
    ENCODED_UDATA8 = 0x04,
    ENCODED_SDATA8 = 0x0c,
    ENCODED_PC_RELATIVE = 0x10,
};

struct native_bytes {
    const unsigned char *at;
    const unsigned char *end;
};

static inline uint64_t native_bytes_fixed(struct native_bytes *from, size_t size) {
    uint64_t value = 0;
    if ((size_t)(from->end - from->at) < size) {
        from->at = from->end;
        return 0;
    }
    memcpy(&value, from->at, size);
    from->at += size;
    return value;
}

static inline int64_t native_bytes_signed4(struct native_bytes *from) {
    return (int32_t)(uint32_t)native_bytes_fixed(from, 4);
}

static inline uint64_t native_bytes_leb(struct native_bytes *from, unsigned *bits) {
    uint64_t value = 0;
    unsigned char byte;
    *bits = 0;
    do {
        byte = (unsigned char)native_bytes_fixed(from, 1);
        if (*bits < 64)
            value |= (uint64_t)(byte & 0x7f) << *bits;
        *bits += 7;
    } while ((byte & 0x80) != 0);
    return value;
}

static inline uint64_t native_bytes_unsigned(struct native_bytes *from) {
    unsigned bits;
    return native_bytes_leb(from, &bits);
}

static inline int64_t native_bytes_signed(struct native_bytes *from) {
    unsigned bits;
    uint64_t value = native_bytes_leb(from, &bits);
    if (bits < 64 && (value >> (bits - 1) & 1) != 0)
        value |= ~(uint64_t)0 << bits;
    return (int64_t)value;
}

static inline void native_bytes_skip(struct native_bytes *from, uint64_t size) {
    uint64_t left = (uint64_t)(from->end - from->at);
    from->at += size < left ? size : left;
}

/* Absolute, or relative to its own place. Direct: function pointers of tables are never
 * indirect. */
must_check static inline int native_bytes_pointer(struct native_bytes *from,
                                                  uint8_t encoding, uintptr_t *out) {
    uintptr_t base = (encoding & 0x70) == ENCODED_PC_RELATIVE ? (uintptr_t)from->at : 0;
    if ((encoding & 0xf0) != ENCODED_PC_RELATIVE && (encoding & 0xf0) != 0)
        return -ENOTSUP;
    switch (encoding & 0x0f) {
    case ENCODED_ABSOLUTE:
    case ENCODED_UDATA8:
    case ENCODED_SDATA8:
        *out = base + native_bytes_fixed(from, 8);
        return 0;
    case ENCODED_UDATA4:
        *out = base + native_bytes_fixed(from, 4);
        return 0;
    case ENCODED_SDATA4:
        *out = base + (uintptr_t)native_bytes_signed4(from);
        return 0;
    default:
        return -ENOTSUP;
    }
}
