# SPDX-License-Identifier: MIT
"""Reports where names, terminals or the moment are awkward."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import tracemalloc

import pytest

from conftest import TIMEOUT, clean_environment

PROGRAM = r"""
kept = []

def keep(name, lines):
    text = "".join("keep(bytearray(%d))\n" % (1000 * line + 7) for line in range(lines))
    exec(compile(text, name, "exec"), {"keep": kept.append})

keep("plain.py", 3)
keep("caf\xe9.py", 3)
keep("a\udce9b.py", 3)
keep("with \x1b[31m a newline\n.py", 3)
keep("/a" + "/long" * 30 + "/name.py", 30)
"""

CHURN = """
import random, threading, time

def work(end):
    while time.time() < end:
        name = "generated%d.py" % random.randrange(100000)
        code = compile("kept = [bytes(i % 977) for i in range(500)]", name, "exec")
        exec(code, {})

end = time.time() + 3
threads = [threading.Thread(target=work, args=(end,)) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""

SEQUENCE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def dump(some_interpreter, trace_code):
    traced = trace_code(some_interpreter, PROGRAM)
    assert traced.result.returncode == 0, traced.result.stderr
    return traced.dump


def on_terminal(columns, arguments, **variables):
    """The output on a terminal of that width, line by line."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = dict(clean_environment(), TERM="xterm", LC_ALL="C.UTF-8")
    environment.pop("NO_COLOR", None)
    environment.update(variables)
    child = subprocess.Popen(
        [str(a) for a in arguments], stdout=theirs, stdin=theirs, env=environment
    )
    os.close(theirs)
    output = b""
    while True:
        try:
            data = os.read(ours, 65536)
        except OSError:  # the terminal is gone with the command
            break
        if not data:
            break
        output += data
    os.close(ours)
    assert child.wait(TIMEOUT) == 0
    return output.decode("utf-8").replace("\r\n", "\n").split("\n")


@pytest.mark.parametrize("columns", [40, 61, 120])
@pytest.mark.parametrize("group_by", ["lineno", "traceback"])
def test_lines_fit_the_terminal(dump, command, columns, group_by):
    arguments = [command, "stats", dump, "-g", group_by, "-l", "all"]
    lines = on_terminal(columns, arguments)
    assert any("name.py" in line for line in lines)
    assert max(len(SEQUENCE.sub("", line)) for line in lines) <= columns


def test_colour_is_for_terminals_that_want_it(dump, command):
    arguments = [command, "stats", dump]
    assert any("\x1b[" in line for line in on_terminal(80, arguments))
    for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        plain = on_terminal(80, arguments + ["-l", "all"], **variables)
        assert not any("\x1b" in line for line in plain)


def test_control_characters_stay_out(dump, command):
    text = subprocess.check_output([command, "stats", str(dump), "-l", "all"])
    assert b"with ?[31m a newline?.py:1: size=" in text
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", text)


def test_names_that_are_no_text(dump, command, ours):
    """A name that was bytes is those bytes in a text, and \\udcXX in JSON."""
    text = subprocess.check_output([command, "stats", str(dump), "-l", "all"])
    assert b"\na\xe9b.py:1: size=" in text
    document = ours.json("stats", dump, "-l", "all")
    names = {e["traceback"][0]["filename"] for e in document["statistics"]}
    assert {"a\udce9b.py", "caf\xe9.py", "with \x1b[31m a newline\n.py"} <= names


def plain(entry):
    """An entry of the standard library, or of the JSON, the oldest frame first."""
    if not isinstance(entry, dict):
        frames = [(frame.filename, frame.lineno) for frame in entry.traceback]
        return entry.size, entry.count, frames
    frames = [(frame["filename"], frame["lineno"]) for frame in entry["traceback"]]
    return entry["size"], entry["count"], frames


@pytest.mark.parametrize(
    "arguments, filters",
    [
        (["--include", "*.py:2"], [tracemalloc.Filter(True, "*.py", 2)]),
        (
            ["--exclude", "plain*", "--exclude", "<[!f]*"],
            [tracemalloc.Filter(False, "plain*"), tracemalloc.Filter(False, "<[!f]*")],
        ),
        (
            ["--include", "*program.py", "--all-frames"],
            [tracemalloc.Filter(True, "*program.py", all_frames=True)],
        ),
        (["--domain", "libc"], [tracemalloc.DomainFilter(True, 1)]),
    ],
)
def test_filters_are_those_of_the_standard_library(
    dump, ours, snapshot, arguments, filters
):
    # These two cannot be compared line by line, for what is printed is not their name.
    awkward = ["--exclude", "with *", "--exclude", "a?b.py"]
    filters = filters + [
        tracemalloc.Filter(False, "with *"),
        tracemalloc.Filter(False, "a?b.py"),
    ]
    expected = snapshot(dump).filter_traces(filters).statistics("traceback")
    command = ["stats", dump, "-g", "traceback", "-l", "all"] + arguments + awkward
    document = ours.json(*command)
    assert list(map(plain, document["statistics"])) == list(map(plain, expected))


def test_a_dump_is_whole_while_it_changes(
    some_interpreter, traced_environment, dumps_folder, tmp_path, ours
):
    """Reading sees nothing torn: each entry makes sense, the peak is at least now."""
    program = tmp_path / "churn.py"
    program.write_text(CHURN)
    environment = dict(clean_environment(), **traced_environment())
    child = subprocess.Popen([some_interpreter.path, str(program)], env=environment)
    looked = 0
    while child.poll() is None:
        for dump in dumps_folder.iterdir():
            info = ours.json("info", dump)
            assert info["state"] in ("tracing", "exited"), json.dumps(info)
            assert info["complete"], info["incomplete_reasons"]
            assert info["traced_bytes"] <= info["peak_bytes"]
            out = tmp_path / "out"
            result = ours("export", "--format", "snapshot", dump, "-o", out)
            assert result.returncode == 0, result.stderr
            looked += 1
    assert child.returncode == 0
    assert looked > 3
