# SPDX-License-Identifier: MIT
"""What tracing costs in instructions: no more, and no less, than is committed."""

import shutil
import subprocess

import pytest

from conftest import ROOT, interpreters, run

TABLE = ROOT / "doc" / "cost-instructions.md"
VERSION = "3.13.0"
# Not malloc by ctypes: what ctypes itself allocates varies by more than the limit.
LOOPS = "object() freed,list of two,dict of one"
# What an idle thread may add where all events come with the GIL, on any loop.
IDLE_THREAD = 1.03
WITHOUT_GIL = "malloc by ctypes"


def version_of(path):
    code = "import sys; print(sys.version.split()[0])"
    return run([path, "-c", code]).stdout.strip()


@pytest.fixture
def measured():
    """The interpreter of the table; a table is of one compiler too."""
    for program in ("valgrind", "meson", "ninja", "gcc"):
        if shutil.which(program) is None:
            pytest.skip("%s is not installed" % program)
    compiler = subprocess.check_output(["gcc", "--version"], universal_newlines=True)
    if compiler.splitlines()[0] not in TABLE.read_text():
        pytest.skip("%s is not of %s" % (TABLE.name, compiler.splitlines()[0]))
    for path in (i.path for i in interpreters() if i.version == (3, 13)):
        if version_of(path) == VERSION:
            return path
    pytest.skip("CPython %s is not among the interpreters" % VERSION)


@pytest.fixture
def release(tmp_path):
    """The library of a release build: a developer's has assertions."""
    target = "src/preload/libtracemalloc.so"
    setup = ["meson", "setup", tmp_path / "release", ROOT, "--buildtype=release"]
    for step in (
        setup + ["-Dtests=disabled"],
        ["ninja", "-C", tmp_path / "release", target],
    ):
        result = run(step, env={"CC": "gcc"}, timeout=600)
        assert result.returncode == 0, result.stdout + result.stderr
    return tmp_path / "release" / target


def test_instructions(measured, release):
    bench = ROOT / "tests" / "bench" / "instructions.py"
    options = ["--library", release, "--loops", LOOPS, "--check", TABLE]
    result = run([bench, "--python", measured] + options, timeout=600)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("ok  ") == 6 * len(LOOPS.split(","))


def test_an_idle_thread_costs_nothing():
    """In the committed tables, which the test above compares with what is measured."""
    rows = 0
    for line in TABLE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) < 6 or not cells[2].isdigit() or cells[0] == WITHOUT_GIL:
            continue
        alone, beside = [[int(cell) for cell in cells[at : at + 2]] for at in (2, 4)]
        assert all(b <= IDLE_THREAD * a for a, b in zip(alone, beside)), line
        rows += 1
    assert rows == 2 * 7
