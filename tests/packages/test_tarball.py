# SPDX-License-Identifier: MIT
"""The tarball: it runs from where it is unpacked, in bare systems of other releases."""

import re

import pytest

from conftest import SUITES, unpack

PROGRAM = "kept = [bytes(70000) for _ in range(3)]; print('out')"


@pytest.fixture(params=SUITES)
def unpacked(request, system, package, tmp_path):
    """The system, and the directory there into which the tarball was unpacked."""
    top = unpack(package("tracemalloc-*.tar.gz"), tmp_path / "unpacked")
    bare = system(request.param)
    bare.bind(tmp_path / "unpacked", "/opt/here")
    return bare, "/opt/here/" + top


def test_traces_and_reports(unpacked):
    bare, top = unpacked
    command = top + "/bin/tracemalloc"
    traced = bare.run(command, "run", "-o", "/tmp/x.dump", "python3", "-c", PROGRAM)
    assert (traced.returncode, traced.stdout) == (0, "out\n"), traced.stderr
    assert traced.stderr == "tracemalloc: wrote /tmp/x.dump\n"
    stats = bare.run(command, "stats", "--at", "peak", "/tmp/x.dump")
    assert stats.returncode == 0
    assert re.search(r"<string>:1: size=2\d\d KiB", stats.stdout), stats.stdout
    page = bare.run(command, "flamegraph", "/tmp/x.dump", "-o", "/tmp/x.html")
    assert page.returncode == 0, page.stderr


def test_what_is_inside(unpacked):
    bare, top = unpacked
    texts = bare.run("ls", top + "/licenses").stdout.split()
    assert "libdw-dev.txt" in texts and "LGPL-3.txt" in texts
    assert bare.run("ls", top + "/LICENSE").returncode == 0
    assert "tracemalloc-run.1" in bare.run("ls", top + "/share/man/man1").stdout


def test_programs_without_threads_live(unpacked):
    bare, top = unpacked
    for program in (["true"], ["sh", "-c", "exit 0"], ["env"]):
        assert bare.run(top + "/bin/tracemalloc", "run", *program).returncode == 0


def test_the_library_alone(system, package, tmp_path):
    library = package("libtracemalloc.so")
    bare = system("bullseye")
    bare.bind(library.parent, "/opt/library")
    preload = {"LD_PRELOAD": "/opt/library/libtracemalloc.so"}
    preload.update(PYTHONTRACEMALLOC="25", TRACEMALLOC_OUTPUT="/tmp/y.dump")
    traced = bare.run("python3", "-c", PROGRAM, env=preload)
    assert (traced.returncode, traced.stdout) == (0, "out\n"), traced.stderr
    assert bare.run("test", "-s", "/tmp/y.dump").returncode == 0
