# SPDX-License-Identifier: MIT
"""The C files of a source tree, and the way a lint reports: one line a problem."""

import os
import sys


def c_files(root, folders, endings=(".c", ".h")):
    """Paths relative to root, sorted, of the C or other files below its folders."""
    found = []
    for folder in folders:
        for where, _, names in os.walk(os.path.join(root, folder)):
            found += [
                os.path.relpath(os.path.join(where, name), root)
                for name in names
                if name.endswith(endings)
            ]
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def report(problems):
    """Prints the problems and ends the lint: status 0 when there are none."""
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)
