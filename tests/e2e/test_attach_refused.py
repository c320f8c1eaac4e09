# SPDX-License-Identifier: MIT
"""What attach and detach refuse, and that the process is unharmed then."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from attach_server import LATER, blocks_of, refused, running
from conftest import TIMEOUT, clean_environment, run

LOCKED = """
import ctypes
libc = ctypes.CDLL(None)
mutex = ctypes.create_string_buffer(64)
libc.pthread_mutex_lock(mutex)
print("ready", flush=True)
libc.pthread_mutex_lock(mutex)  # glibc's own lock: nowhere is safe
"""


def test_interrupted(some_interpreter, command, tmp_path):
    program = [some_interpreter.path, "-c", LOCKED]
    with running(program, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.1)
        for number in (signal.SIGINT, signal.SIGTERM):
            with running(
                [command, "attach", str(process.pid)],
                cwd=tmp_path,
                stderr=subprocess.PIPE,
                universal_newlines=True,
            ) as attaching:
                time.sleep(0.5)
                attaching.send_signal(number)
                errors = attaching.communicate(timeout=TIMEOUT)[1]
            assert (attaching.returncode, errors.count("\n")) == (1, 1)
            assert "interrupted" in errors
            assert process.poll() is None
        with open("/proc/%d/status" % process.pid) as status:
            assert "TracerPid:\t0\n" in status.read()


def test_what_is_missing_is_said(serve, ours, attach, detach):
    server = serve()
    assert "there is no process" in refused(ours("attach", 2 ** 22 - 3))
    assert "does not have" in refused(ours("detach", server.pid))
    attach(server.pid)
    assert "already" in refused(ours("attach", server.pid))
    ours("stop", server.pid)
    assert "tracemalloc start" in refused(ours("attach", server.pid))
    detach(server.pid)
    server.process.send_signal(signal.SIGSTOP)
    time.sleep(0.1)
    assert "kill -CONT" in refused(ours("attach", server.pid))
    server.process.send_signal(signal.SIGCONT)
    with running(["sleep", "60"]) as process:
        time.sleep(0.1)
        assert "no Python" in refused(ours("attach", process.pid))


def test_a_process_that_was_started_with_the_library(
    some_interpreter, ours, traced_environment
):
    program = [some_interpreter.path, "-c", "print('ready', flush=True); input()"]
    with running(
        program,
        env=dict(clean_environment(), **traced_environment()),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        universal_newlines=True,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        assert "already" in refused(ours("attach", process.pid))
        assert "tracemalloc stop" in refused(ours("detach", process.pid))
        ours("stop", process.pid)
        assert "tracemalloc start" in refused(ours("attach", process.pid))
        assert process.communicate("\n", TIMEOUT)[0] == ""
        assert process.returncode == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_another_users_process(serve, command, ours, tmp_path):
    server = serve()
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    assert "belongs to another user" in refused(
        run(nobody + [command, "attach", server.pid])
    )
    with running(
        nobody + [sys.executable, "-c", LATER], stdout=subprocess.PIPE, cwd="/"
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        result = ours("attach", process.pid, cwd=str(tmp_path))
        assert (result.returncode, result.stderr) == (0, "")
        dump = result.stdout.rstrip("\n")
        # The process may not write to our directory.
        assert not dump.startswith(str(tmp_path))
        time.sleep(0.2)
        assert ours("detach", process.pid).stdout == dump + "\n"
        assert blocks_of(dump, 70000, 70100) != []
        os.unlink(dump)


def test_a_debugger_is_there_already(serve, ours):
    server = serve()
    if not shutil.which("strace"):
        pytest.skip("needs strace")
    with running(
        ["strace", "-f", "-o", "/dev/null", "-p", str(server.pid)],
        stderr=subprocess.PIPE,
    ) as tracer:
        assert b"attached" in tracer.stderr.readline()
        result = ours("attach", server.pid)
        if result.returncode != 0:
            assert "is being traced by process %d" % tracer.pid in refused(result)
        tracer.send_signal(signal.SIGINT)
        tracer.wait(TIMEOUT)
    server.ask("keep", 70001)
