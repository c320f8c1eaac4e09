# SPDX-License-Identifier: MIT
"""tree, summary and top --once on terminals, in pipes, and for programs."""

import re

import pytest

from test_reports import SEQUENCE, on_terminal

PROGRAM = """
kept = []

def deep(depth, keep):
    if depth:
        deep(depth - 1, keep)
    else:
        keep()

def bulky():
    kept.append(bytearray(10 << 20))

def crumbs():
    kept.extend(object() for _ in range(20000))

deep(40, bulky)
deep(3, crumbs)
"""

REPORTS = [["tree"], ["tree", "--inverted"], ["summary"], ["top", "--once"]]
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@pytest.fixture
def dump(some_interpreter, trace_code):
    traced = trace_code(some_interpreter, PROGRAM)
    assert traced.result.returncode == 0, traced.result.stderr
    return traced.dump


def names(report):
    return " ".join(report)


@pytest.mark.parametrize("report", REPORTS, ids=names)
def test_lines_fit_the_terminal(dump, command, report):
    for columns in (40, 80, 200):
        lines = on_terminal(columns, [command] + report + [dump])
        assert any("bulky" in line for line in lines)
        assert max(len(SEQUENCE.sub("", line)) for line in lines) <= columns


@pytest.mark.parametrize("report", REPORTS, ids=names)
def test_nothing_but_text_in_a_pipe(dump, ours, report):
    result = ours(*report, dump)
    assert (result.returncode, result.stderr) == (0, "")
    assert "bulky" in result.stdout
    assert not CONTROL.search(result.stdout)


def test_no_colour_where_none_is_wanted(dump, command):
    for report in REPORTS:
        arguments = [command] + report + [dump]
        assert any("\x1b[" in line for line in on_terminal(80, arguments))
        plain = on_terminal(80, arguments, NO_COLOR="1")
        assert not any("\x1b" in line for line in plain)


def test_a_tree_of_whole_stacks(dump, ours):
    lines = ours("tree", dump).stdout.split("\n")
    leaf = next(i for i, line in enumerate(lines) if " bulky " in line)
    # The chain of calls is whole, though only 25 frames of it are shown elsewhere.
    assert all(" deep " in line for line in lines[leaf - 40 : leaf])
    assert " 10.0 MiB" in lines[leaf]
    # Lines are told up to the limit, and only functions beyond it.
    assert re.search(r"program\.py:\d+$", lines[leaf - 20])
    assert re.search(r"program\.py$", lines[leaf - 30])


def test_an_inverted_tree_begins_with_the_line(dump, ours):
    lines = ours("tree", "--inverted", dump).stdout.split("\n")
    assert re.search(r"\d\d\.\d% .*bulky  .*program\.py:\d+$", lines[2])
    assert re.search(r" deep  .*program\.py:\d+$", lines[3])


def test_a_summary_for_programs(dump, ours):
    summary = ours.json("summary", dump)
    assert summary["state"] == "exited"
    assert summary["top"]["now"][0]["traceback"][0]["function"] == "bulky"
    assert summary["largest_blocks"][0]["size"] > 10 << 20
    assert sum(c["count"] for c in summary["sizes"]) == summary["total"]["count"]
    assert sum(c["size"] for c in summary["sizes"]) == summary["total"]["size"]
    assert summary["rss"]["python"] > 10 << 20
    assert "bulky" in summary["next"]
    times = [moment["time"] for moment in summary["timeline"]]
    assert times == sorted(times)


@pytest.mark.parametrize(
    "arguments",
    [
        ["tree"],
        ["tree", "--threshold", "101", "x"],
        ["summary"],
        ["summary", "--by", "pid", "x"],
        ["top"],
        ["top", "1", "2"],
        ["top", "-d", "0", "1"],
        ["merge", "x"],
        ["merge", "-o", "x"],
        ["stats", "--by", "name", "x"],
        ["compare", "--by", "process", "x", "y"],
    ],
    ids=names,
)
def test_wrong_arguments(ours, arguments):
    result = ours(*arguments)
    assert result.returncode == 2
    assert result.stderr.startswith("tracemalloc")
    assert result.stdout == ""


@pytest.mark.parametrize("report", REPORTS, ids=names)
def test_files_that_are_no_dumps(ours, tmp_path, report):
    garbage = tmp_path / "garbage"
    garbage.write_text("not a dump")
    result = ours(*report, garbage)
    assert result.returncode == 1
    assert result.stderr == "tracemalloc: %s: not a dump of libtracemalloc\n" % garbage
    assert result.stdout == ""
