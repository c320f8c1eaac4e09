# SPDX-License-Identifier: MIT
"""What attach and detach refuse, and that the process is unharmed then."""

import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

import pytest

from attach_server import LATER, blocks_of, refused, running
from conftest import TIMEOUT, clean_environment, run

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

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
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with running(
                [command, "attach", str(process.pid)],
                cwd=tmp_path,
                stderr=subprocess.PIPE,
                universal_newlines=True,
                # Who runs the tests may ignore a hangup, as nohup does.
                preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
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
        with open("/proc/%d/maps" % process.pid) as maps:
            assert "libtracemalloc" not in maps.read()


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
    assert "belongs to another user" in refused(
        run(NOBODY + [command, "attach", server.pid])
    )
    with running(
        NOBODY + [sys.executable, "-c", LATER], stdout=subprocess.PIPE, cwd="/"
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


WITHOUT_MAIN_THREAD = """
import ctypes, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
print("ready", flush=True)
ctypes.CDLL(None).syscall(60, 0)
"""


def test_a_process_that_has_ended_or_its_main_thread(some_interpreter, ours):
    with running(["true"]) as process:
        time.sleep(0.2)
        assert "has ended" in refused(ours("attach", process.pid))
        assert "has ended" in refused(ours("detach", process.pid))
    program = [some_interpreter.path, "-c", WITHOUT_MAIN_THREAD]
    with running(program, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        time.sleep(0.2)
        assert "main thread" in refused(ours("attach", process.pid))
        assert process.poll() is None


def test_processes_that_never_are_a_python(ours, command):
    itself = run(["sh", "-c", 'exec "$0" attach $$', command])
    assert "no Python" in refused(itself)
    assert ours("attach", 1).returncode == 1
    with open("/proc/2/status") as status:
        if "Name:\tkthreadd\n" in status.read():
            assert "the kernel's" in refused(ours("attach", 2))
    for wrong in ("-1", "0", "4294967297", "99999999999999999999", "1x", ""):
        for name in ("attach", "detach"):
            result = ours(name, "--", wrong)
            assert (result.returncode, result.stdout) == (2, "")
            assert "'%s' is not a process id" % wrong in result.stderr


# pause(2) for ever.
CODE_32 = bytes.fromhex("b81d000000cd80ebf7")


def test_a_32_bit_program(ours, tmp_path):
    base, headers = 0x8048000, 84
    size = headers + len(CODE_32)
    file = b"\x7fELF\x01\x01\x01" + bytes(9)
    file += struct.pack("<HHIIIII", 2, 3, 1, base + headers, 52, 0, 0)
    file += struct.pack("<HHHHHH", 52, 32, 1, 0, 0, 0)
    file += struct.pack("<8I", 1, 0, base, base, size, size, 5, 4096) + CODE_32
    program = tmp_path / "program"
    program.write_bytes(file)
    program.chmod(0o755)
    try:
        with running([str(program)]) as process:
            time.sleep(0.1)
            if process.poll() is not None:
                pytest.skip("no 32-bit programs here")
            assert "32-bit" in refused(ours("attach", process.pid))
            assert process.poll() is None
    except OSError:
        pytest.skip("no 32-bit programs here")


# Filters a system call, by its number, and runs a program.
FILTER = """
import ctypes, os, struct, sys, time
number, action = int(sys.argv[1]), int(sys.argv[2])
code = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, action),
        (0x06, 0, 0, 0x7FFF0000)]
text = b"".join(struct.pack("HBBI", *one) for one in code)
kept = ctypes.create_string_buffer(text, len(text))
program = struct.pack("HxxxxxxP", len(code), ctypes.addressof(kept))
libc = ctypes.CDLL(None)
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, program, 0, 0) == 0
if len(sys.argv) > 3:
    os.execv(sys.argv[3], sys.argv[3:])
"""
KILL, TRAP, FAIL = 0x80000000, 0x30000, 0x50001
OPENAT, MMAP, MINCORE, FTRUNCATE, ACCT, READLINKAT = 257, 9, 27, 77, 163, 267


@pytest.mark.parametrize(
    "number, action, name",
    [
        (OPENAT, KILL, "openat"),
        (OPENAT, FAIL, "openat"),
        (MMAP, FAIL, "mmap"),
        (MINCORE, KILL, "mincore"),
        (FTRUNCATE, TRAP, "ftruncate"),
        (ACCT, KILL, None),
        (READLINKAT, FAIL, None),
    ],
)
def test_filters_of_system_calls(
    some_interpreter, ours, detach, tmp_path, number, action, name
):
    if os.geteuid() != 0:
        pytest.skip("only root may read a filter")
    program = [some_interpreter.path, "-c", FILTER + LATER, str(number), str(action)]
    with running(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        result = ours("attach", process.pid, "-o", str(tmp_path / "a.dump"))
        if name is not None:
            assert "forbids %s(2)" % name in refused(result)
        else:
            assert (result.returncode, result.stderr) == (0, "")
            time.sleep(0.2)
            dump = detach(process.pid)
            assert blocks_of(dump, 70000, 70100) != []
        time.sleep(0.05)
        assert process.poll() is None


def test_filters_that_may_not_be_read(command, tmp_path):
    """But those of the command's own container are known to let it live."""
    if os.geteuid() != 0:
        pytest.skip("needs another user")
    program = [sys.executable, "-c"]
    confined = program + [FILTER, str(ACCT), str(KILL)]
    attach = [command, "attach", "-o", str(tmp_path / "%p.dump")]
    filtered = NOBODY + program + [FILTER + LATER, str(ACCT), str(KILL)]
    with running(filtered, stdout=subprocess.PIPE, cwd="/") as process:
        assert process.stdout.readline() == b"ready\n"
        result = run(NOBODY + attach + [process.pid])
        assert "may read the filter" in refused(result)
        assert process.poll() is None
    with running(confined + program + [LATER], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        result = run(confined + attach + [process.pid])
        assert (result.returncode, result.stderr) == (0, "")
        assert process.poll() is None


@pytest.fixture
def copied(command, library):
    """Copies of the command and the library, in a directory that all may enter."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield [shutil.copy(path, folder) for path in (command, library)]


def test_another_mount_namespace(copied):
    command, library = copied
    hide = 'mount -t tmpfs none "$0" && exec "$@"'
    wrapper = ["unshare", "--mount", "sh", "-c", hide, os.path.dirname(library)]
    if subprocess.call(wrapper + ["true"], stderr=subprocess.DEVNULL) != 0:
        pytest.skip("no new mount namespaces here")
    program = wrapper + [sys.executable, "-c", LATER]
    with running(program, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        result = run([command, "attach", process.pid])
        assert "run tracemalloc inside its container" in refused(result)
        assert process.poll() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_a_library_that_the_process_may_not_read(copied, tmp_path):
    command, library = copied
    os.chmod(library, 0o600)
    program = NOBODY + [sys.executable, "-c", LATER]
    with running(program, stdout=subprocess.PIPE, cwd="/") as process:
        assert process.stdout.readline() == b"ready\n"
        attach = [command, "attach", "-o", str(tmp_path / "%p.dump"), process.pid]
        assert "may not be allowed to read" in refused(run(attach))
        os.chmod(library, 0o644)
        assert run(attach).returncode == 0
        assert process.poll() is None
        os.unlink(run([command, "detach", process.pid]).stdout.rstrip())
