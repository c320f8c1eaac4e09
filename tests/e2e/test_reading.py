# SPDX-License-Identifier: MIT
"""What a reader in a hurry takes from the reports: the right function, the right line,
words that say what they mean."""

import re

import pytest

SHARED_LINE = """
import threading

def make(n): return [[i] for i in range(n)]
kept = make(20000)
"""


@pytest.fixture
def shared(some_interpreter, trace_code):
    traced = trace_code(some_interpreter, SHARED_LINE)
    assert traced.result.returncode == 0, traced.result.stderr
    return traced.dump


# A comprehension was a function of its own before 3.12, with a short name before 3.11.
MAKERS = {"make", "make.<locals>.<listcomp>", "<listcomp>"}


def functions_of(entries, line):
    """Of the program's own line, by what the entries say."""
    frames = [entry["traceback"][-1] for entry in entries]
    return [
        f["function"]
        for f in frames
        if f["lineno"] == line and f["filename"].endswith("/program.py")
    ]


def test_a_lines_function_is_the_one_that_holds_most(shared, ours):
    statistics = ours.json("stats", shared, "-l", "all")["statistics"]
    summary = ours.json("summary", shared)
    for entries in (statistics, summary["top"]["now"]):
        (function,) = functions_of(entries, 4)
        assert function in MAKERS
    for report in (["summary"], ["top", "--once"]):
        text = ours(*report, shared).stdout
        lines = [line for line in text.splitlines() if "program.py:4" in line]
        assert lines and not any("<module>" in line for line in lines), lines


def test_a_traceback_is_headed_by_its_most_recent_frame(shared, ours):
    text = ours("stats", shared, "-g", "traceback", "-l", "1").stdout.splitlines()
    assert re.match(r"\S*program\.py:4: size=", text[0])
    frames = [line for line in text if line.startswith("  File ")]
    assert "line 5" in frames[0] and "line 4" in frames[-1]


def test_what_has_no_frame_says_what_it_is(shared, ours):
    words = "no Python frame (start-up, threads of C)"
    for report in (
        ["stats", "-l", "all"],
        ["stats", "-l", "all", "-g", "filename"],
        ["stats", "-l", "all", "-g", "function"],
        ["stats", "-l", "all", "-g", "traceback"],
        ["tree", "--threshold", "0"],
        ["top", "--once"],
    ):
        text = ours(*report, shared).stdout
        assert words in text, report
        assert "<unknown>" not in text, report
    # For programs it is what the standard library says.
    statistics = ours.json("stats", shared, "-l", "all")["statistics"]
    names = {entry["traceback"][-1]["filename"] for entry in statistics}
    assert "<unknown>" in names and words not in names
