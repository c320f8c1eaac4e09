# SPDX-License-Identifier: MIT
"""No name in a dump, of a file or of a process moves a terminal's cursor, whatever
command prints it and wherever it goes."""

import os
import re
import subprocess

import pytest

from conftest import TIMEOUT, clean_environment

# An escape sequence, a control character of C1, marks of direction, a separator.
EVIL = "\x1b[31mE\x9bV\u202eI\u2066L\u200f\u2028"
PROGRAM = """
import sys
kept = []
def make(name):
    names = {}
    text = "def %s():\\n    return [bytearray(100000) for _ in range(5)]"
    code = compile(text % "f", name, "exec")
    exec(code, names)
    function = names["f"]
    if hasattr(function.__code__, "replace"):
        function.__code__ = function.__code__.replace(co_name=name)
    kept.append(function())
for name in sys.argv[1:]:
    make(name)
"""
FORMULA = "=cmd|' /C calc'!A0"


def hidden(text):
    """The characters that no terminal is to get; a newline ends a line."""
    controls = "\x00-\x08\x0b-\x1f\x7f-\x9f"
    marks = "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    return re.findall("[" + controls + marks + "]", text)


def check(data):
    text = data.decode("utf-8", "surrogateescape")
    assert not hidden(text), text
    assert not [byte for byte in text if "\udc80" <= byte <= "\udc9f"], text


def run_bytes(command, **environment):
    variables = dict(clean_environment(), LC_ALL="C.UTF-8", **environment)
    return subprocess.run(
        command,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=TIMEOUT,
    )


@pytest.fixture
def folder(tmp_path):
    """The names of its files are hostile too; a byte of C1 alone among them."""
    path = os.path.join(os.fsencode(str(tmp_path)), EVIL.encode() + b"\x9b31m")
    os.mkdir(path)
    return path


@pytest.fixture
def dump(folder, some_interpreter, traced_environment, tmp_path):
    path = os.path.join(folder, b"x.dump")
    program = os.path.join(folder, b"program.py")
    with open(program, "w") as file:
        file.write(PROGRAM)
    environment = traced_environment(TRACEMALLOC_OUTPUT=os.fsdecode(path))
    names = [EVIL + ".py", FORMULA, "+1", "@x", "-y"]
    done = run_bytes([some_interpreter.path, "-B", program] + names, **environment)
    assert done.returncode == 0, done.stderr
    return path


def test_every_report(command, dump, folder):
    commands = [["info"], ["summary"], ["tree"], ["tree", "--inverted"], ["top"]]
    commands += [["top", "--once"], ["resolve"], ["stats", "--by", "process"]]
    keys = "filename", "lineno", "traceback", "function", "module"
    commands += [["stats", "-l", "all", "-g", key] for key in keys]
    for arguments in commands:
        done = run_bytes([command] + arguments + [dump])
        assert done.returncode == 0, done.stderr
        check(done.stdout)
        check(done.stderr)
    done = run_bytes([command, "compare", dump, dump])
    check(done.stdout)
    copy = os.path.join(folder, b"copy.dump")
    done = run_bytes([command, "merge", "-o", copy, dump, dump])
    check(done.stdout + done.stderr)
    done = run_bytes([command, "stats", dump, copy])
    check(done.stdout + done.stderr)


def test_errors_and_notes(command, dump, folder):
    missing = os.path.join(folder, b"missing.dump")
    with open(missing + b".not", "w") as file:
        file.write("no dump")
    for name in "info", "summary", "tree", "top", "stats", "resolve":
        for path in missing, missing + b".not":
            done = run_bytes([command, name, path])
            assert done.returncode != 0 and done.stderr
            check(done.stdout + done.stderr)
    wrong = [
        ["compare", dump, dump, missing],
        ["stats", "--group-by=" + EVIL, dump],
        ["stats", "--domain=" + EVIL, dump],
        ["export", "--format=" + EVIL, "-o", missing, dump],
        ["export", "--format=csv", "-o", os.path.join(missing, b"x"), dump],
        ["flamegraph", "--threshold=" + EVIL, dump],
        ["snapshot", EVIL],
        ["top", dump, missing],
        ["run", "--", missing],
        [EVIL],
    ]
    for arguments in wrong:
        done = run_bytes([command] + arguments)
        assert done.returncode != 0 and done.stderr, arguments
        check(done.stdout + done.stderr)


def test_run_and_live_commands(command, folder, some_interpreter):
    """The names of the dumps that `run` and the library print, and those of `ps`."""
    pattern = os.path.join(folder, b"live-%p.dump")
    code = "import subprocess, os, sys; sys.stdout.flush(); tool = sys.argv[1]\n"
    code += "me = str(os.getpid())\n"
    code += "for name in 'ps', 'snapshot', 'stop', 'start', 'stop':\n"
    code += "    subprocess.call([tool, name] + [me] * (name != 'ps'))\n"
    start = [command, "run", "--no-follow-fork", "-o", pattern]
    done = run_bytes(start + [some_interpreter.path, "-c", code, command])
    check(done.stdout + done.stderr)
    assert b"live-" in done.stdout
    # A folder that is not there: the library says so.
    nowhere = os.path.join(folder, b"none", b"%p.dump")
    done = run_bytes([command, "run", "-o", nowhere, some_interpreter.path, "-c", "0"])
    check(done.stderr)


def test_no_cell_of_a_table_is_a_formula(command, dump, tmp_path):
    path = tmp_path / "x.csv"
    done = run_bytes([command, "export", "--format", "csv", "-o", str(path), dump])
    assert done.returncode == 0, done.stderr
    text = path.read_text(encoding="utf-8")
    for start in FORMULA[:4], "+1", "@x", "-y":
        assert '"' + start not in text
        assert '"\'' + start in text
