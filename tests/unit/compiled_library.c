/* SPDX-License-Identifier: MIT */
#include "compiled_library.h"

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMMAND_SIZE = 600 };

void compiled_library_run(const struct compiled_library *library, const char *command) {
    char line[COMMAND_SIZE];
    snprintf(line, sizeof line, "cd %s && %s", library->folder, command);
    ck_assert_msg(system(line) == 0, "%s", line);
}

/* The first line that a command prints. */
static void read_line(const struct compiled_library *library, const char *command,
                      char *out, int size) {
    char line[COMMAND_SIZE];
    snprintf(line, sizeof line, "cd %s && %s", library->folder, command);
    FILE *pipe = popen(line, "r");
    ck_assert_ptr_nonnull(pipe);
    ck_assert_msg(fgets(out, size, pipe) != NULL, "%s", line);
    ck_assert_int_eq(pclose(pipe), 0);
    out[strcspn(out, "\n")] = '\0';
}

void compiled_library_make(struct compiled_library *library, const char *source) {
    char path[96];
    strcpy(library->folder, "/tmp/tracemalloc-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(library->folder));
    snprintf(library->path, sizeof library->path, "%s/libx.so", library->folder);
    snprintf(path, sizeof path, "%s/x.c", library->folder);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(source, file);
    ck_assert_int_eq(fclose(file), 0);
    compiled_library_run(library,
                         "cc -O2 -g -fPIC -shared -Wl,--build-id x.c -o libx.so");
    read_line(library, "readelf -n libx.so | sed -n 's/.*Build ID: //p'",
              library->build_id, sizeof library->build_id);
}

uint64_t compiled_library_address(const struct compiled_library *library,
                                  const char *symbol) {
    char command[200], text[40];
    snprintf(command, sizeof command, "nm libx.so | sed -n 's/ . %s$//p'", symbol);
    read_line(library, command, text, sizeof text);
    return strtoull(text, NULL, 16);
}

void compiled_library_remove(const struct compiled_library *library) {
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", library->folder);
    ck_assert_int_eq(system(command), 0);
}
