/* SPDX-License-Identifier: MIT */
#include "leak/leak_path.h"

#include <string.h>

#include "opened_dump.h"
#include "suite.h"

static bool is_own(const char *name) {
    return leak_path_is_own((struct dump_text){name, strlen(name)});
}

START_TEST(libraries_are_not_the_program) {
    ck_assert(is_own("/srv/app/main.py"));
    ck_assert(is_own("library/python3/main.py"));
    ck_assert(!is_own("/usr/lib/python3.11/json/__init__.py"));
    ck_assert(!is_own("/usr/lib/python3/dist-packages/apt/cache.py"));
    ck_assert(!is_own("/srv/venv/lib/python3.13/site-packages/flask/app.py"));
    ck_assert(!is_own("<frozen importlib._bootstrap>"));
    ck_assert(!is_own(""));
}
END_TEST

/* The path of a stack that ends in the last of some lines of files. */
struct line {
    const char *file;
    uint32_t line;
};

static uint32_t add_stack(struct dump_maker *maker, const struct line *lines) {
    uint32_t stack = 0;
    for (; lines->file != NULL; lines++)
        stack = dump_maker_stack(maker, stack, dump_maker_code(maker, lines->file, "f"),
                                 lines->line);
    return stack;
}

START_TEST(paths_are_of_own_frames) {
    struct dump_maker maker;
    struct opened_dump opened;
    struct leak_paths paths;
    dump_maker_open(&maker);
    uint32_t deep = add_stack(&maker, (struct line[]){{"app.py", 9},
                                                      {"/lib/python3.11/lib.py", 70},
                                                      {"app.py", 4},
                                                      {"/lib/python3.11/json.py", 33},
                                                      {0}});
    uint32_t shallow = add_stack(&maker, (struct line[]){{"app.py", 9}, {0}});
    uint32_t foreign = add_stack(
        &maker,
        (struct line[]){{"/lib/python3.11/a.py", 1}, {"/lib/python3.11/b.py", 2}, {0}});
    opened_dump_open(&opened, &maker, PROFILE_NOW);
    ck_assert_int_eq(leak_paths_open(&paths, &opened.profile), 0);
    uint32_t path = paths.stacks[deep];
    ck_assert_uint_eq(leak_path_name(&paths, leak_path_frame(&paths, path)).line, 4);
    ck_assert_uint_eq(leak_path_caller(&paths, path), paths.stacks[shallow]);
    ck_assert_uint_eq(leak_path_caller(&paths, paths.stacks[shallow]), 0);
    path = paths.stacks[foreign];
    ck_assert_uint_eq(leak_path_name(&paths, leak_path_frame(&paths, path)).line, 2);
    ck_assert_uint_eq(leak_path_caller(&paths, path), 0);
    ck_assert_uint_eq(paths.stacks[0], 0);
    leak_paths_close(&paths);
    opened_dump_close(&opened);
    dump_maker_close(&maker);
}
END_TEST

int main(void) {
    const TTest *const tests[] = {
        libraries_are_not_the_program,
        paths_are_of_own_frames,
    };
    return suite_run("leak_path", tests, sizeof tests / sizeof *tests);
}
