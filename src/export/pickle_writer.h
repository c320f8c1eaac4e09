/* SPDX-License-Identifier: MIT */
/* Writes the part of Python's pickle protocol 4 that a snapshot needs (PEP 3154;
 * Lib/pickletools.py describes each opcode). Python 3.4 and later can read it. Our own:
 * there is no common library for C that writes pickles. For offline code; one thread at
 * a time; write errors are left in the stream. */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "dump/dump_reader.h"

struct pickle_writer {
    FILE *out;
    uint32_t memo_count; /* objects memoized so far */
};

void pickle_writer_begin(struct pickle_writer *writer, FILE *out);
void pickle_writer_end(struct pickle_writer *writer);

/* Opcodes without an argument. */
enum pickle_opcode {
    PICKLE_MARK = '(',
    PICKLE_TUPLE = 't', /* of what was pushed since the mark */
    PICKLE_TUPLE2 = 0x86,
    PICKLE_TUPLE3 = 0x87,
    PICKLE_EMPTY_TUPLE = ')',
    PICKLE_EMPTY_LIST = ']',
    PICKLE_APPENDS = 'e',
    PICKLE_EMPTY_DICT = '}',
    PICKLE_SETITEMS = 'u',
    PICKLE_NEWOBJ = 0x81, /* class and arguments to an object */
    PICKLE_BUILD = 'b',   /* object and state to the object */
    PICKLE_STACK_GLOBAL = 0x93,
};
void pickle_writer_put(struct pickle_writer *writer, enum pickle_opcode opcode);

void pickle_writer_integer(struct pickle_writer *writer, uint64_t value);
/* The text may be any bytes: those that are not UTF-8 become surrogates, as with
 * Python's "surrogateescape". */
void pickle_writer_text(struct pickle_writer *writer, struct dump_text text);
void pickle_writer_word(struct pickle_writer *writer, const char *word);

/* Memoizes the object on top of the stack; returns its number. */
uint32_t pickle_writer_memoize(struct pickle_writer *writer);
/* Pushes a memoized object. */
void pickle_writer_get(struct pickle_writer *writer, uint32_t number);
