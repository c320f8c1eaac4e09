/* SPDX-License-Identifier: MIT */
#include "stack/native/native_cfi.h"

#include <errno.h>
#include <string.h>

#include "stack/native/native_machine.h"

/* How .eh_frame_hdr is made by every linker. */
enum {
    HEADER_POINTER = 0x1b, /* relative to itself, 4 bytes */
    HEADER_TABLE = 0x3b,   /* relative to the header, 4 bytes */
};

/* The body of an entry after its length. Entries of 4 GiB and more have another
 * form. */
static int open_entry(const unsigned char *at, struct native_bytes *body) {
    uint32_t length;
    memcpy(&length, at, sizeof length);
    *body = (struct native_bytes){at + 4, at + 4 + length};
    return length == 0 || length >= 0xfffffff0u ? -ENOTSUP : 0;
}

/* 'z': data with its length; 'R': the encoding of addresses; 'P', 'L': of no interest;
 * 'S': the frame of a signal's handler's caller, the kernel. */
static int read_augmentation(struct native_bytes *from, const char *text,
                             struct cfi_common *entry) {
    uintptr_t ignored;
    int error = 0;
    entry->has_data = *text == 'z';
    if (!entry->has_data)
        return *text == '\0' ? 0 : -ENOTSUP;
    uint64_t length = native_bytes_unsigned(from);
    struct native_bytes data = {from->at, from->at};
    native_bytes_skip(from, length);
    data.end = from->at;
    for (text++; *text != '\0' && error == 0; text++) {
        if (*text == 'R')
            entry->encoding = (uint8_t)native_bytes_fixed(&data, 1);
        else if (*text == 'L')
            native_bytes_skip(&data, 1);
        else if (*text == 'S')
            entry->is_signal = true;
        else if (*text == 'P')
            error = native_bytes_pointer(&data, native_bytes_fixed(&data, 1) & 0x7f,
                                         &ignored);
        else
            error = -ENOTSUP;
    }
    return error;
}

/* The common information entry: what many functions share. */
static int read_common(const unsigned char *at, struct cfi_common *entry) {
    struct native_bytes body;
    int error = open_entry(at, &body);
    if (error < 0)
        return error;
    uint64_t id = native_bytes_fixed(&body, 4), version = native_bytes_fixed(&body, 1);
    const char *text = (const char *)body.at;
    if (id != 0 || (version != 1 && version != 3))
        return -ENOTSUP;
    native_bytes_skip(&body, strnlen(text, (size_t)(body.end - body.at)) + 1);
    entry->code_unit = native_bytes_unsigned(&body);
    entry->data_unit = native_bytes_signed(&body);
    if (native_bytes_unsigned(&body) != CFI_RETURN_ADDRESS)
        return -ENOTSUP;
    error = read_augmentation(&body, text, entry);
    entry->start = body;
    return error;
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

/* The entry's own program, after what its range and augmentation say. */
static int read_function(struct native_bytes *body, const struct cfi_common *common,
                         uintptr_t address, struct native_cfi *out) {
    uintptr_t length;
    int error = native_bytes_pointer(body, common->encoding, &out->function);
    if (error == 0)
        error = native_bytes_pointer(body, common->encoding & 0x0f, &length);
    if (error < 0)
        return error;
    if (address - out->function >= length)
        return -ENOENT;
    if (common->has_data)
        native_bytes_skip(body, native_bytes_unsigned(body));
    return 0;
}

int native_cfi_find(const unsigned char *header, uintptr_t address,
                    struct native_cfi *out) {
    const unsigned char *at;
    struct native_bytes body;
    struct cfi_common common = {0};
    *out = (struct native_cfi){0};
    int error = find_entry(header, address, &at);
    if (error == 0)
        error = open_entry(at, &body);
    if (error < 0)
        return error;
    const unsigned char *field = body.at;
    uint64_t distance = native_bytes_fixed(&body, 4);
    error = read_common(field - distance, &common);
    if (error == 0)
        error = read_function(&body, &common, address, out);
    if (error < 0)
        return error;
    cfi_interpreter_run(&common, body, address, out);
    return 0;
}
