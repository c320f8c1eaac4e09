# SPDX-License-Identifier: MIT
"""Workers of one service, with the same arguments, told apart by what they call
themselves: their title (argv overwritten in place) and comm (PR_SET_NAME)."""

import signal
import subprocess

import pytest

from conftest import TIMEOUT, clean_environment
from dump_file import DumpFile

# What setproctitle does: the arguments end where the kernel says, and the rest is NULs.
NAMES = """
import ctypes, os, sys, time

libc = ctypes.CDLL(None)

def set_title(title):
    with open("/proc/self/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, title[: end - start - 1], len(title[: end - start - 1]))

def set_comm(name):
    libc.prctl(15, name, 0, 0, 0)

def work(milliseconds):
    end = time.time() + milliseconds / 1000
    while time.time() < end:
        [bytes(i) for i in range(600, 700)]
"""

WORKERS = (
    NAMES
    + """
children = []
for number in 1, 2:
    pid = os.fork()
    if pid == 0:
        set_title(b"worker %d" % number)
        set_comm(b"worker-%d" % number)
        kept = bytearray(number << 20)
        os._exit(0)
    os.waitpid(pid, 0)
"""
)

NAMED = (
    NAMES
    + """
set_title(b"shop: idle")
set_comm(b"shop-7")
work(300)
print("ready", flush=True)
sys.stdin.readline()
"""
)


def text(field):
    assert field.endswith(b"\0")
    return field.split(b"\0")[0].decode()


def test_workers_are_told_apart(some_interpreter, trace_code, ours):
    traced = trace_code(some_interpreter, WORKERS, TRACEMALLOC_RUN="abc")
    assert traced.result.returncode == 0, traced.result.stderr
    dumps = sorted(traced.dumps, key=lambda dump: DumpFile(dump).start_time)
    titles = [text(DumpFile(dump).title) for dump in dumps]
    assert titles[0].endswith("program.py") and titles[1:] == ["worker 1", "worker 2"]
    assert [text(DumpFile(dump).comm) for dump in dumps[1:]] == ["worker-1", "worker-2"]

    report = ours("stats", "--by", "process", *dumps).stdout
    for number, dump in enumerate(dumps[1:], 1):
        line = "Process %d: [%d] [worker-%d] worker %d, started as " % (
            DumpFile(dump).pid,
            number + 1,
            number,
            number,
        )
        assert line in report
    parent = "Process %d: [1] %s" % (DumpFile(dumps[0]).pid, some_interpreter.path)
    assert parent in report


def test_a_merged_dump_keeps_them(some_interpreter, trace_code, ours, tmp_path):
    traced = trace_code(some_interpreter, WORKERS, TRACEMALLOC_RUN="abc")
    merged = tmp_path / "merged.dump"
    assert ours("merge", "-o", merged, *traced.dumps).returncode == 0
    processes = ours.json("info", merged)["processes"]
    assert [p["title"] for p in processes[1:]] == ["worker 1", "worker 2"]
    assert [p["comm"] for p in processes[1:]] == ["worker-1", "worker-2"]
    assert [p["number_in_run"] for p in processes] == [1, 2, 3]
    assert "worker 2, started as" in ours("info", merged).stdout


@pytest.fixture
def named(some_interpreter, traced_environment, tmp_path):
    program = tmp_path / "named.py"
    program.write_text(NAMED)
    process = subprocess.Popen(
        [some_interpreter.path, str(program)],
        env=dict(clean_environment(), **traced_environment()),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"ready\n"
    yield process
    process.kill()
    process.wait(TIMEOUT)
    process.stdin.close()
    process.stdout.close()


def test_ps_shows_them(named, ours):
    lines = ours("ps").stdout.splitlines()
    (line,) = [line for line in lines if line.split()[0] == str(named.pid)]
    assert "shop-7" in line and "shop: idle" in line


def test_the_last_sample_has_them_after_a_kill(named, ours, dumps_folder):
    named.send_signal(signal.SIGKILL)
    named.wait(TIMEOUT)
    (dump,) = dumps_folder.iterdir()
    info = ours.json("info", dump)
    assert info["state"] == "killed"
    assert (info["title"], info["comm"]) == ("shop: idle", "shop-7")
    assert info["number_in_run"] is None
    shown = ours("info", dump).stdout
    assert "shop: idle" in shown and "shop-7" in shown


def test_hostile_names_do_no_harm(some_interpreter, trace_code, ours):
    code = NAMES + """
set_title(b"a\\x1b[31m\\nb")
set_comm(b"\\x1b]0;")
"""
    (dump,) = trace_code(some_interpreter, code).dumps
    for report in "info", "summary":
        shown = ours(report, dump)
        assert shown.returncode == 0
        assert "\x1b" not in shown.stdout and "a?[31m" in shown.stdout
    assert ours.json("info", dump)["title"].startswith("a\x1b[31m")


def test_usual_names_are_not_shown(some_interpreter, trace_code, ours):
    (dump,) = trace_code(some_interpreter, "pass", "two words", "").dumps
    shown = ours("info", dump).stdout
    assert "\ntitle " not in shown and "\ncomm " not in shown
    assert "started as" not in ours("summary", dump).stdout
