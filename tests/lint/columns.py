# SPDX-License-Identifier: MIT
"""columns.py ROOT: no line is wider than 88 columns.

clang-format breaks code, but leaves comments as they are.
"""

import sys

import tree

FOLDERS = ["src", "include", "tests"]
ENDINGS = (".c", ".h", ".py", "meson.build")
MOST = 88


def problems(root):
    """One line a place that is too wide."""
    files = tree.c_files(root, FOLDERS, ENDINGS)
    if not files:
        return ["no files below %s" % root]
    return [
        "%s:%d: %d columns" % (path, number, len(line))
        for path in files
        for number, line in enumerate(tree.read(root, path).split("\n"), 1)
        if len(line) > MOST
    ]


if __name__ == "__main__":
    tree.report(problems(sys.argv[1]))
