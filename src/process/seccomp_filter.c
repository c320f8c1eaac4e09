/* SPDX-License-Identifier: MIT */
#include "process/seccomp_filter.h"

#include <stdbool.h>
#include <string.h>

struct machine {
    uint32_t a, x, memory[BPF_MEMWORDS];
};

static bool load(struct machine *machine, const struct sock_filter *at,
                 const struct seccomp_data *data, uint32_t *out) {
    switch (BPF_MODE(at->code)) {
    case BPF_IMM:
        *out = at->k;
        return true;
    case BPF_LEN:
        *out = sizeof *data;
        return true;
    case BPF_MEM:
        *out = machine->memory[at->k % BPF_MEMWORDS];
        return at->k < BPF_MEMWORDS;
    case BPF_ABS:
        if (at->k > sizeof *data - sizeof *out)
            return false;
        memcpy(out, (const char *)data + at->k, sizeof *out);
        return true;
    default:
        return false;
    }
}

static bool store(struct machine *machine, const struct sock_filter *at) {
    if (at->k >= BPF_MEMWORDS)
        return false;
    machine->memory[at->k] = BPF_CLASS(at->code) == BPF_ST ? machine->a : machine->x;
    return true;
}

static uint32_t operand(const struct machine *machine, const struct sock_filter *at) {
    return BPF_SRC(at->code) == BPF_X ? machine->x : at->k;
}

static bool compute(struct machine *machine, const struct sock_filter *at) {
    uint32_t a = machine->a, by = operand(machine, at);
    switch (BPF_OP(at->code)) {
    case BPF_ADD:
        machine->a = a + by;
        return true;
    case BPF_SUB:
        machine->a = a - by;
        return true;
    case BPF_MUL:
        machine->a = a * by;
        return true;
    case BPF_DIV:
        machine->a = by != 0 ? a / by : 0;
        return by != 0;
    case BPF_AND:
        machine->a = a & by;
        return true;
    case BPF_OR:
        machine->a = a | by;
        return true;
    case BPF_XOR:
        machine->a = a ^ by;
        return true;
    case BPF_LSH:
        machine->a = a << (by & 31);
        return true;
    case BPF_RSH:
        machine->a = a >> (by & 31);
        return true;
    case BPF_NEG:
        machine->a = -a;
        return true;
    default:
        return false;
    }
}

/* How many instructions a jump passes over; jumps lead forwards only. */
static uint32_t jump(const struct machine *machine, const struct sock_filter *at) {
    uint32_t a = machine->a, with = operand(machine, at);
    bool holds;
    switch (BPF_OP(at->code)) {
    case BPF_JA:
        return at->k;
    case BPF_JEQ:
        holds = a == with;
        break;
    case BPF_JGT:
        holds = a > with;
        break;
    case BPF_JGE:
        holds = a >= with;
        break;
    case BPF_JSET:
        holds = (a & with) != 0;
        break;
    default:
        return UINT32_MAX;
    }
    return holds ? at->jt : at->jf;
}

static bool step(struct machine *machine, const struct sock_filter *at,
                 const struct seccomp_data *data) {
    switch (BPF_CLASS(at->code)) {
    case BPF_LD:
        return load(machine, at, data, &machine->a);
    case BPF_LDX:
        return load(machine, at, data, &machine->x);
    case BPF_ST:
    case BPF_STX:
        return store(machine, at);
    case BPF_ALU:
        return compute(machine, at);
    case BPF_MISC:
        *(BPF_MISCOP(at->code) == BPF_TAX ? &machine->x : &machine->a) =
            BPF_MISCOP(at->code) == BPF_TAX ? machine->a : machine->x;
        return true;
    default:
        return false;
    }
}

uint32_t seccomp_filter_run(const struct sock_filter *program, size_t count,
                            const struct seccomp_data *data) {
    struct machine machine = {0};
    for (size_t i = 0; i < count; i++) {
        const struct sock_filter *at = &program[i];
        if (BPF_CLASS(at->code) == BPF_RET)
            return BPF_RVAL(at->code) == BPF_A ? machine.a : at->k;
        if (BPF_CLASS(at->code) == BPF_JMP)
            i += jump(&machine, at);
        else if (!step(&machine, at, data))
            break;
    }
    return SECCOMP_RET_KILL_PROCESS;
}
