/* SPDX-License-Identifier: MIT */
/* usage: make_corpus FOLDER: writes dumps for the fuzzer to begin with. */
#include <limits.h>
#include <stdio.h>

#include "random_dump.h"

enum { DUMPS = 16 };

int main(int argc, char **argv) {
    if (argc != 2)
        return 2;
    for (unsigned seed = 0; seed < DUMPS; seed++) {
        struct dump_maker maker;
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%u.dump", argv[1], seed);
        dump_maker_open(&maker);
        random_dump_fill(&maker, seed);
        dump_maker_write(&maker, path);
        dump_maker_close(&maker);
    }
    return 0;
}
