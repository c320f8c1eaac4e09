/* SPDX-License-Identifier: MIT */
#include "export/pickle_writer.h"

#include <string.h>

#include "output/unicode.h"

/* Opcodes with an argument, little-endian. */
enum {
    PROTO = 0x80,
    STOP = '.',
    BININT1 = 'K',
    BININT2 = 'M',
    BININT = 'J',
    LONG1 = 0x8a,
    SHORT_BINUNICODE = 0x8c,
    BINUNICODE = 'X',
    MEMOIZE = 0x94,
    BINGET = 'h',
    LONG_BINGET = 'j',
    PROTOCOL = 4,
};

static void put_number(struct pickle_writer *writer, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++)
        putc_unlocked((int)(value >> 8 * i & 0xff), writer->out);
}

static void put(struct pickle_writer *writer, int opcode, uint64_t value, int bytes) {
    putc_unlocked(opcode, writer->out);
    put_number(writer, value, bytes);
}

void pickle_writer_begin(struct pickle_writer *writer, FILE *out) {
    *writer = (struct pickle_writer){.out = out};
    put(writer, PROTO, PROTOCOL, 1);
}

void pickle_writer_end(struct pickle_writer *writer) {
    put(writer, STOP, 0, 0);
}

void pickle_writer_put(struct pickle_writer *writer, enum pickle_opcode opcode) {
    put(writer, (int)opcode, 0, 0);
}

void pickle_writer_integer(struct pickle_writer *writer, uint64_t value) {
    if (value <= UINT8_MAX) {
        put(writer, BININT1, value, 1);
    } else if (value <= UINT16_MAX) {
        put(writer, BININT2, value, 2);
    } else if (value <= INT32_MAX) {
        put(writer, BININT, value, 4);
    } else {
        put(writer, LONG1, 9, 1); /* signed: the ninth byte keeps it positive */
        put_number(writer, value, 8);
        put_number(writer, 0, 1);
    }
}

static void put_text_header(struct pickle_writer *writer, size_t length) {
    if (length <= UINT8_MAX)
        put(writer, SHORT_BINUNICODE, length, 1);
    else
        put(writer, BINUNICODE, length, 4);
}

/* Pickles keep surrogates as the dump does, encoded like any other code point. */
void pickle_writer_text(struct pickle_writer *writer, struct dump_text text) {
    const char *end = text.bytes + text.length;
    char bytes[UNICODE_MAX_BYTES];
    size_t length = 0;
    for (const char *at = text.bytes; at < end;)
        length += unicode_put(bytes, unicode_next(&at, end));
    put_text_header(writer, length);
    for (const char *at = text.bytes; at < end;)
        fwrite(bytes, 1, unicode_put(bytes, unicode_next(&at, end)), writer->out);
}

void pickle_writer_word(struct pickle_writer *writer, const char *word) {
    pickle_writer_text(writer, (struct dump_text){word, strlen(word)});
}

uint32_t pickle_writer_memoize(struct pickle_writer *writer) {
    put(writer, MEMOIZE, 0, 0);
    return writer->memo_count++;
}

void pickle_writer_get(struct pickle_writer *writer, uint32_t number) {
    if (number <= UINT8_MAX)
        put(writer, BINGET, number, 1);
    else
        put(writer, LONG_BINGET, number, 4);
}
