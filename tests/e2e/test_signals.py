# SPDX-License-Identifier: MIT
"""SIGBUS is the program's, and a dump that is cut off harms nobody."""

import re

import pytest

from conftest import ROOT, outcome, run

SOURCES = [ROOT / "tests" / "e2e" / name for name in ("signals.c", "signals_cut.c")]
TEXT = "".join(source.read_text() for source in SOURCES)
CASES = re.findall(r"^visible void (\w+)\(void\)", TEXT, re.MULTILINE)

PROGRAM = """
import ctypes, glob, os, sys
cases = ctypes.CDLL(sys.argv[1])
dumps = glob.glob(sys.argv[2] + "/%d.*" % os.getpid())
assert len(dumps) == int("PYTHONTRACEMALLOC" in os.environ), dumps
cases.begin(dumps[0].encode() if dumps else None)
kept = [bytes(size) for size in range(2000)]
getattr(cases, sys.argv[3])()
more = [bytes(size) for size in range(2000)]
sys.stdout.write("end\\n")
"""


@pytest.fixture(scope="session")
def cases(tmp_path_factory):
    out = tmp_path_factory.mktemp("signals") / "signals.so"
    options = ["-std=gnu11", "-D_GNU_SOURCE", "-O1", "-shared", "-fPIC", "-pthread"]
    options += ["-Wno-deprecated-declarations"]
    done = run(["cc"] + options + ["-o", out] + SOURCES)
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.parametrize("case", CASES)
def test_the_same_with_and_without(
    case, some_interpreter, cases, trace, dumps_folder, tmp_path
):
    program = [some_interpreter.path, "-c", PROGRAM, cases, dumps_folder, case]
    expected = outcome(run(program, cwd=tmp_path))
    assert expected[0] in (0, -7), expected
    traced = trace(program, cwd=tmp_path)
    assert outcome(traced.result) == expected
    if case.startswith("cut_"):
        assert expected[0] == 0
