/* SPDX-License-Identifier: MIT */
/* Small libraries for tests of symbols, made by the compiler when the test runs, in a
 * folder of their own. One thread; what fails ends the test. */
#pragma once

#include <stdint.h>

struct compiled_library {
    char folder[64];
    char path[96];     /* of the library */
    char build_id[48]; /* hexadecimal digits */
};

/* Compiles `source` (the text of a C file) with debug information. */
void compiled_library_make(struct compiled_library *library, const char *source);

/* Runs a command of the shell in the folder. */
void compiled_library_run(const struct compiled_library *library, const char *command);

/* The address of a label in the library, which its symbol table must still have. */
uint64_t compiled_library_address(const struct compiled_library *library,
                                  const char *symbol);

/* Takes the folder away. */
void compiled_library_remove(const struct compiled_library *library);
