# SPDX-License-Identifier: MIT
"""Requests that come all at once, in the middle of an event, or within an exec."""

import ctypes
import os
import signal
import subprocess
import time

import pytest

from conftest import TIMEOUT, clean_environment

REQUEST_SIGNAL = 53
STOP, START = 1, 2
# Of one thread: handlers on two could change places.
BUSY = """
import select, sys
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    kept = [bytes(100 + i % 50) for i in range(1000)]
"""

# One program after another in the same process.
CHAIN = """
import os, signal, sys
left = int(sys.argv[1])
assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set(), "a mask was left"
print(left, flush=True)
if left > 0:
    try:
        os.execv("/nonexistent", ["none"])
    except OSError:
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == set()
    os.execv(sys.executable, [sys.executable, sys.argv[0], str(left - 1)])
"""

@pytest.fixture
def send():
    """send(PID, KIND, NFRAME): a request, as the command sends it."""
    libc = ctypes.CDLL(None)

    def send_request(pid, kind, nframe=0):
        value = ctypes.c_void_p(0xA7 << 24 | kind << 16 | nframe)
        libc.sigqueue(pid, REQUEST_SIGNAL, value)

    return send_request


@pytest.fixture
def launch(some_interpreter, traced_environment, tmp_path):
    """launch(TEXT, ARGS...): a traced program that runs."""
    started = []

    def start(text, *args):
        program = tmp_path / "program.py"
        program.write_text(text)
        variables = clean_environment()
        variables.update(traced_environment())
        started.append(
            subprocess.Popen(
                [some_interpreter.path, str(program)] + list(args),
                env=variables,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                universal_newlines=True,
            )
        )
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def state_of(ours, pid):
    lines = [line.split() for line in ours("ps").stdout.splitlines()]
    return next((line[1] for line in lines if line[0] == str(pid)), None)


def test_none_of_two_is_lost(launch, ours, send, dumps_folder):
    process = launch(BUSY)
    assert process.stdout.readline() == "ready\n"
    rounds = 40
    for number in range(rounds):
        os.kill(process.pid, signal.SIGSTOP)
        send(process.pid, STOP)
        send(process.pid, START, 3)
        os.kill(process.pid, signal.SIGCONT)
        deadline = time.monotonic() + 5
        while len(list(dumps_folder.iterdir())) < number + 2:
            assert time.monotonic() < deadline, "round %d: not started" % number
            time.sleep(0.001)
    assert state_of(ours, process.pid) == "tracing"
    process.stdin.close()
    assert process.wait(TIMEOUT) == 0


def test_the_last_of_many_counts(launch, ours, send):
    process = launch(BUSY)
    assert process.stdout.readline() == "ready\n"
    for last, state in ((START, "tracing"), (STOP, "stopped")):
        os.kill(process.pid, signal.SIGSTOP)
        for _ in range(101):
            os.kill(process.pid, REQUEST_SIGNAL)
        send(process.pid, last, 5 if last == START else 0)
        os.kill(process.pid, signal.SIGCONT)
        deadline = time.monotonic() + 10
        while state_of(ours, process.pid) != state:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    process.stdin.close()
    assert process.wait(TIMEOUT) == 0


def is_pending(pid):
    """Whether a request waits: more would only queue up."""
    with open("/proc/%d/status" % pid) as lines:
        masks = [line.split()[1] for line in lines if line.startswith("ShdPnd")]
    return any(int(mask, 16) >> (REQUEST_SIGNAL - 1) & 1 for mask in masks)


def test_a_request_within_an_exec_is_survived(launch):
    process = launch(CHAIN, "30")
    assert process.stdout.readline() == "30\n"
    sent = 0
    while process.poll() is None:
        if not is_pending(process.pid):
            os.kill(process.pid, REQUEST_SIGNAL)
            sent += 1
        time.sleep(sent % 7 / 1000)
    assert process.returncode == 0, "after %d requests" % sent
    assert process.stdout.read().split() == [str(n) for n in range(29, -1, -1)]
    assert sent > 30


MASKS = """
import os, signal, sys
blocked = {getattr(signal, name) for name in sys.argv[2:]}
signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
os.execvp("grep", ["grep", "SigBlk", "/proc/self/status"])
"""


@pytest.mark.parametrize("kept", [(), ("SIGUSR1", "SIGTERM")])
def test_an_exec_keeps_the_mask(some_interpreter, trace_code, kept):
    traced = trace_code(some_interpreter, MASKS, "-", *kept)
    mask = sum(1 << getattr(signal, name) - 1 for name in kept)
    assert int(traced.result.stdout.split()[1], 16) == mask
