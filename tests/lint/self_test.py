# SPDX-License-Identifier: MIT
"""self_test.py CC: each lint finds what is planted, and is content without it.

A test that cannot fail is no test: every rule has a tree here that breaks it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

import columns
import exports
import formatting
import glibc_versions
import headers
import layers
import live_counters
import named_files
import small_names
import terminal_text

COMPILER = sys.argv[1:] or ["cc"]
GOOD = {
    "include/tracemalloc.h": "#pragma once\nint tracemalloc_start(void);\n",
    "src/base/lock.h": "#pragma once\nstruct lock {\n    int word;\n};\n",
    "src/dump/dump_file.h": '#pragma once\n#include "base/lock.h"\n\nint x(void);\n',
    "src/trace/guard.h": '#pragma once\n#include "base/lock.h"\n',
    "src/cli/main.c": '#include "dump/dump_file.h"\n#include "tracemalloc.h"\n',
}


class Planted(unittest.TestCase):
    """A folder with the files of GOOD and those that a test adds or replaces."""

    def setUp(self):
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        for path, text in GOOD.items():
            self.write(path, text)

    def write(self, path, text):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def assert_found(self, found, *words):
        self.assertTrue(found)
        for word in words:
            self.assertIn(word, "\n".join(found))


class TerminalText(Planted):
    def found(self, text):
        self.write("src/cli/cmd_x.c", text)
        return terminal_text.problems(self.root)

    def test_planted(self):
        for text in (
            'fprintf(stderr, "tracemalloc: %s\\n", path);',
            'fputs(path, stderr);',
            'perror("x");',
            'argp_error(state, "x %s", path);',
            'puts(path);',
            'printf("%s\\n", path);',
            'fprintf(terminal->out, "%.*s", (int)length, path);',
        ):
            self.assert_found(self.found(text), "src/cli/cmd_x.c:1")

    def test_good(self):
        text = 'fprintf(out, "%*s", columns, "");\nprintf("%zu\\n", count);\n'
        self.assertEqual(self.found(text), [])


class NamedFiles(Planted):
    def found(self, text):
        self.write("CONTRIBUTING.md", text)
        return named_files.problems(self.root)

    def test_missing(self):
        found = self.found("one\ntwo `src/base/lock.h` and `src/base/key.h`\n")
        self.assertEqual(found, ["CONTRIBUTING.md:2: no src/base/key.h"])

    def test_good(self):
        text = "`src/base/`, `src/cli/cmd_<noun>.c`, `src/cli/main.c -h`, `base/x.h`\n"
        self.assertEqual(self.found(text), [])


class Layers(Planted):
    def found(self, path, text):
        self.write(path, text)
        return layers.problems(self.root)

    def test_good_tree(self):
        self.assertEqual(layers.problems(self.root), [])

    def test_higher_rank(self):
        found = self.found("src/base/io.c", '#include "dump/dump_file.h"\n')
        self.assert_found(found, "src/base/io.c", "not below base/")

    def test_same_rank(self):
        self.write("src/stack/python_stack.h", "#pragma once\n")
        found = self.found("src/dump/x.c", '#include "stack/python_stack.h"\n')
        self.assert_found(found, "not below dump/")

    def test_other_tower(self):
        found = self.found("src/cli/cmd_x.c", '#  include "trace/guard.h"\n')
        self.assert_found(found, "src/cli/cmd_x.c", "trace/guard.h")

    def test_include_without_folder(self):
        found = self.found("src/base/lock.c", '#include "lock.h"\n')
        self.assert_found(found, "src/base/lock.c")

    def test_unknown_folder(self):
        self.assert_found(
            self.found("src/extra/x.c", "int x;\n"), "src/extra has no rank"
        )

    def test_cycle(self):
        self.write("src/base/a.h", '#include "base/b.h"\n')
        found = self.found("src/base/b.h", '#include "base/a.h"\n')
        self.assert_found(found, "include cycle", "src/base/a")

    def test_cycle_of_modules(self):
        self.write("src/base/a.h", "#pragma once\n")
        self.write("src/base/a.c", '#include "base/a.h"\n#include "base/b.h"\n')
        self.write("src/base/b.h", "#pragma once\n")
        found = self.found("src/base/b.c", '#include "base/a.h"\n')
        self.assert_found(found, "include cycle", "src/base/a", "src/base/b")

    def test_empty_tree(self):
        self.assert_found(
            layers.problems(os.path.join(self.root, "nothing")), "no C files"
        )


class Headers(Planted):
    def found(self, path, text):
        self.write(path, text)
        return headers.problems(self.root, COMPILER)

    def test_good_tree(self):
        self.assertEqual(headers.problems(self.root, COMPILER), [])

    def test_missing_include(self):
        found = self.found("src/base/io.h", "#pragma once\nssize_t io_read(void);\n")
        self.assert_found(found, "src/base/io.h")

    def test_no_pragma_once(self):
        found = self.found("src/base/io.h", "struct io {\n    int fd;\n};\n")
        self.assert_found(found, "src/base/io.h")

    def test_public_header_in_plain_c(self):
        text = '#pragma once\nstatic inline void f(void) { asm volatile(""); }\n'
        self.assert_found(self.found("include/tracemalloc.h", text), "(-std=c11)")


class Exports(Planted):
    body = "0"

    def found(self, names):
        source = self.write(
            "x.c",
            "const char *strerrordesc_np(int error);\n"
            "int tracemalloc_start(void) { return %s; }\nint stray;\n" % self.body,
        )
        library = os.path.join(self.root, "x.so")
        subprocess.check_call(COMPILER + ["-shared", "-fPIC", "-o", library, source])
        return exports.problems(library, self.write("x.list", names))

    def test_exact(self):
        self.assertEqual(self.found("# comment\ntracemalloc_start\nstray  # why\n"), [])

    def test_stray(self):
        self.assertEqual(
            self.found("tracemalloc_start\n"), ["stray is exported and not listed"]
        )

    def test_missing(self):
        found = self.found("tracemalloc_start\nstray\nmalloc\n")
        self.assertEqual(found, ["malloc is not exported"])

    def test_too_new(self):
        self.body = "strerrordesc_np(1) != 0"
        self.assert_found(self.found("tracemalloc_start\nstray\n"), "too new")

    def test_relocations_that_only_a_new_loader_knows(self):
        self.assertTrue(glibc_versions.is_too_new("GLIBC_ABI_DT_RELR"))
        self.assertFalse(glibc_versions.is_too_new("GLIBC_2.2.5"))


@unittest.skipUnless(shutil.which("clang-format"), "clang-format is not installed")
class Formatting(Planted):
    def test_good_and_bad(self):
        self.write(
            ".clang-format", "BasedOnStyle: LLVM\nIndentWidth: 4\nSortIncludes: false\n"
        )
        self.assertEqual(formatting.problems(self.root), [])
        self.write("src/base/bad.c", "int  f(void){return 1;}\n")
        self.assert_found(formatting.problems(self.root), "src/base/bad.c")

    def test_no_style(self):
        self.assert_found(formatting.problems(self.root), ".clang-format")


class Columns(Planted):
    def test_good_tree(self):
        self.write("src/base/good.c", "/* %s */\n" % ("\u2502" * 82))
        self.assertEqual(columns.problems(self.root), [])

    def test_wide_comment(self):
        self.write("src/base/wide.c", "int x;\n/* %s */\n" % ("x" * 83))
        found = columns.problems(self.root)
        self.assertEqual(found, ["src/base/wide.c:2: 89 columns"])

    def test_wide_test(self):
        self.write("tests/e2e/test_x.py", "#" * 89 + "\n")
        self.assert_found(columns.problems(self.root), "tests/e2e/test_x.py:1")


class SmallNames(Planted):
    def found(self, body):
        self.write("src/cli/cmd_x.c", "static int f(void) {\n    %s\n}\n" % body)
        return small_names.problems(self.root)

    def test_planted(self):
        for body in (
            "if (status < 0) return status;",
            "int status = -EINVAL;",
            "while (result >= 0) result = f();",
            "for (size_t at = 0; at < count; at++) f();",
            "for (uint32_t at = count; at-- > 0;) f();",
        ):
            self.assert_found(self.found(body), "src/cli/cmd_x.c:2: call")

    def test_good(self):
        for body in (
            "if (error < 0) return error;",
            "if (f(&target->status) < 0) return 1;",
            "int status = g() ? 1 : 0;",
            "for (size_t at = 0; at < size; at += f(at)) g();",
            "/* if (status < 0) */",
        ):
            self.assertEqual(self.found(body), [])


class LiveCounters(Planted):
    def found(self, path, body):
        self.write(path, "static void f(uint32_t *slot) {\n    %s\n}\n" % body)
        return live_counters.problems(self.root)

    def test_planted(self):
        for body in (
            "*slot = 0;",
            "*slot |= BLOCK_MAP_WATCHED;",
            "bucket->live++;",
            "++bucket->live;",
            "bucket_at(id)->total--;",
            "bucket_table.buckets[id].at_exit = 1;",
            "header->python_bytes += size;",
            "tracer.dump->header->native_bytes -= size;",
        ):
            found = self.found("src/event/event.c", body)
            self.assert_found(found, "src/event/event.c:2: f() writes")

    def test_good(self):
        for body in (
            "if (*slot == 0) return;",
            "uint32_t *slot = find();",
            "if (bucket->live == 0) return;",
            "/* *slot = 0; */",
            "view->total = 0;",
        ):
            self.assertEqual(self.found("src/event/event.c", body), [])
        body = "bucket->live++; *slot = 0;"
        self.assertEqual(self.found("src/trace/live_block.h", body), [])

    def test_named_writer(self):
        text = "void %s(void) {\n    bucket->live = 0;\n}\n"
        self.write("src/trace/bucket_table.c", text % "bucket_table_clear")
        self.assertEqual(live_counters.problems(self.root), [])
        self.write("src/trace/bucket_table.c", text % "bucket_table_find")
        self.assert_found(live_counters.problems(self.root), "bucket_table_find()")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
