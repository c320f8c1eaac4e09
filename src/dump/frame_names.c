/* SPDX-License-Identifier: MIT */
#include "dump/frame_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { FIRST_CAPACITY = 256 };

/* Returns the slot of a text, or the free slot for it. */
static size_t find_slot(const struct frame_names *table, struct dump_text text) {
    size_t mask = table->capacity * 2 - 1;
    size_t i = (hash_bytes(text.bytes, text.length, 0) >> 32) & mask;
    for (; table->slots[i] != 0; i = (i + 1) & mask) {
        struct dump_text other = table->texts[table->slots[i] - 1];
        if (other.length == text.length &&
            memcmp(other.bytes, text.bytes, text.length) == 0)
            break;
    }
    return i;
}

static int grow(struct frame_names *table) {
    size_t capacity = table->capacity == 0 ? FIRST_CAPACITY : table->capacity * 2;
    struct dump_text *texts = realloc(table->texts, capacity * sizeof *texts);
    if (texts == NULL)
        return -ENOMEM;
    table->texts = texts;
    uint32_t *slots = calloc(capacity * 2, sizeof *slots);
    if (slots == NULL)
        return -ENOMEM;
    free(table->slots);
    table->slots = slots;
    table->capacity = capacity;
    for (size_t id = 0; id < table->count; id++)
        slots[find_slot(table, texts[id])] = (uint32_t)id + 1;
    return 0;
}

int frame_names_open(struct frame_names *table) {
    static const struct dump_text fixed[] = {
        [FRAME_NAMES_UNKNOWN] = {"<unknown>", 9},
        [FRAME_NAMES_OVERFLOW] = {"<overflow>", 10},
    };
    *table = (struct frame_names){0};
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (frame_names_add(table, fixed[i]) < 0)
            return -ENOMEM;
    return 0;
}

int64_t frame_names_add(struct frame_names *table, struct dump_text text) {
    if (table->count == table->capacity && grow(table) < 0)
        return -ENOMEM;
    size_t slot = find_slot(table, text);
    if (table->slots[slot] != 0)
        return table->slots[slot] - 1;
    table->texts[table->count] = text;
    table->slots[slot] = (uint32_t)++table->count;
    return (int64_t)table->count - 1;
}

void frame_names_close(struct frame_names *table) {
    free(table->texts);
    free(table->slots);
    *table = (struct frame_names){0};
}
