/* SPDX-License-Identifier: MIT */
/* usage: make_corpus DIRECTORY: what each fuzzer begins with, in directories of their
 * names: dumps, dumps with a byte of the page's options, and modules that the compiler
 * makes now. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "random_dump.h"

enum { DUMPS = 16 };

/* Functions inlined into each other, with addresses all over them. */
static const char source[] =
    "static inline __attribute__((always_inline)) int inner(int *p, int n) {\n"
    "    for (int i = 0; i < n; i++) p[i] += n;\n"
    "    return p[n];\n"
    "}\n"
    "static inline __attribute__((always_inline)) int middle(int *p) {\n"
    "    return inner(p, 3) + inner(p + 1, 5);\n"
    "}\n"
    "__attribute__((noinline)) int outer(int *p) { return middle(p) * 2; }\n"
    "int _ZN1a1bEi(int n) { int x[20] = {n}; return outer(x); }\n"
    "int cold(int n) { { int y[9] = {n}; return outer(y) + middle(y); } }\n";

/* The ways in which modules come. */
static const char *const ways[] = {
    "-gdwarf-5 -O2",
    "-gdwarf-4 -O2",
    "-gdwarf-3 -gstrict-dwarf -O1",
    "-gdwarf-5 -O2 -gz",
    "-gdwarf-5 -O2 -ffunction-sections -freorder-blocks-and-partition",
    "-g1 -O2",
    "-g0 -O2",
    "-g0 -O2 -s",
};
enum { WAYS = sizeof ways / sizeof *ways };

static void make_directory(char *path, const char *parent, const char *name) {
    snprintf(path, PATH_MAX, "%s/%s", parent, name);
    mkdir(path, 0777);
}

static void write_file(const char *path, int first, const unsigned char *bytes,
                       size_t size) {
    FILE *file = fopen(path, "w");
    if (file == NULL)
        exit(1);
    if (first >= 0)
        putc(first, file);
    fwrite(bytes, 1, size, file);
    if (fclose(file) != 0)
        exit(1);
}

static void write_dumps(const char *dumps, const char *pages) {
    for (unsigned seed = 0; seed < DUMPS; seed++) {
        struct dump_maker maker;
        char path[PATH_MAX + 16];
        size_t size;
        dump_maker_open(&maker);
        random_dump_fill(&maker, seed);
        unsigned char *image = dump_maker_image(&maker, &size);
        snprintf(path, sizeof path, "%s/%u", dumps, seed);
        write_file(path, -1, image, size);
        snprintf(path, sizeof path, "%s/%u", pages, seed);
        write_file(path, (int)(seed * 37 % 64), image, size);
        free(image);
        dump_maker_close(&maker);
    }
}

static int compile(const char *modules, unsigned way) {
    char command[2 * PATH_MAX + 300];
    snprintf(command, sizeof command,
             "cc %s -fPIC -nostdlib -shared -Wl,--build-id=none -Wl,-z,noseparate-code "
             "-x c '%s/../module.c' -o '%s/%u'",
             ways[way], modules, modules, way);
    return system(command);
}

static int write_modules(const char *directory, const char *modules) {
    char path[PATH_MAX];
    int status = 0;
    snprintf(path, sizeof path, "%s/module.c", directory);
    write_file(path, -1, (const unsigned char *)source, sizeof source - 1);
    for (unsigned way = 0; way < WAYS && status == 0; way++)
        status = compile(modules, way);
    return status;
}

int main(int argc, char **argv) {
    char dumps[PATH_MAX], pages[PATH_MAX], modules[PATH_MAX];
    if (argc != 2)
        return 2;
    make_directory(dumps, argv[1], "fuzz_dump_reader");
    make_directory(pages, argv[1], "fuzz_page");
    make_directory(modules, argv[1], "fuzz_symbols");
    write_dumps(dumps, pages);
    return write_modules(argv[1], modules) == 0 ? 0 : 1;
}
