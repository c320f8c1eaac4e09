# SPDX-License-Identifier: MIT
"""`tracemalloc check`: limits that hold, and each that does not, for people and CI."""

import xml.etree.ElementTree

import pytest

from leak_programs import PRELUDE, PROGRAMS

PROGRAM = """
import time
big = bytearray(3000001)
kept = []
for i in range(%d):
    kept.append(bytearray(100001))
    time.sleep(0.005)
del big
time.sleep(0.2)
"""


@pytest.fixture
def dump(some_interpreter, trace_code):
    return trace_code(some_interpreter, PROGRAM % 100).dump


@pytest.fixture
def check(ours, dump):
    """check(OPTION...): (status, rows of the table without its head)."""

    def run_check(*options):
        result = ours("check", dump, *options)
        lines = result.stdout.splitlines()
        if result.returncode == 0:
            assert result.stdout.startswith("within all limits: ")
            return 0, []
        assert lines[0].split() == ["FOUND", "ALLOWED", "LIMIT"]
        return result.returncode, [line.split(None, 4)[4] for line in lines[1:]]

    return run_check


def peak_of(ours, dump):
    return ours.json("stats", dump, "--at", "peak")["total"]["size"]


def test_the_peak(check, ours, dump):
    peak = peak_of(ours, dump)
    assert check("--max-peak", peak) == (0, [])
    assert check("--max-peak", peak - 1) == (3, ["peak"])
    assert check("--max-peak", "1g") == (0, [])
    assert check("--max-peak", "1M") == (3, ["peak"])


def test_several_processes_are_summed(ours, dump):
    peak = peak_of(ours, dump)
    options = "check", dump, dump, "--max-peak"
    assert ours(*options, 2 * peak).returncode == 0
    assert ours(*options, 2 * peak - 1).returncode == 3


# After a burst, the tracer reads its clock more rarely; the slow part must end that.
STEADY = """
import time
for i in range(200000):
    bytearray(1000)
x = bytearray(9000001)
for i in range(50):
    bytearray(1000)
    time.sleep(0.05)
"""


def test_growth(check, some_interpreter, trace_code, ours):
    assert check("--max-growth", "100M") == (0, [])
    assert check("--max-growth", "1M") == (3, ["growth"])
    dump = trace_code(some_interpreter, STEADY).dump
    assert ours("check", dump, "--max-growth", "1M").returncode == 0


NOT_THERE = "held no memory at the peak: check the file and the line\n"


def test_lines(check):
    """The line of a file in any directory, at the peak."""
    assert check("--max-line", "program.py:3=3M") == (0, [])
    assert check("--max-line", "program.py:3=2M") == (3, ["program.py:3"])
    assert check("--max-line", "*gram.py:3=2M") == (3, ["*gram.py:3"])
    assert check("--max-line", "am.py:3=2M") == (0, [])
    assert check("--max-line", "program.py:99=0") == (0, [])
    lines = ["--max-line", "program.py:3=2M", "--max-line", "program.py:6=9M"]
    assert check(*lines, "--max-line", "program.py:6=8M") == (
        3,
        ["program.py:3", "program.py:6", "program.py:6"],
    )


def test_a_line_that_is_not_there(ours, dump):
    """A gate must not go away silently as its file is renamed."""
    result = ours("check", dump, "--max-line", "renamed.py:3=2M")
    assert result.returncode == 0
    assert result.stderr == "tracemalloc: renamed.py:3 " + NOT_THERE


def test_a_baseline(check, ours, dump, some_interpreter, trace_code):
    old = trace_code(some_interpreter, PROGRAM % 90).dump
    name = "peak, compared with %s" % old
    assert peak_of(ours, old) * 1.01 < peak_of(ours, dump) < peak_of(ours, old) * 1.5
    assert check("--baseline", old, "--tolerance", "50%") == (0, [])
    assert check("--baseline", old, "--tolerance", "1") == (3, [name])
    assert check("--baseline", old) == (3, [name])
    assert check("--baseline", dump, "--tolerance", "0%") == (0, [])


def test_leaks(some_interpreter, trace_code, ours, check):
    """Of a run that is too short, the command says that it cannot tell."""
    text = PRELUDE + PROGRAMS["rare events"]
    dump = trace_code(some_interpreter, text, "8").dump
    leaks = [e["word"] for e in ours.json("leaks", dump)["leaks"]].count("leak")
    assert leaks > 0
    assert ours("check", dump, "--max-leaks", leaks).returncode == 0
    result = ours("check", dump, "--max-leaks", leaks - 1)
    assert result.returncode == 3 and result.stdout.endswith("leaks\n")
    short = ours("check", trace_code(some_interpreter, "").dump, "--max-leaks", "0")
    assert short.returncode == 0 and "too short to find leaks" in short.stderr


def test_what_ci_reads(ours, dump, tmp_path):
    out = tmp_path / "memory.xml"
    options = ["--max-peak", "1G", "--max-line", "p<r>&ogram,%.py:3=2M"]
    options += ["--max-line", "program.py:3=2M", "--github", "--junit", out]
    result = ours("check", dump, *options)
    assert result.returncode == 3
    assert result.stderr == "tracemalloc: p<r>&ogram,%.py:3 " + NOT_THERE
    suite = xml.etree.ElementTree.parse(str(out)).getroot()
    assert (suite.tag, suite.get("tests"), suite.get("failures")) == (
        "testsuite",
        "3",
        "1",
    )
    failed = {case.get("name"): case.find("failure") for case in suite}
    assert list(failed) == ["peak", "p<r>&ogram,%.py:3", "program.py:3"]
    message = failed.pop("program.py:3").get("message")
    assert message == "program.py:3: 2930 KiB, but at most 2048 KiB allowed"
    assert set(failed.values()) == {None}
    line = "::error file=program.py,line=3,title=tracemalloc::" + message
    assert result.stdout.splitlines()[-1] == line


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--max-peak", "x"],
        ["--max-peak", "-1"],
        ["--max-growth", "5X"],
        ["--max-leaks", "some"],
        ["--max-line", "program.py=5M"],
        ["--max-line", "program.py:3"],
        ["--max-line", "program.py:3="],
        ["--max-line", ":3=5M"],
        ["--tolerance", "5%", "--max-peak", "5M"],
        ["--baseline", "x", "--tolerance", "much"],
    ],
)
def test_usage_errors(ours, dump, options):
    result = ours("check", dump, *options)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("tracemalloc check: ")


def test_files_that_are_none(ours, dump, tmp_path):
    for options in (
        ["none.dump", "--max-peak", "1G"],
        [dump, "--baseline", "none.dump"],
        [dump, "--max-peak", "1G", "--junit", tmp_path / "none" / "x.xml"],
    ):
        result = ours("check", *options)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.count("\n") == 1
    assert ours("check", "--max-peak", "1G").returncode == 2
