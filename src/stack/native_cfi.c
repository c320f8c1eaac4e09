/* SPDX-License-Identifier: MIT */
#include "stack/native_cfi.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Pointer encodings (LSB, 10.5.1). */
enum {
    ENCODED_ABSOLUTE = 0x00,
    ENCODED_UDATA4 = 0x03,
    ENCODED_SDATA4 = 0x0b,
    ENCODED_UDATA8 = 0x04,
    ENCODED_SDATA8 = 0x0c,
    ENCODED_PC_RELATIVE = 0x10,
    HEADER_POINTER = 0x1b, /* relative to itself, 4 bytes */
    HEADER_TABLE = 0x3b,   /* relative to the header, 4 bytes */
};

/* DWARF's numbers of registers (System V ABI, AMD64 supplement, figure 3.36). */
enum { REGISTER_RBP = 6, REGISTER_RSP = 7, REGISTER_RETURN = 16 };

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

enum { MOST_REMEMBERED = 8 };

/* Bytes of a table; reading beyond the end gives zeros. */
struct bytes {
    const unsigned char *at;
    const unsigned char *end;
};

struct entry {
    uint64_t code_unit;
    int64_t data_unit;
    uint8_t encoding;
    bool has_data; /* augmentation data, with its length in front */
    struct bytes program;
};

enum place { PLACE_SAME, PLACE_AT_CFA, PLACE_UNDEFINED, PLACE_OTHER };

struct saved {
    enum place place;
    int64_t offset;
};

struct state {
    uint64_t cfa_register;
    int64_t cfa_offset;
    bool cfa_other;
    struct saved rbp, ret;
};

struct machine {
    const struct entry *entry;
    uintptr_t location; /* that the state is of */
    uintptr_t address;  /* that is asked for */
    struct state state, initial;
    struct state remembered[MOST_REMEMBERED];
    unsigned depth;
    bool failed;
};

static uint64_t read_fixed(struct bytes *from, size_t size) {
    uint64_t value = 0;
    if ((size_t)(from->end - from->at) < size) {
        from->at = from->end;
        return 0;
    }
    memcpy(&value, from->at, size);
    from->at += size;
    return value;
}

static int64_t read_signed4(struct bytes *from) {
    return (int32_t)(uint32_t)read_fixed(from, 4);
}

static uint64_t read_leb(struct bytes *from, unsigned *bits) {
    uint64_t value = 0;
    unsigned char byte;
    *bits = 0;
    do {
        byte = (unsigned char)read_fixed(from, 1);
        if (*bits < 64)
            value |= (uint64_t)(byte & 0x7f) << *bits;
        *bits += 7;
    } while ((byte & 0x80) != 0);
    return value;
}

static uint64_t read_unsigned(struct bytes *from) {
    unsigned bits;
    return read_leb(from, &bits);
}

static int64_t read_signed(struct bytes *from) {
    unsigned bits;
    uint64_t value = read_leb(from, &bits);
    if (bits < 64 && (value >> (bits - 1) & 1) != 0)
        value |= ~(uint64_t)0 << bits;
    return (int64_t)value;
}

static void skip(struct bytes *from, uint64_t size) {
    uint64_t left = (uint64_t)(from->end - from->at);
    from->at += size < left ? size : left;
}

/* Absolute, or relative to its own place. Direct: function pointers of tables are never indirect. */
static int read_pointer(struct bytes *from, uint8_t encoding, uintptr_t *out) {
    uintptr_t base = (encoding & 0x70) == ENCODED_PC_RELATIVE ? (uintptr_t)from->at : 0;
    if ((encoding & 0xf0) != ENCODED_PC_RELATIVE && (encoding & 0xf0) != 0)
        return -ENOTSUP;
    switch (encoding & 0x0f) {
    case ENCODED_ABSOLUTE:
    case ENCODED_UDATA8:
    case ENCODED_SDATA8:
        *out = base + read_fixed(from, 8);
        return 0;
    case ENCODED_UDATA4:
        *out = base + read_fixed(from, 4);
        return 0;
    case ENCODED_SDATA4:
        *out = base + (uintptr_t)read_signed4(from);
        return 0;
    default:
        return -ENOTSUP;
    }
}

/* The body of an entry after its length. Entries of 4 GiB and more have another form. */
static int open_entry(const unsigned char *at, struct bytes *body) {
    uint32_t length;
    memcpy(&length, at, sizeof length);
    *body = (struct bytes){at + 4, at + 4 + length};
    return length == 0 || length >= 0xfffffff0u ? -ENOTSUP : 0;
}

/* 'z': data with its length; 'R': the encoding of addresses; 'P', 'L': of no interest; 'S': a signal's frame, of
 * which libunwind knows the registers. */
static int read_augmentation(struct bytes *from, const char *text,
                             struct entry *entry) {
    uintptr_t ignored;
    int status = 0;
    entry->has_data = *text == 'z';
    if (!entry->has_data)
        return *text == '\0' ? 0 : -ENOTSUP;
    uint64_t length = read_unsigned(from);
    struct bytes data = {from->at, from->at};
    skip(from, length);
    data.end = from->at;
    for (text++; *text != '\0' && status == 0; text++) {
        if (*text == 'R')
            entry->encoding = (uint8_t)read_fixed(&data, 1);
        else if (*text == 'L')
            skip(&data, 1);
        else if (*text == 'P')
            status = read_pointer(&data, read_fixed(&data, 1) & 0x7f, &ignored);
        else
            status = -ENOTSUP;
    }
    return status;
}

/* The common information entry: what many functions share. */
static int read_common(const unsigned char *at, struct entry *entry) {
    struct bytes body;
    int status = open_entry(at, &body);
    if (status < 0)
        return status;
    uint64_t id = read_fixed(&body, 4), version = read_fixed(&body, 1);
    const char *text = (const char *)body.at;
    if (id != 0 || (version != 1 && version != 3))
        return -ENOTSUP;
    skip(&body, strnlen(text, (size_t)(body.end - body.at)) + 1);
    entry->code_unit = read_unsigned(&body);
    entry->data_unit = read_signed(&body);
    if (read_unsigned(&body) != REGISTER_RETURN)
        return -ENOTSUP;
    status = read_augmentation(&body, text, entry);
    entry->program = body;
    return status;
}

static int find_entry(const unsigned char *header, uintptr_t address,
                      const unsigned char **entry) {
    if (header[0] != 1 || header[1] != HEADER_POINTER || header[2] != ENCODED_UDATA4 ||
        header[3] != HEADER_TABLE)
        return -ENOTSUP;
    uint32_t low = 0, high;
    memcpy(&high, header + 8, sizeof high);
    const unsigned char *table = header + 12;
    int32_t pair[2] = {0};
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        memcpy(pair, table + 8 * (size_t)middle, sizeof pair);
        if ((uintptr_t)header + (uintptr_t)(intptr_t)pair[0] <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return -ENOENT;
    memcpy(pair, table + 8 * (size_t)(low - 1), sizeof pair);
    *entry = header + pair[1];
    return 0;
}

static struct saved *saved_of(struct machine *machine, uint64_t number) {
    if (number == REGISTER_RBP)
        return &machine->state.rbp;
    return number == REGISTER_RETURN ? &machine->state.ret : NULL;
}

static void set_saved(struct machine *machine, uint64_t number, enum place place,
                      int64_t offset) {
    struct saved *saved = saved_of(machine, number);
    if (saved != NULL)
        *saved = (struct saved){place, offset};
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
    machine->state.cfa_other = false;
}

static void remember(struct machine *machine) {
    if (machine->depth == MOST_REMEMBERED)
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

static void skip_expression(struct bytes *from) {
    skip(from, read_unsigned(from));
}

static void advance(struct machine *machine, uint64_t units) {
    machine->location += units * machine->entry->code_unit;
}

/* Where the registers are. False for an instruction of another kind. */
static bool run_saved(struct machine *machine, unsigned code, struct bytes *from) {
    int64_t unit = machine->entry->data_unit;
    uint64_t number = read_unsigned(from);
    switch (code) {
    case CFA_OFFSET_EXTENDED:
        set_saved(machine, number, PLACE_AT_CFA, (int64_t)read_unsigned(from) * unit);
        return true;
    case CFA_OFFSET_SIGNED:
        set_saved(machine, number, PLACE_AT_CFA, read_signed(from) * unit);
        return true;
    case CFA_RESTORE_EXTENDED:
        restore(machine, number);
        return true;
    case CFA_UNDEFINED:
        set_saved(machine, number, PLACE_UNDEFINED, 0);
        return true;
    case CFA_SAME_VALUE:
        set_saved(machine, number, PLACE_SAME, 0);
        return true;
    case CFA_REGISTER:
    case CFA_VALUE_OFFSET:
    case CFA_VALUE_OFFSET_SIGNED:
        read_unsigned(from);
        set_saved(machine, number, PLACE_OTHER, 0);
        return true;
    case CFA_EXPRESSION:
    case CFA_VALUE_EXPRESSION:
        skip_expression(from);
        set_saved(machine, number, PLACE_OTHER, 0);
        return true;
    default:
        return false;
    }
}

/* What the CFA is. False for an instruction of another kind. */
static bool run_define(struct machine *machine, unsigned code, struct bytes *from) {
    struct state *state = &machine->state;
    int64_t unit = machine->entry->data_unit;
    uint64_t number;
    switch (code) {
    case CFA_DEFINE:
        number = read_unsigned(from);
        define(machine, number, (int64_t)read_unsigned(from));
        return true;
    case CFA_DEFINE_SIGNED:
        number = read_unsigned(from);
        define(machine, number, read_signed(from) * unit);
        return true;
    case CFA_DEFINE_REGISTER:
        state->cfa_register = read_unsigned(from);
        return true;
    case CFA_DEFINE_OFFSET:
        state->cfa_offset = (int64_t)read_unsigned(from);
        return true;
    case CFA_DEFINE_OFFSET_SIGNED:
        state->cfa_offset = read_signed(from) * unit;
        return true;
    case CFA_DEFINE_EXPRESSION:
        skip_expression(from);
        state->cfa_other = true;
        return true;
    default:
        return false;
    }
}

/* Where the next instructions count from, and the rest. False for an instruction of another kind. */
static bool run_flow(struct machine *machine, unsigned code, struct bytes *from) {
    switch (code) {
    case CFA_NOP:
        return true;
    case CFA_SET_LOC:
        machine->failed |=
            read_pointer(from, machine->entry->encoding, &machine->location) < 0;
        return true;
    case CFA_ADVANCE1:
        advance(machine, read_fixed(from, 1));
        return true;
    case CFA_ADVANCE2:
        advance(machine, read_fixed(from, 2));
        return true;
    case CFA_ADVANCE4:
        advance(machine, read_fixed(from, 4));
        return true;
    case CFA_REMEMBER:
        remember(machine);
        return true;
    case CFA_RECALL:
        recall(machine);
        return true;
    case CFA_ARGUMENTS_SIZE:
        read_unsigned(from);
        return true;
    default:
        return false;
    }
}

static void run_one(struct machine *machine, struct bytes *from) {
    unsigned code = (unsigned)read_fixed(from, 1), low = code & 0x3f;
    switch (code & 0xc0) {
    case CFA_ADVANCE:
        advance(machine, low);
        return;
    case CFA_OFFSET:
        set_saved(machine, low, PLACE_AT_CFA,
                  (int64_t)read_unsigned(from) * machine->entry->data_unit);
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

/* Until the program speaks of instructions behind the address: moving there has changed nothing yet. */
static void run(struct machine *machine, struct bytes program) {
    while (program.at < program.end && !machine->failed &&
           machine->location <= machine->address)
        run_one(machine, &program);
}

static void conclude(const struct state *state, struct native_cfi *out) {
    bool same = state->rbp.place == PLACE_SAME;
    bool rsp = state->cfa_register == REGISTER_RSP;
    if (state->ret.place == PLACE_UNDEFINED) {
        out->rule = NATIVE_RULE_ROOT;
        return;
    }
    if (state->cfa_other || (!rsp && state->cfa_register != REGISTER_RBP) ||
        state->ret.place != PLACE_AT_CFA || state->ret.offset != -8 ||
        (!same && (state->rbp.place != PLACE_AT_CFA || state->rbp.offset == 0)))
        return;
    out->rule = rsp ? NATIVE_RULE_RSP : NATIVE_RULE_RBP;
    out->cfa = (int32_t)state->cfa_offset;
    out->rbp = same ? 0 : (int32_t)state->rbp.offset;
}

/* The entry's own program, after what its range and augmentation say. */
static int read_function(struct bytes *body, const struct entry *common,
                         uintptr_t address, struct native_cfi *out) {
    uintptr_t length;
    int status = read_pointer(body, common->encoding, &out->function);
    if (status == 0)
        status = read_pointer(body, common->encoding & 0x0f, &length);
    if (status < 0)
        return status;
    if (address - out->function >= length)
        return -ENOENT;
    if (common->has_data)
        skip(body, read_unsigned(body));
    return 0;
}

int native_cfi_find(const unsigned char *header, uintptr_t address,
                    struct native_cfi *out) {
    const unsigned char *at;
    struct bytes body;
    struct entry common = {0};
    *out = (struct native_cfi){0};
    int status = find_entry(header, address, &at);
    if (status == 0)
        status = open_entry(at, &body);
    if (status < 0)
        return status;
    const unsigned char *field = body.at;
    uint64_t distance = read_fixed(&body, 4);
    status = read_common(field - distance, &common);
    if (status == 0)
        status = read_function(&body, &common, address, out);
    if (status < 0)
        return status;
    struct machine machine = {.entry = &common, .address = address};
    run(&machine, common.program);
    machine.initial = machine.state;
    machine.location = out->function;
    run(&machine, body);
    if (!machine.failed)
        conclude(&machine.state, out);
    return 0;
}
