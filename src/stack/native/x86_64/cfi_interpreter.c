/* SPDX-License-Identifier: MIT */
#include "stack/native/x86_64/cfi_interpreter.h"

#include "stack/native/x86_64/native_expression.h"

/* DWARF's numbers of registers (System V ABI, AMD64 supplement, figure 3.36). */
enum { REGISTER_RBP = 6, REGISTER_RSP = 7, REGISTER_RETURN = CFI_RETURN_ADDRESS };

/* Call frame instructions (DWARF 5, 7.24). */
enum {
    CFA_ADVANCE = 0x40,
    CFA_OFFSET = 0x80,
    CFA_RESTORE = 0xc0,
    CFA_NOP = 0x00,
    CFA_SET_LOC = 0x01,
    CFA_ADVANCE1 = 0x02,
    CFA_ADVANCE2 = 0x03,
    CFA_ADVANCE4 = 0x04,
    CFA_OFFSET_EXTENDED = 0x05,
    CFA_RESTORE_EXTENDED = 0x06,
    CFA_UNDEFINED = 0x07,
    CFA_SAME_VALUE = 0x08,
    CFA_REGISTER = 0x09,
    CFA_REMEMBER = 0x0a,
    CFA_RECALL = 0x0b,
    CFA_DEFINE = 0x0c,
    CFA_DEFINE_REGISTER = 0x0d,
    CFA_DEFINE_OFFSET = 0x0e,
    CFA_DEFINE_EXPRESSION = 0x0f,
    CFA_EXPRESSION = 0x10,
    CFA_OFFSET_SIGNED = 0x11,
    CFA_DEFINE_SIGNED = 0x12,
    CFA_DEFINE_OFFSET_SIGNED = 0x13,
    CFA_VALUE_OFFSET = 0x14,
    CFA_VALUE_OFFSET_SIGNED = 0x15,
    CFA_VALUE_EXPRESSION = 0x16,
    CFA_ARGUMENTS_SIZE = 0x2e,
};

enum { MAX_REMEMBERED = 8 };

enum saved_kind {
    SAVED_SAME,
    SAVED_AT_CFA,
    SAVED_AT_RBP,
    SAVED_UNDEFINED,
    SAVED_OTHER
};

/* How the CFA is given. */
enum form { FORM_REGISTER, FORM_WORD_AT_RBP, FORM_OTHER };

struct saved {
    enum saved_kind kind;
    int64_t offset;
};

struct state {
    uint64_t cfa_register;
    int64_t cfa_offset;
    enum form cfa_form;
    struct saved rbp, ret;
};

struct machine {
    const struct cfi_common *common;
    uintptr_t location; /* that the state is of */
    uintptr_t address;  /* that is asked for */
    struct state state, initial;
    struct state remembered[MAX_REMEMBERED];
    unsigned depth;
    bool failed;
};

static struct saved *saved_of(struct machine *machine, uint64_t number) {
    if (number == REGISTER_RBP)
        return &machine->state.rbp;
    return number == REGISTER_RETURN ? &machine->state.ret : NULL;
}

static void set_saved(struct machine *machine, uint64_t number, enum saved_kind kind,
                      int64_t offset) {
    struct saved *saved = saved_of(machine, number);
    if (saved != NULL)
        *saved = (struct saved){kind, offset};
}

static void restore(struct machine *machine, uint64_t number) {
    if (number == REGISTER_RBP)
        machine->state.rbp = machine->initial.rbp;
    else if (number == REGISTER_RETURN)
        machine->state.ret = machine->initial.ret;
}

static void define(struct machine *machine, uint64_t number, int64_t offset) {
    machine->state.cfa_register = number;
    machine->state.cfa_offset = offset;
    machine->state.cfa_form = FORM_REGISTER;
}

static void remember(struct machine *machine) {
    if (machine->depth == MAX_REMEMBERED)
        machine->failed = true;
    else
        machine->remembered[machine->depth++] = machine->state;
}

static void recall(struct machine *machine) {
    if (machine->depth == 0)
        machine->failed = true;
    else
        machine->state = machine->remembered[--machine->depth];
}

/* An expression may say what a register and an offset say as well. */
static void define_expression(struct machine *machine, struct native_bytes *from) {
    struct native_expression value;
    struct state *state = &machine->state;
    state->cfa_form = FORM_OTHER;
    if (native_expression_read(from, machine->address, &value) < 0)
        return;
    if (!value.is_word)
        define(machine, value.base, value.offset);
    else if (value.base == REGISTER_RBP)
        state->cfa_form = FORM_WORD_AT_RBP;
    state->cfa_offset = value.offset;
}

static void save_by_expression(struct machine *machine, uint64_t number,
                               struct native_bytes *from) {
    struct native_expression value = {0};
    bool at_rbp = native_expression_read(from, machine->address, &value) == 0 &&
                  value.base == REGISTER_RBP && !value.is_word;
    set_saved(machine, number, at_rbp ? SAVED_AT_RBP : SAVED_OTHER, value.offset);
}

/* Wraps around: a table may say anything. */
static int64_t in_units(const struct machine *machine, uint64_t factor) {
    return (int64_t)(factor * (uint64_t)machine->common->data_unit);
}

static void advance(struct machine *machine, uint64_t units) {
    machine->location += units * machine->common->code_unit;
}

/* Where the registers are. False for an instruction of another kind. */
static bool run_saved(struct machine *machine, unsigned code,
                      struct native_bytes *from) {
    uint64_t number = native_bytes_unsigned(from);
    switch (code) {
    case CFA_OFFSET_EXTENDED:
        set_saved(machine, number, SAVED_AT_CFA,
                  in_units(machine, native_bytes_unsigned(from)));
        return true;
    case CFA_OFFSET_SIGNED:
        set_saved(machine, number, SAVED_AT_CFA,
                  in_units(machine, (uint64_t)native_bytes_signed(from)));
        return true;
    case CFA_RESTORE_EXTENDED:
        restore(machine, number);
        return true;
    case CFA_UNDEFINED:
        set_saved(machine, number, SAVED_UNDEFINED, 0);
        return true;
    case CFA_SAME_VALUE:
        set_saved(machine, number, SAVED_SAME, 0);
        return true;
    case CFA_REGISTER:
    case CFA_VALUE_OFFSET:
    case CFA_VALUE_OFFSET_SIGNED:
        native_bytes_unsigned(from);
        set_saved(machine, number, SAVED_OTHER, 0);
        return true;
    case CFA_EXPRESSION:
        save_by_expression(machine, number, from);
        return true;
    case CFA_VALUE_EXPRESSION:
        native_bytes_skip(from, native_bytes_unsigned(from));
        set_saved(machine, number, SAVED_OTHER, 0);
        return true;
    default:
        return false;
    }
}

/* What the CFA is. False for an instruction of another kind. */
static bool run_define(struct machine *machine, unsigned code,
                       struct native_bytes *from) {
    struct state *state = &machine->state;
    uint64_t number;
    switch (code) {
    case CFA_DEFINE:
        number = native_bytes_unsigned(from);
        define(machine, number, (int64_t)native_bytes_unsigned(from));
        return true;
    case CFA_DEFINE_SIGNED:
        number = native_bytes_unsigned(from);
        define(machine, number, in_units(machine, (uint64_t)native_bytes_signed(from)));
        return true;
    case CFA_DEFINE_REGISTER:
        state->cfa_register = native_bytes_unsigned(from);
        return true;
    case CFA_DEFINE_OFFSET:
        state->cfa_offset = (int64_t)native_bytes_unsigned(from);
        return true;
    case CFA_DEFINE_OFFSET_SIGNED:
        state->cfa_offset = in_units(machine, (uint64_t)native_bytes_signed(from));
        return true;
    case CFA_DEFINE_EXPRESSION:
        define_expression(machine, from);
        return true;
    default:
        return false;
    }
}

/* Where the next instructions count from, and the rest. False for an instruction of
 * another kind. */
static bool run_flow(struct machine *machine, unsigned code,
                     struct native_bytes *from) {
    switch (code) {
    case CFA_NOP:
        return true;
    case CFA_SET_LOC:
        machine->failed |= native_bytes_pointer(from, machine->common->encoding,
                                                &machine->location) < 0;
        return true;
    case CFA_ADVANCE1:
        advance(machine, native_bytes_fixed(from, 1));
        return true;
    case CFA_ADVANCE2:
        advance(machine, native_bytes_fixed(from, 2));
        return true;
    case CFA_ADVANCE4:
        advance(machine, native_bytes_fixed(from, 4));
        return true;
    case CFA_REMEMBER:
        remember(machine);
        return true;
    case CFA_RECALL:
        recall(machine);
        return true;
    case CFA_ARGUMENTS_SIZE:
        native_bytes_unsigned(from);
        return true;
    default:
        return false;
    }
}

static void run_one(struct machine *machine, struct native_bytes *from) {
    unsigned code = (unsigned)native_bytes_fixed(from, 1), low = code & 0x3f;
    switch (code & 0xc0) {
    case CFA_ADVANCE:
        advance(machine, low);
        return;
    case CFA_OFFSET:
        set_saved(machine, low, SAVED_AT_CFA,
                  in_units(machine, native_bytes_unsigned(from)));
        return;
    case CFA_RESTORE:
        restore(machine, low);
        return;
    default:
        if (!run_flow(machine, code, from) && !run_define(machine, code, from) &&
            !run_saved(machine, code, from))
            machine->failed = true;
    }
}

/* Until the program speaks of instructions behind the address: moving there has changed
 * nothing yet. */
static void run(struct machine *machine, struct native_bytes program) {
    while (program.at < program.end && !machine->failed &&
           machine->location <= machine->address)
        run_one(machine, &program);
}

static void conclude_realigned(const struct state *state, struct native_cfi *out) {
    if (state->rbp.kind != SAVED_AT_RBP)
        return;
    out->rule = NATIVE_RULE_WORD;
    out->cfa = (int32_t)state->cfa_offset;
    out->rbp = (int32_t)state->rbp.offset;
}

static void conclude_register(const struct state *state, struct native_cfi *out) {
    bool same = state->rbp.kind == SAVED_SAME;
    bool rsp = state->cfa_register == REGISTER_RSP;
    if ((!rsp && state->cfa_register != REGISTER_RBP) ||
        (!same && (state->rbp.kind != SAVED_AT_CFA || state->rbp.offset == 0)))
        return;
    out->rule = rsp ? NATIVE_RULE_RSP : NATIVE_RULE_RBP;
    out->cfa = (int32_t)state->cfa_offset;
    out->rbp = same ? 0 : (int32_t)state->rbp.offset;
}

static void conclude(const struct machine *machine, struct native_cfi *out) {
    const struct state *state = &machine->state;
    if (machine->failed)
        return;
    if (machine->common->is_signal)
        out->rule = NATIVE_RULE_SIGNAL;
    else if (state->ret.kind == SAVED_UNDEFINED)
        out->rule = NATIVE_RULE_ROOT;
    else if (state->ret.kind != SAVED_AT_CFA || state->ret.offset != -8)
        return;
    else if (state->cfa_form == FORM_REGISTER)
        conclude_register(state, out);
    else if (state->cfa_form == FORM_WORD_AT_RBP)
        conclude_realigned(state, out);
}

void cfi_interpreter_run(const struct cfi_common *common, struct native_bytes own,
                         uintptr_t address, struct native_cfi *out) {
    struct machine machine = {.common = common, .address = address};
    *out = (struct native_cfi){.function = out->function};
    run(&machine, common->start);
    machine.initial = machine.state;
    machine.location = out->function;
    run(&machine, own);
    conclude(&machine, out);
}
