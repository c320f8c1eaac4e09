# SPDX-License-Identifier: MIT
"""exports.py LIBRARY LIST: the library exports the names of the list, no more, no less.

A stray name in a preloaded library replaces the program's own function of that name.
Lines of LIST that begin with # are comments. And the library needs no newer glibc than
glibc_versions.py allows.
"""

import subprocess
import sys

import glibc_versions
import tree


def symbols(library, kind):
    """The library's dynamic symbols of a kind, as nm writes them: name@version."""
    listing = subprocess.run(
        ["nm", "-D", kind, "--format=posix", library],
        stdout=subprocess.PIPE,
        universal_newlines=True,
        check=True,
    ).stdout
    return [line.split()[0] for line in listing.splitlines()]


def exported(library):
    """The names that the library defines for others, without symbol versions."""
    return {symbol.split("@")[0] for symbol in symbols(library, "--defined-only")}


def listed(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.split("#")[0].strip() for line in file]
    return {line for line in lines if line}


def problems(library, path):
    there, wanted = exported(library), listed(path)
    newer = glibc_versions.problems(library)
    stray = ["%s is exported and not listed" % name for name in sorted(there - wanted)]
    missing = ["%s is not exported" % name for name in sorted(wanted - there)]
    return newer + stray + missing


if __name__ == "__main__":
    tree.report(problems(*sys.argv[1:3]))
