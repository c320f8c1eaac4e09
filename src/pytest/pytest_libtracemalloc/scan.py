# SPDX-License-Identifier: MIT
"""Whether the test files to be run mention a marker, before any of them is imported."""

import os

from .limits import NAMES

WORDS = tuple(name.encode() for name in NAMES)
SKIPPED = ("node_modules", "venv", "build", "dist", "__pycache__")


def mentions(path):
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError:
        return False
    return any(word in text for word in WORDS)


def python_files(directory):
    for where, names, files in os.walk(directory):
        names[:] = [n for n in names if n not in SKIPPED and not n.startswith(".")]
        yield from (os.path.join(where, name) for name in files if name.endswith(".py"))


def conftests_above(directory):
    """As pytest finds them: in each directory above."""
    while True:
        yield os.path.join(directory, "conftest.py")
        outer = os.path.dirname(directory)
        if outer == directory:
            return
        directory = outer


def files_of(path):
    path = os.path.abspath(str(path))
    is_directory = os.path.isdir(path)
    yield from (python_files(path) if is_directory else [path])
    yield from conftests_above(os.path.dirname(path))


def has_markers(paths):
    """`paths` as on pytest's command line: files, directories, test ids."""
    seen = set()
    for path in paths:
        for file in files_of(str(path).split("::")[0]):
            if file not in seen and mentions(file):
                return True
            seen.add(file)
    return False
