# SPDX-License-Identifier: MIT
"""headers.py ROOT CC: every header compiles alone, and twice in a row.

The public headers do so in plain C11 too: their users' compilers know no GNU
extensions.
"""

import subprocess
import sys

import tree

FLAGS = ["-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Isrc", "-Iinclude"]
GNU = ["-std=gnu11", "-D_GNU_SOURCE"]
PLAIN = ["-std=c11", "-pedantic"]


def compile_header(root, compiler, path, dialect):
    """The compiler's complaint about a file with nothing but this header, or ''."""
    name = path.split("/", 1)[1]
    run = subprocess.run(
        compiler + FLAGS + dialect + ["-x", "c", "-"],
        input='#include "%s"\n#include "%s"\nint unit;\n' % (name, name),
        cwd=root,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    return run.stderr if run.returncode else ""


def problems(root, compiler):
    found = []
    headers = tree.c_files(root, ["src", "include"], (".h",))
    for path in headers:
        for dialect in [GNU, PLAIN] if path.startswith("include/") else [GNU]:
            complaint = compile_header(root, compiler, path, dialect)
            if complaint:
                found.append("%s (%s):\n%s" % (path, dialect[0], complaint))
    if not headers:
        found.append("no headers below %s" % root)
    return found


if __name__ == "__main__":
    tree.report(problems(sys.argv[1], sys.argv[2:]))
