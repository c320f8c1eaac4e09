# SPDX-License-Identifier: MIT
"""Programs that are no CPython, children, and interpreters that we only half know."""

import shutil
import subprocess

import pytest

from conftest import ROOT, Interpreter, outcome, run

PROGRAMS = {
    "ls": ["ls", "/"],
    "sh": ["sh", "-c", "x=$(seq 1000); echo ${#x}; exit 5"],
    "sort": ["sort", "/etc/passwd"],
    "perl": ["perl", "-e", "print join(',', map { $_ * 2 } 1 .. 1000)"],
    "git": ["git", "--version"],
    "sleep": ["timeout", "0.1", "sleep", "5"],
}


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_no_python_no_file(trace, name):
    program = PROGRAMS[name]
    if not shutil.which(program[0]):
        pytest.skip("%s is not here" % program[0])
    traced = trace(program)
    assert outcome(traced.result) == outcome(run(program))
    assert traced.dumps == []


def test_native_frames_are_for_python(trace):
    """Nothing is loaded into the shells on the way to the program."""
    traced = trace(
        ["cat", "/proc/self/maps"],
        TRACEMALLOC_NATIVE_FRAMES="30",
        TRACEMALLOC_QUIET=None,
    )
    assert "libtracemalloc" in traced.result.stdout
    assert traced.result.stderr == ""


def test_a_bad_value_is_said_once(interpreter, trace):
    """By the interpreter, and not by the shell in front of it."""
    shell = ["sh", "-c", 'true; cat /dev/null; "$0" -c "print(1)"', interpreter.path]
    traced = trace(shell, TRACEMALLOC_FREE_LISTS="perhaps", TRACEMALLOC_QUIET=None)
    assert traced.result.stdout == "1\n"
    assert len(traced.result.stderr.splitlines()) == 1
    assert "TRACEMALLOC_FREE_LISTS" in traced.result.stderr
    assert traced.dumps == []


def test_children(interpreter, trace_code, ours):
    """A spawned Python has a dump of its own; a child that only execs leaves none."""
    traced = trace_code(
        interpreter,
        """
import os, subprocess, sys
subprocess.check_call([sys.executable, "-c", "import os; print(os.getpid())"])
subprocess.check_call(["true"])
print(os.getpid(), flush=True)
""",
    )
    assert traced.result.returncode == 0, traced.result.stderr
    pids = sorted(map(int, traced.result.stdout.split()))
    infos = [ours.json("info", dump) for dump in traced.dumps]
    assert sorted(info["pid"] for info in infos) == pids
    assert {info["state"] for info in infos} == {"exited"}


def test_fork(interpreter, trace_code, ours, snapshot):
    """The child's dump holds what it inherited and what it made, and only that."""
    traced = trace_code(
        interpreter,
        """
import os
inherited = bytes(1000003)
pid = os.fork()
if pid == 0:
    own = bytes(2000003)
    os._exit(3)
os.waitpid(pid, 0)
later = bytes(3000003)
print(os.getpid(), pid)
""",
    )
    assert traced.result.returncode == 0, traced.result.stderr
    parent, child = map(int, traced.result.stdout.split())
    dumps = {ours.json("info", dump)["pid"]: dump for dump in traced.dumps}
    assert set(dumps) == {parent, child}
    planted = {1000036, 2000036, 3000036}
    found = {
        pid: planted & {t.size for t in snapshot(dump).traces}
        for pid, dump in dumps.items()
    }
    assert found == {parent: {1000036, 3000036}, child: {1000036, 2000036}}
    info = ours.json("info", dumps[child])
    assert (info["state"], info["exit_status"]) == ("exited", 3)


def test_free_threaded_is_unharmed(trace, ours):
    script = str(ROOT / "scripts" / "interpreters")
    listed = subprocess.check_output([script, "--list"], universal_newlines=True)
    found = [Interpreter(path) for path in listed.split()]
    found = [interpreter for interpreter in found if interpreter.free_threaded]
    if not found:
        pytest.skip("no free-threaded interpreter here")
    for interpreter in found:
        code = "print(sum(map(len, map(str, range(999)))))"
        traced = trace([interpreter.path, "-c", code])
        assert outcome(traced.result) == outcome(interpreter.run("-c", code))
        assert not ours.json("info", traced.dump)["complete"]
