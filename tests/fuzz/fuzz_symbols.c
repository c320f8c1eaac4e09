/* SPDX-License-Identifier: MIT */
/* libFuzzer's entry: any bytes are the ELF file of a module, with any DWARF in it.
 *
 * What is asked for are addresses all over the file's first pages, and four that the
 * last bytes of the file name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory_file.h"
#include "symbols/symbol_file.h"

enum { ADDRESSES = 64, STEP = 0x49, NAMED = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Reads the texts, so that the sanitizer checks them. */
static int read_texts(void *context, const char *function, const char *filename,
                      uint32_t line) {
    (void)context;
    fprintf(nowhere(), "%s %s %u\n", function != NULL ? function : "",
            filename != NULL ? filename : "", line);
    return 0;
}

static void find(struct symbol_file *file, uint64_t address) {
    if (symbol_file_find(file, address, read_texts, NULL) < 0)
        fputs("no memory\n", nowhere());
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    char path[64];
    struct symbol_file *file;
    int fd = memory_file(bytes, size);
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)getpid(), fd);
    if (symbol_file_open(&file, path, "") == 0) {
        for (uint64_t number = 0; number < ADDRESSES; number++)
            find(file, 0x1000 + number * STEP);
        for (size_t number = 1; number <= NAMED && size >= 8 * number; number++) {
            uint64_t address;
            memcpy(&address, bytes + size - 8 * number, sizeof address);
            find(file, address);
        }
        symbol_file_close(file);
    }
    close(fd);
    return 0;
}
