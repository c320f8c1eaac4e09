/* SPDX-License-Identifier: MIT */
#include "symbols/text_store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { UNIT = 4 };

static const uint32_t no_id = UINT32_MAX;

int text_store_open(struct text_store *store, struct dump_reader *reader) {
    *store = (struct text_store){.reader = reader,
                                 .bytes = {.entry_size = 1},
                                 .ids = {.entry_size = sizeof(uint32_t)}};
    return frame_names_open(&store->known);
}

/* The section of a damaged dump may have any length, so its end is aligned. */
static size_t first_id(const struct text_store *store) {
    return (store->reader->string_bytes + UNIT - 1) / UNIT * UNIT;
}

int64_t text_store_append(struct text_store *store, const char *text) {
    static const char zeros[UNIT];
    struct array *bytes = &store->bytes;
    if (text == NULL)
        return 0;
    size_t length = strlen(text), id = first_id(store) + bytes->count;
    if (id + length > UINT32_MAX - 2 * UNIT)
        return -EFBIG;
    uint32_t stored = (uint32_t)length;
    if (array_append(bytes, &stored, sizeof stored) < 0 ||
        array_append(bytes, text, length) < 0 ||
        array_append(bytes, zeros, UNIT - length % UNIT) < 0)
        return -ENOMEM;
    return (int64_t)id;
}

/* Returns the address of a text's id, which is no_id if it is new; NULL if there is no
 * memory. */
static uint32_t *find_id(struct text_store *store, struct dump_text text) {
    int64_t number = frame_names_add(&store->known, text);
    while (number >= (int64_t)store->ids.count)
        if (array_append(&store->ids, &no_id, 1) < 0)
            return NULL;
    return number < 0 ? NULL : (uint32_t *)store->ids.entries + number;
}

int64_t text_store_add(struct text_store *store, const char *text) {
    if (text == NULL)
        return 0;
    uint32_t *id = find_id(store, (struct dump_text){text, strlen(text)});
    if (id == NULL)
        return -ENOMEM;
    if (*id != no_id)
        return *id;
    int64_t added = text_store_append(store, text);
    if (added >= 0)
        *id = (uint32_t)added;
    return added;
}

int64_t text_store_know(struct text_store *store, tracemalloc_dump_string text) {
    uint32_t *id = find_id(store, dump_reader_text(store->reader, text));
    if (id == NULL)
        return -ENOMEM;
    if (*id == no_id)
        *id = text;
    return *id;
}

int text_store_install(struct text_store *store) {
    struct dump_reader *reader = store->reader;
    size_t first = first_id(store), size = first + store->bytes.count;
    char *strings =
        store->bytes.count == 0 ? NULL : realloc((void *)reader->strings, size);
    if (store->bytes.count == 0)
        return 0;
    if (strings == NULL)
        return -ENOMEM;
    memset(strings + reader->string_bytes, 0, first - reader->string_bytes);
    memcpy(strings + first, store->bytes.entries, store->bytes.count);
    reader->strings = strings;
    reader->string_bytes = size;
    return 0;
}

void text_store_close(struct text_store *store) {
    free(store->bytes.entries);
    free(store->ids.entries);
    frame_names_close(&store->known);
    *store = (struct text_store){0};
}
