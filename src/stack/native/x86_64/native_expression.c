/* SPDX-License-Identifier: MIT */
#include "stack/native/x86_64/native_expression.h"

#include <errno.h>

/* Operations (DWARF 5, 7.7.1). */
enum {
    OP_DEREFERENCE = 0x06,
    OP_CONST1U = 0x08,
    OP_AND = 0x1a,
    OP_MINUS = 0x1c,
    OP_OR = 0x21,
    OP_PLUS = 0x22,
    OP_PLUS_CONSTANT = 0x23,
    OP_SHIFT_LEFT = 0x24,
    OP_GREATER_EQUAL = 0x2a,
    OP_GREATER = 0x2b,
    OP_LITERAL = 0x30,  /* and the 31 that follow */
    OP_REGISTER = 0x70, /* and the 31 that follow: its value and a number */
};

enum { REGISTER_RBP = 6, REGISTER_RSP = 7, REGISTER_IP = 16, MAX_DEPTH = 8 };

struct stack {
    struct native_expression values[MAX_DEPTH];
    unsigned depth;
    uint64_t address;
};

static bool push(struct stack *stack, uint64_t base, int64_t offset) {
    if (stack->depth == MAX_DEPTH)
        return false;
    stack->values[stack->depth++] = (struct native_expression){base, offset, false};
    return true;
}

static bool push_register(struct stack *stack, unsigned number, int64_t offset) {
    if (number == REGISTER_IP)
        return push(stack, NATIVE_EXPRESSION_CONSTANT,
                    (int64_t)(stack->address + (uint64_t)offset));
    return (number == REGISTER_RBP || number == REGISTER_RSP) &&
           push(stack, number, offset);
}

/* Wraps around: a table may say anything. */
static bool combine(unsigned code, int64_t left, int64_t right, int64_t *out) {
    uint64_t a = (uint64_t)left, b = (uint64_t)right;
    switch (code) {
    case OP_AND:
        *out = (int64_t)(a & b);
        return true;
    case OP_OR:
        *out = (int64_t)(a | b);
        return true;
    case OP_PLUS:
        *out = (int64_t)(a + b);
        return true;
    case OP_MINUS:
        *out = (int64_t)(a - b);
        return true;
    case OP_SHIFT_LEFT:
        *out = b < 64 ? (int64_t)(a << b) : 0;
        return true;
    case OP_GREATER_EQUAL:
        *out = left >= right;
        return true;
    case OP_GREATER:
        *out = left > right;
        return true;
    default:
        return false;
    }
}

/* A register's value may have a constant added to it, and no more. */
static bool run_binary(struct stack *stack, unsigned code) {
    if (stack->depth < 2)
        return false;
    struct native_expression *left = &stack->values[stack->depth - 2];
    const struct native_expression *right = &stack->values[--stack->depth];
    bool is_sum = code == OP_PLUS || (code == OP_MINUS && right->base == 0);
    if (left->is_word || right->is_word || (left->base != 0 && right->base != 0) ||
        ((left->base != 0 || right->base != 0) && !is_sum))
        return false;
    left->base |= right->base;
    return combine(code, left->offset, right->offset, &left->offset);
}

static bool run_one(struct stack *stack, struct native_bytes *from) {
    unsigned code = (unsigned)native_bytes_fixed(from, 1);
    if (code >= OP_LITERAL && code < OP_LITERAL + 32)
        return push(stack, NATIVE_EXPRESSION_CONSTANT, code - OP_LITERAL);
    if (code >= OP_REGISTER && code < OP_REGISTER + 32)
        return push_register(stack, code - OP_REGISTER, native_bytes_signed(from));
    if (code == OP_CONST1U)
        return push(stack, NATIVE_EXPRESSION_CONSTANT,
                    (int64_t)native_bytes_fixed(from, 1));
    if (code == OP_PLUS_CONSTANT)
        return push(stack, NATIVE_EXPRESSION_CONSTANT,
                    (int64_t)native_bytes_unsigned(from)) &&
               run_binary(stack, OP_PLUS);
    if (code != OP_DEREFERENCE)
        return run_binary(stack, code);
    if (stack->depth == 0 || stack->values[stack->depth - 1].is_word)
        return false;
    stack->values[stack->depth - 1].is_word = true;
    return true;
}

int native_expression_read(struct native_bytes *from, uint64_t address,
                           struct native_expression *out) {
    struct stack stack = {.address = address};
    uint64_t length = native_bytes_unsigned(from);
    struct native_bytes code = {from->at, from->at};
    native_bytes_skip(from, length);
    code.end = from->at;
    while (code.at < code.end)
        if (!run_one(&stack, &code))
            return -ENOTSUP;
    if (stack.depth != 1)
        return -ENOTSUP;
    *out = stack.values[0];
    return 0;
}
