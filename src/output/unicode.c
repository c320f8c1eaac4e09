/* SPDX-License-Identifier: MIT */
#include "output/unicode.h"

/* The length of a sequence with this first byte; 0 if it cannot be a first byte. */
static size_t sequence_length(unsigned char first) {
    if (first < 0x80)
        return 1;
    if (first < 0xc2)
        return 0;
    if (first < 0xe0)
        return 2;
    if (first < 0xf0)
        return 3;
    return first < 0xf5 ? 4 : 0;
}

/* Returns UINT32_MAX unless the bytes are one code point in its shortest form. */
static uint32_t decode(const unsigned char *bytes, size_t length) {
    static const uint32_t min[] = {0, 0, 0x80, 0x800, 0x10000};
    static const unsigned char mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t point = bytes[0] & mask[length];
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return UINT32_MAX;
        point = point << 6 | (bytes[i] & 0x3f);
    }
    return point >= min[length] && point <= 0x10ffff ? point : UINT32_MAX;
}

uint32_t unicode_next(const char **at, const char *end) {
    const unsigned char *bytes = (const unsigned char *)*at;
    size_t length = sequence_length(bytes[0]);
    uint32_t point = UINT32_MAX;
    if (length > 0 && length <= (size_t)(end - *at))
        point = decode(bytes, length);
    if (point == UINT32_MAX) {
        *at += 1;
        return 0xdc00 + bytes[0];
    }
    *at += length;
    return point;
}

size_t unicode_put(char *out, uint32_t point) {
    unsigned char *bytes = (unsigned char *)out;
    size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char mark[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length; i-- > 1; point >>= 6)
        bytes[i] = (unsigned char)(0x80 | (point & 0x3f));
    bytes[0] = (unsigned char)(mark[length] | point);
    return length;
}

bool unicode_is_valid(const char *bytes, size_t length) {
    const char *end = bytes + length;
    while (bytes < end)
        if (unicode_is_surrogate(unicode_next(&bytes, end)))
            return false;
    return true;
}
