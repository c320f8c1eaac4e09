/* SPDX-License-Identifier: MIT */
#include "export/stack_hash.h"

#include <inttypes.h>
#include <stdio.h>

__extension__ typedef unsigned __int128 uint128;

/* Fowler, Noll and Vo: the offset basis and the prime 2^88 + 0x13b. */
struct stack_hash stack_hash_begin(void) {
    return (struct stack_hash){0x6c62272e07bb0142u, 0x62b821756295c58du};
}

void stack_hash_add(struct stack_hash *hash, const void *bytes, size_t length) {
    const uint128 prime = (uint128)1 << 88 | 0x13b;
    const unsigned char *byte = bytes;
    uint128 value = (uint128)hash->high << 64 | hash->low;
    for (; length > 0; byte++, length--)
        value = (value ^ *byte) * prime;
    *hash = (struct stack_hash){(uint64_t)(value >> 64), (uint64_t)value};
}

void stack_hash_add_number(struct stack_hash *hash, uint64_t number) {
    unsigned char bytes[sizeof number];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(number >> 8 * i);
    stack_hash_add(hash, bytes, sizeof bytes);
}

void stack_hash_add_text(struct stack_hash *hash, const void *bytes, size_t length) {
    stack_hash_add_number(hash, length);
    stack_hash_add(hash, bytes, length);
}

void stack_hash_format(struct stack_hash hash, char text[STACK_HASH_TEXT_SIZE]) {
    snprintf(text, STACK_HASH_TEXT_SIZE, "%016" PRIx64 "%016" PRIx64, hash.high,
             hash.low);
}
