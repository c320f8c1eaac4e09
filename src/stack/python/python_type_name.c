/* SPDX-License-Identifier: MIT */
#include "stack/python/python_type_name.h"

#include <assert.h>
#include <string.h>

#include "base/machine.h"

static_assert(offsetof(struct python_type_head, flags) == 168 &&
                  offsetof(struct python_type_head, dict) == 264,
              "as in Include/cpython/object.h");

enum { TYPE_IS_ON_HEAP = 1 << 9 };

enum {
    NAME_SIZE = 256, /* of a name or a module; longer ones are cut */
    MAX_ENTRIES = 1024,
    ENTRIES = 16, /* of a dict are read at once */
    STATE_COMPACT = 1 << 5,
    STATE_ASCII = 1 << 6,
    KEYS_GENERAL = 0, /* dk_kind, from 3.11 on */
    KEYS_OF_STRINGS = 1,
};

/* PyDictObject. */
struct dict {
    uint64_t references;
    uintptr_t type;
    int64_t used;
    uint64_t version;
    uintptr_t keys;
};

/* PyDictKeysObject to 3.10; the indices follow. */
struct old_keys {
    int64_t references;
    int64_t size;
    uintptr_t lookup;
    int64_t usable;
    int64_t entries;
};

/* From 3.11 on. */
struct new_keys {
    int64_t references;
    uint8_t log2_size;
    uint8_t log2_index_bytes;
    uint8_t kind;
    uint8_t rest[5];
    int64_t usable;
    int64_t entries;
};

/* Where the entries of a dict are: each is [hash,] key and value. */
struct entries {
    uintptr_t first;
    uint64_t count;
    unsigned words; /* of an entry */
};

static bool read_exactly(const struct own_memory *memory, uintptr_t address, void *out,
                         size_t size) {
    return own_memory_read(memory, address, out, size) == size;
}

/* Reads up to the page's end at once: the next page may be of another mapping. */
static size_t read_c_string(const struct own_memory *memory, uintptr_t address,
                            char out[NAME_SIZE]) {
    size_t length = 0;
    while (length < NAME_SIZE) {
        size_t part = machine_page_size() - (address + length) % machine_page_size();
        part = part < NAME_SIZE - length ? part : NAME_SIZE - length;
        size_t got = own_memory_read(memory, address + length, out + length, part);
        const char *end = memchr(out + length, '\0', got);
        if (end != NULL)
            return (size_t)(end - out);
        length += got;
        if (got < part)
            return 0;
    }
    /* Cut, but not within a character. */
    while (length > 0 && ((unsigned char)out[length - 1] & 0x80) != 0)
        length--;
    return length;
}

/* Reads a str of ASCII characters; 0 for others. */
static size_t read_ascii(const struct python_layout *layout,
                         const struct own_memory *memory, uintptr_t string,
                         char out[NAME_SIZE]) {
    unsigned char head[64];
    int64_t length;
    uint32_t state;
    assert(layout->string_ascii_data <= sizeof head);
    if (!read_exactly(memory, string, head, layout->string_ascii_data))
        return 0;
    memcpy(&length, head + layout->string_length, sizeof length);
    memcpy(&state, head + layout->string_state, sizeof state);
    bool is_ascii = (state & STATE_COMPACT) != 0 && (state & STATE_ASCII) != 0;
    if (!is_ascii || length <= 0 || length > NAME_SIZE)
        return 0;
    return own_memory_read(memory, string + layout->string_ascii_data, out,
                           (size_t)length);
}

static uint64_t old_index_bytes(int64_t size) {
    if (size <= 0xff)
        return 1;
    return size <= 0xffff ? 2 : 4;
}

static bool find_old_entries(const struct own_memory *memory, uintptr_t at,
                             struct entries *out) {
    struct old_keys keys;
    if (!read_exactly(memory, at, &keys, sizeof keys) || keys.size <= 0 ||
        keys.size > UINT32_MAX)
        return false;
    *out = (struct entries){
        .first = at + sizeof keys + (uint64_t)keys.size * old_index_bytes(keys.size),
        .count = (uint64_t)keys.entries,
        .words = 3,
    };
    return true;
}

static bool find_new_entries(const struct own_memory *memory, uintptr_t at,
                             struct entries *out) {
    struct new_keys keys;
    if (!read_exactly(memory, at, &keys, sizeof keys) || keys.log2_index_bytes > 32 ||
        keys.kind > KEYS_OF_STRINGS)
        return false;
    *out = (struct entries){
        .first = at + sizeof keys + ((uint64_t)1 << keys.log2_index_bytes),
        .count = (uint64_t)keys.entries,
        .words = keys.kind == KEYS_GENERAL ? 3 : 2,
    };
    return true;
}

static bool find_entries(const struct python_layout *layout,
                         const struct own_memory *memory, uintptr_t address,
                         struct entries *out) {
    struct dict dict;
    if (!read_exactly(memory, address, &dict, sizeof dict))
        return false;
    bool found = layout->version < 0x30b ? find_old_entries(memory, dict.keys, out)
                                         : find_new_entries(memory, dict.keys, out);
    if (found && out->count > MAX_ENTRIES)
        out->count = MAX_ENTRIES;
    return found;
}

static bool is_module_key(const struct python_layout *layout,
                          const struct own_memory *memory, uintptr_t key) {
    static const char wanted[] = "__module__";
    char text[NAME_SIZE];
    return read_ascii(layout, memory, key, text) == sizeof wanted - 1 &&
           memcmp(text, wanted, sizeof wanted - 1) == 0;
}

/* The value of __module__ in a class's dict; 0 if it is not there. */
static uintptr_t find_module(const struct python_layout *layout,
                             const struct own_memory *memory, uintptr_t dict) {
    uint64_t words[ENTRIES * 3];
    struct entries entries;
    if (!find_entries(layout, memory, dict, &entries))
        return 0;
    for (uint64_t i = 0; i < entries.count; i++) {
        unsigned place = (unsigned)(i % ENTRIES) * entries.words;
        if (place == 0)
            memset(words, 0, sizeof words);
        size_t wanted = (size_t)ENTRIES * entries.words * sizeof *words;
        uintptr_t at = entries.first + i * entries.words * sizeof *words;
        if (place == 0 && own_memory_read(memory, at, words, wanted) == 0)
            return 0;
        uint64_t key = words[place + entries.words - 2];
        if (key != 0 && is_module_key(layout, memory, key))
            return words[place + entries.words - 1];
    }
    return 0;
}

static bool is_builtins(const char *module, size_t length) {
    return length == 8 && memcmp(module, "builtins", 8) == 0;
}

size_t python_type_name(const struct python_layout *layout,
                        const struct own_memory *memory,
                        const struct python_type_head *head,
                        char name[PYTHON_TYPE_NAME_SIZE]) {
    char own[NAME_SIZE], module[NAME_SIZE] = "";
    size_t length = read_c_string(memory, head->name, own), prefix = 0;
    /* The name of a type that C code defines has its module in front. */
    const char *dot = memrchr(own, '.', length);
    if ((head->flags & TYPE_IS_ON_HEAP) != 0 && dot == NULL)
        prefix =
            read_ascii(layout, memory, find_module(layout, memory, head->dict), module);
    if (is_builtins(module, prefix))
        prefix = 0;
    size_t room = PYTHON_TYPE_NAME_SIZE - 1 - length;
    prefix = prefix < room ? prefix : 0;
    memcpy(name, module, prefix);
    if (prefix > 0)
        name[prefix++] = '.';
    memcpy(name + prefix, own, length);
    return prefix + length;
}
