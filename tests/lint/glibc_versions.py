# SPDX-License-Identifier: MIT
"""glibc_versions.py FILE...: the ELF files need no newer glibc than MAX_GLIBC.

What is newer is asked for by dlsym, and done without.
"""

import re
import subprocess
import sys

import tree

MAX_GLIBC = (2, 17)


def is_too_new(version):
    """Of a version's name: GLIBC_2.34, or GLIBC_ABI_DT_RELR, which came with 2.36."""
    numbers = re.match(r"GLIBC_(\d+)\.(\d+)", version)
    if numbers:
        return tuple(map(int, numbers.groups())) > MAX_GLIBC
    return version.startswith("GLIBC_ABI_")


def output(command):
    return subprocess.check_output(command, universal_newlines=True)


def needed(path):
    """The file's undefined symbols, name@version, and the versions that it names."""
    symbols = output(["nm", "-D", "--undefined-only", "--format=posix", path])
    names = [line.split()[0] for line in symbols.splitlines()]
    abi = re.findall(r"Name: (GLIBC_ABI_\w+)", output(["readelf", "-VW", path]))
    return names + ["@" + name for name in abi]


def problems(path):
    return [
        "%s: %s is too new" % (path, name)
        for name in needed(path)
        if is_too_new(name.rpartition("@")[2])
    ]


if __name__ == "__main__":
    tree.report([line for path in sys.argv[1:] for line in problems(path)])
