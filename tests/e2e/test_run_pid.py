# SPDX-License-Identifier: MIT
"""The pid of `tracemalloc run` stands for the program that it runs."""

import subprocess

import pytest

from conftest import TIMEOUT, clean_environment

TEXT = """
import sys
kept = [bytes(100003)]
print("ready", flush=True)
sys.stdin.readline()
"""


@pytest.fixture(params=[[], ["sh", "-c", '"$@"; true', "sh"]], ids=["itself", "by sh"])
def running(request, some_interpreter, command, tmp_path):
    """A run whose program waits for a line; `finish()` is its standard error."""
    program = request.param + [some_interpreter.path, "-c", TEXT]
    process = subprocess.Popen(
        [command, "run", "-o", "run.%p.dump", "--"] + program,
        cwd=str(tmp_path),
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    process.finish = lambda: process.communicate("\n", timeout=TIMEOUT)[1]
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.finish()


def dumps_in(folder):
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("run"))


def test_snapshot(running, ours, tmp_path):
    """A snapshot by the run's own pattern is not one of the dumps that it wrote."""
    (dump,) = dumps_in(tmp_path)
    copy = tmp_path / "run.1.dump"
    result = ours("snapshot", "-o", copy, str(running.pid))
    assert (result.returncode, result.stderr) == (0, "")
    assert ours.json("info", copy)["state"] == "snapshot"
    assert running.finish() == "tracemalloc: wrote %s\n" % dump


def test_stop_start_and_clear(running, ours, tmp_path):
    (dump,) = dumps_in(tmp_path)
    pid = str(running.pid)
    assert ours("clear", pid).returncode == 0
    assert ours("stop", pid).returncode == 0
    assert ours.json("info", tmp_path / dump)["state"] == "stopped"
    started = ours("start", pid)
    assert (started.returncode, started.stderr) == (0, "")
    assert len(dumps_in(tmp_path)) == 2


def test_top(running, ours):
    result = ours("top", "--once", str(running.pid))
    assert result.returncode == 0
    assert "child of %d" % running.pid in result.stdout


def test_a_process_without_any(ours):
    other = subprocess.Popen(["sleep", "60"])
    try:
        result = ours("snapshot", str(other.pid))
    finally:
        other.kill()
        other.wait()
    assert result.returncode == 1
    assert "does not have libtracemalloc.so loaded" in result.stderr
