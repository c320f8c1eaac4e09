/* SPDX-License-Identifier: MIT */
#include "stack/native/unwind_table.h"

#include <errno.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "stack/native/native_code.h"
#include "stack/native/native_machine.h"

enum {
    FIRST_ENTRIES = 4096,
    MAX_ENTRIES = 1 << 22,
    MAX_PRESENT = 1024,
    ENTRY_PERMANENT = 0,
    /* Its computed gotos make the evaluation function tens of kilobytes; where each
     * instruction is a function of its own that calls the next as its last act (3.14),
     * what is left is small. */
    SMALL_FUNCTION = 8192,
};

/* Set in the key of an interrupted instruction, which may be a return address too. */
static const uint64_t exact_bit = (uint64_t)1 << 63;
static const uint64_t key_bits = ((uint64_t)1 << NATIVE_MODULE_SHIFT) - 1;

struct unwind_table unwind_table = {.epoch = 1};

/* The allocation functions of CPython, and those of C++ that end in malloc. Most leave
 * by a jump and have no frame of their own then. */
static struct known_name {
    const char *name;
    uint8_t flags;
    uint32_t hash;
} known[] = {
    {"_PyEval_EvalFrameDefault", NATIVE_EVALUATES, 0},
    {"PyEval_EvalFrameEx", NATIVE_HIDDEN, 0},
    {"PyMem_RawMalloc", NATIVE_HIDDEN, 0},
    {"PyMem_RawCalloc", NATIVE_HIDDEN, 0},
    {"PyMem_RawRealloc", NATIVE_HIDDEN, 0},
    {"PyMem_Malloc", NATIVE_HIDDEN, 0},
    {"PyMem_Calloc", NATIVE_HIDDEN, 0},
    {"PyMem_Realloc", NATIVE_HIDDEN, 0},
    {"PyObject_Malloc", NATIVE_HIDDEN, 0},
    {"PyObject_Calloc", NATIVE_HIDDEN, 0},
    {"PyObject_Realloc", NATIVE_HIDDEN, 0},
    {"_Znwm", NATIVE_HIDDEN, 0},
    {"_Znam", NATIVE_HIDDEN, 0},
    {"_ZnwmRKSt9nothrow_t", NATIVE_HIDDEN, 0},
    {"_ZnamRKSt9nothrow_t", NATIVE_HIDDEN, 0},
    {"_ZnwmSt11align_val_t", NATIVE_HIDDEN, 0},
    {"_ZnamSt11align_val_t", NATIVE_HIDDEN, 0},
};

/* The modules that have entries, unless another one was seen at the same addresses. */
struct present {
    uintptr_t start;
    uintptr_t end;
    uint64_t fingerprint;
    uint32_t module;
};

static native_module module_id;
static struct unwind_entry *entries;
static uint32_t capacity, used;
static struct present present[MAX_PRESENT];
static uint32_t present_count;

int unwind_table_open(native_module module) {
    static bool hashed;
    for (size_t i = 0; !hashed && i < sizeof known / sizeof *known; i++)
        known[i].hash = hash_symbol(known[i].name);
    hashed = true;
    unwind_table_close();
    module_id = module;
    unwind_table.epoch++;
    entries = arena_map(FIRST_ENTRIES * sizeof *entries);
    capacity = entries != NULL ? FIRST_ENTRIES : 0;
    return entries != NULL ? 0 : -ENOMEM;
}

void unwind_table_close(void) {
    if (entries != NULL)
        arena_unmap(entries, capacity * sizeof *entries);
    entries = NULL;
    capacity = used = present_count = 0;
}

/* The slot of the entry, or a free one. */
static struct unwind_entry *slot_of(struct unwind_entry *table, uint32_t size,
                                    uint64_t key) {
    uint64_t at = hash_mix(key) >> 32;
    while (table[at & (size - 1)].ip != 0 && table[at & (size - 1)].ip != key)
        at++;
    return &table[at & (size - 1)];
}

/* Half of the table stays free, so that a search is short and always ends. */
static bool make_room(void) {
    if (used < capacity / 2)
        return true;
    uint32_t wanted = capacity * 2;
    struct unwind_entry *grown =
        wanted <= MAX_ENTRIES ? arena_map(wanted * sizeof *grown) : NULL;
    if (grown == NULL)
        return false;
    for (uint32_t i = 0; i < capacity; i++)
        if (entries[i].ip != 0)
            *slot_of(grown, wanted, entries[i].ip) = entries[i];
    arena_unmap(entries, capacity * sizeof *entries);
    entries = grown;
    capacity = wanted;
    return true;
}

/* Differs between files that the loader maps at the same address. */
static uint64_t fingerprint_of(const struct native_object *object) {
    size_t length;
    const unsigned char *id = native_object_build_id(object, &length);
    uint64_t fingerprint = hash_bytes(object->name, strlen(object->name), object->bias);
    return id != NULL ? hash_bytes(id, length, fingerprint) : fingerprint;
}

/* Something was unloaded, maybe without dlclose, as iconv does with a character set. */
static void drop_overlapping(const struct native_object *object) {
    bool dropped = false;
    for (uint32_t i = present_count; i-- > 0;)
        if (present[i].start < object->end && object->start < present[i].end) {
            present[i] = present[--present_count];
            dropped = true;
        }
    if (dropped)
        unwind_table.epoch++;
}

/* A file that replaces another one at the same address is a module of its own, even if
 * it was there before. */
static uint32_t module_of(const struct native_object *object) {
    uint64_t fingerprint = fingerprint_of(object);
    for (uint32_t i = 0; i < present_count; i++)
        if (present[i].start == object->start && present[i].fingerprint == fingerprint)
            return present[i].module;
    drop_overlapping(object);
    uint32_t module = module_id(object);
    if (present_count == MAX_PRESENT)
        present_count = 0;
    present[present_count++] =
        (struct present){object->start, object->end, fingerprint, module};
    return module;
}

static uint8_t flags_of(const struct native_object *object, uintptr_t address) {
    struct native_symbol symbol;
    uintptr_t own = (uintptr_t)&unwind_table;
    if (own >= object->start && own < object->end)
        return NATIVE_HIDDEN;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (native_object_symbol(object, known[i].name, known[i].hash, &symbol) < 0 ||
            address - symbol.address >= symbol.size)
            continue;
        bool small = known[i].flags == NATIVE_EVALUATES && symbol.size < SMALL_FUNCTION;
        return known[i].flags | (small ? NATIVE_TAIL_CALLS : 0);
    }
    return 0;
}

static void derive(struct unwind_entry *entry, uint64_t address, bool exact) {
    struct native_object object;
    struct native_cfi cfi;
    entry->key = address & key_bits;
    entry->rule = NATIVE_RULE_ABSENT;
    bool has_object = native_object_find(address, &object) == 0;
    bool is_code = has_object ? native_code_is_of(&object, address)
                              : exact || native_code_is_new(address + 1);
    if (!is_code)
        entry->rule = NATIVE_RULE_NO_CODE;
    if (!has_object || !is_code)
        return;
    uint64_t module = module_of(&object);
    entry->key = module << NATIVE_MODULE_SHIFT | ((address - object.bias) & key_bits);
    entry->flags = flags_of(&object, address);
    entry->epoch =
        native_object_is_permanent(&object) ? ENTRY_PERMANENT : unwind_table.epoch;
    int error =
        object.header == NULL ? -ENOENT : native_cfi_find(object.header, address, &cfi);
    if (error < 0) {
        entry->rule = error == -ENOENT ? NATIVE_RULE_ABSENT : NATIVE_RULE_OTHER;
        return;
    }
    entry->rule = (uint8_t)cfi.rule;
    if (cfi.rule == NATIVE_RULE_SIGNAL &&
        !native_instruction_is_signal_return(address + 1))
        entry->rule = NATIVE_RULE_OTHER;
    entry->cfa = cfi.cfa;
    entry->rbp = cfi.rbp;
    if (cfi.cfa % 8 != 0 || cfi.rbp % 8 != 0)
        entry->rule = NATIVE_RULE_OTHER;
}

/* Entries for code that belongs to no file are not cached: a file may be mapped there
 * later. */
static cold_path const struct unwind_entry *learn(struct unwind_entry *slot,
                                                  uint64_t key, uint64_t address) {
    static struct unwind_entry passing;
    passing = (struct unwind_entry){.ip = key};
    derive(&passing, address, (key & exact_bit) != 0);
    if (passing.key >> NATIVE_MODULE_SHIFT == 0)
        return &passing;
    if (slot->ip != key) {
        if (!make_room())
            return &passing;
        slot = slot_of(entries, capacity, key);
        used++;
    }
    *slot = passing;
    return slot;
}

const struct unwind_entry *unwind_table_find(uint64_t ip, bool exact) {
    uint64_t key = exact ? ip | exact_bit : ip;
    struct unwind_entry *entry = slot_of(entries, capacity, key);
    if (likely(entry->ip == key &&
               (entry->epoch == ENTRY_PERMANENT || entry->epoch == unwind_table.epoch)))
        return entry;
    return learn(entry, key, exact ? ip : ip - 1);
}
