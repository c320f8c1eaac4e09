/* SPDX-License-Identifier: MIT */
/* FNV-1a of 128 bits, for ids that are the same on all machines and at all times: equal
 * stacks of different dumps get equal ids. Pure; any thread. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct stack_hash {
    uint64_t high, low;
};

enum { STACK_HASH_TEXT_SIZE = 32 + 1 };

struct stack_hash stack_hash_begin(void);
void stack_hash_add(struct stack_hash *hash, const void *bytes, size_t length);
/* The same on machines of any byte order. */
void stack_hash_add_number(struct stack_hash *hash, uint64_t number);
/* Adds a text with its length, so that texts in a row are different if one of them
 * is. */
void stack_hash_add_text(struct stack_hash *hash, const void *bytes, size_t length);

/* 32 hexadecimal digits. */
void stack_hash_format(struct stack_hash hash, char text[STACK_HASH_TEXT_SIZE]);
