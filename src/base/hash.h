/* SPDX-License-Identifier: MIT */
/* Hash functions for tables in memory, whose values are never stored in a file, and
 * the one of ELF files. Pure; any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Fibonacci hashing: the high bits of a product with an odd constant near 2^64 / phi
 * (Knuth, The Art of Computer Programming, volume 3, section 6.4). Take the high bits
 * of the result. */
static inline uint64_t hash_mix(uint64_t value) {
    return value * 0x9e3779b97f4a7c15u;
}

static inline uint64_t hash_pair(uint64_t first, uint64_t second) {
    uint64_t mixed = hash_mix(first) ^ second;
    return hash_mix(mixed ^ (mixed >> 32));
}

/* FNV-1a, eight bytes at a time as long as there are eight: for strings and line
 * tables. */
static inline uint64_t hash_bytes(const void *bytes, size_t length, uint64_t seed) {
    const unsigned char *byte = bytes;
    uint64_t hash = seed ^ 0xcbf29ce484222325u;
    for (; length >= 8; byte += 8, length -= 8) {
        uint64_t word;
        __builtin_memcpy(&word, byte, 8);
        hash = (hash ^ word) * 0x100000001b3u;
        hash ^= hash >> 29;
    }
    for (; length > 0; byte++, length--)
        hash = (hash ^ *byte) * 0x100000001b3u;
    return hash_mix(hash ^ (hash >> 32));
}

/* Of a symbol's name, as in the DT_GNU_HASH table of an ELF file. */
static inline uint32_t hash_symbol(const char *name) {
    uint32_t hash = 5381;
    for (; *name != '\0'; name++)
        hash = hash * 33 + (unsigned char)*name;
    return hash;
}
