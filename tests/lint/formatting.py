# SPDX-License-Identifier: MIT
"""formatting.py ROOT: clang-format would change nothing. Status 77: it is not here."""

import os
import shutil
import subprocess
import sys

import tree

FOLDERS = ["src", "include", "tests"]
SKIPPED = 77


def problems(root):
    """One line a place that clang-format would change, with what it says."""
    files = tree.c_files(root, FOLDERS)
    if not files:
        return ["no C files below %s" % root]
    if not os.path.exists(os.path.join(root, ".clang-format")):
        return ["no .clang-format in %s" % root]
    run = subprocess.run(
        ["clang-format", "--style=file", "--dry-run", "-Werror"] + files,
        cwd=root,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    places = [line for line in run.stderr.splitlines() if "error:" in line]
    return places or (["clang-format failed: " + run.stderr] if run.returncode else [])


if __name__ == "__main__":
    if not shutil.which("clang-format"):
        print("clang-format is not installed")
        sys.exit(SKIPPED)
    tree.report(problems(sys.argv[1]))
