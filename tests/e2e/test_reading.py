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
    words = "no Python frame (start-up, C threads)"
    for report in (
        ["stats", "-l", "all"],
        ["stats", "-l", "all", "-g", "filename"],
        ["stats", "-l", "all", "-g", "function"],
        ["stats", "-l", "all", "-g", "traceback"],
        ["tree", "--threshold", "0"],
        ["top", "--once", "-l", "all"],
    ):
        text = ours(*report, shared).stdout
        assert words in text, report
        assert "<unknown>" not in text, report
    # For programs it is what the standard library says.
    statistics = ours.json("stats", shared, "-l", "all")["statistics"]
    names = {entry["traceback"][-1]["filename"] for entry in statistics}
    assert "<unknown>" in names and words not in names


IMPORTING = """
import decimal, email.message, http.client, json, logging.config, unittest.mock
import xml.dom.minidom

kept = []

def remember():
    kept.append([str(i) for i in range(20000)])

remember()
"""


@pytest.fixture
def importing(some_interpreter, trace_code):
    traced = trace_code(some_interpreter, IMPORTING)
    assert traced.result.returncode == 0, traced.result.stderr
    return traced.dump


TEXT_REPORTS = [
    ["stats", "-l", "all"],
    ["stats", "-l", "all", "-g", "filename"],
    ["stats", "-l", "all", "-g", "function"],
    ["stats", "-l", "50", "-g", "traceback"],
    ["stats", "-l", "all", "--cumulative"],
    ["tree"],
    ["tree", "--inverted"],
    ["summary"],
    ["top", "--once"],
]


@pytest.mark.parametrize("report", TEXT_REPORTS, ids=" ".join)
def test_imports_are_folded_to_their_statements(importing, ours, report):
    text = ours(*report, importing).stdout
    everything = ours(*report, "--all-frames", importing).stdout
    assert re.search(r"_bootstrap_external\b", everything)
    # What the interpreter imports by itself when it starts has no statement.
    folded = [line for line in text.splitlines() if "_bootstrap_external" in line]
    assert len(folded) <= 2, folded
    if report[0] != "summary" and "filename" not in report and "50" not in report:
        assert "program.py" in text


def test_the_import_statement_holds_what_it_loaded(importing, ours):
    text = ours("stats", "-l", "all", importing).stdout
    (statement,) = re.findall(r"(?m)^\S*program\.py:2: size=(.*), count", text)
    assert "KiB" in statement or "MiB" in statement
    everything = ours("stats", "--all-frames", importing).stdout
    assert text.splitlines()[-1] == everything.splitlines()[-1]


def test_a_comparison_folds_imports_too(importing, ours):
    text = ours("compare", importing, importing, "-l", "50").stdout
    assert "Total" in text and "_bootstrap_external" not in text


def test_patterns_find_imports_as_recorded_and_as_shown(importing, ours):
    """The standard library's advice to leave imports out still works."""
    command = ("stats", "-l", "all", importing)
    without = ours(*command, "--exclude", "<frozen importlib*").stdout
    assert not re.search(r"(?m)^\S*program\.py:2: size=\d+ KiB", without)
    with_them = ours(*command, "--include", "*/program.py:2").stdout
    assert re.search(r"(?m)^\S*program\.py:2: size=\d+ KiB", with_them)


def test_machines_get_every_frame(importing, ours, snapshot):
    entries = ours.json("stats", importing, "-l", "all")["statistics"]
    told = sorted((e["size"], e["count"]) for e in entries)
    theirs = snapshot(importing).statistics("lineno")
    assert told == sorted((s.size, s.count) for s in theirs)


def test_advice_tells_imports_from_what_came_later(importing, ours):
    text = ours("summary", importing).stdout
    document = ours.json("summary", importing)
    for advice in (text[text.index("\nNext") :], document["next"]):
        advice = " ".join(advice.split())
        assert re.search(r"(remember|<listcomp>), program.py:8", advice), advice
        assert "_compile_bytecode" not in advice and "_call_with_frames" not in advice
