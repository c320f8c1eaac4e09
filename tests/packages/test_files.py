# SPDX-License-Identifier: MIT
"""The files of the packages: what they need of a system, and their size."""

import re
import subprocess
import sys
import tarfile
import zipfile

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests" / "lint"))

import glibc_versions  # noqa: E402

# What every glibc of 2.17 and later brings.
OF_GLIBC = r"(libc|libm|libdl|libpthread|librt|ld-linux-[\w-]+)\.so\.\d"


@pytest.fixture(params=["tarball", "wheel"])
def binaries(request, package, tmp_path):
    """The ELF files of a package: command and library."""
    pattern = {"tarball": "tracemalloc-*.tar.gz", "wheel": "libtracemalloc-*.whl"}
    path = package(pattern[request.param])
    opened = tarfile.open if request.param == "tarball" else zipfile.ZipFile
    with opened(str(path)) as archive:
        archive.extractall(str(tmp_path))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    found = [path for path in files if path.read_bytes()[:4] == b"\x7fELF"]
    assert {path.name for path in found} == {"tracemalloc", "libtracemalloc.so"}
    return found


def readelf(option, path):
    command = ["readelf", "-W", option, str(path)]
    return subprocess.check_output(command, universal_newlines=True)


def is_stripped(path):
    return ".symtab" not in readelf("-S", path)


def needed(path):
    return re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("-d", path))


def test_they_need_nothing_but_an_old_glibc(binaries):
    for path in binaries:
        assert glibc_versions.problems(str(path)) == []
        others = [n for n in needed(path) if not re.fullmatch(OF_GLIBC, n)]
        assert others == [] and is_stripped(path)


def test_the_library_is_one_small_file(package):
    library = package("libtracemalloc.so")
    assert library.stat().st_size < 1 << 20
    assert is_stripped(library)
    assert glibc_versions.problems(str(library)) == []
    # The library names what it needs of libc alone: no rpath leads elsewhere.
    assert not re.search(r"R(UN)?PATH", readelf("-d", library))
