# SPDX-License-Identifier: MIT
"""ps, stop, start, clear and snapshot on processes that run."""

import os
import signal
import subprocess
import sys
import time

import pytest

from conftest import TIMEOUT, clean_environment

SERVE = """
import sys
kept = []
print("ready", flush=True)
for line in sys.stdin:
    kept.append(bytes(int(line)))
    print("kept", flush=True)
"""


class Server:
    """A traced program that keeps a block of each size that it is told."""

    def __init__(self, command, environment, folder):
        variables = clean_environment()
        variables.update(environment)
        self.folder = folder
        self.process = subprocess.Popen(
            command,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            universal_newlines=True,
        )
        assert self.process.stdout.readline() == "ready\n"
        self.pid = self.process.pid

    def keep(self, size):
        self.process.stdin.write("%d\n" % size)
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "kept\n"

    def dumps(self):
        return sorted(str(path) for path in self.folder.iterdir())

    def end(self):
        self.process.stdin.close()
        status = self.process.wait(TIMEOUT)
        self.process.stdout.close()
        return status


@pytest.fixture
def serve(some_interpreter, traced_environment, dumps_folder):
    """serve(VARIABLE=VALUE...): a Server, which must end well afterwards."""
    servers = []

    def start(text=SERVE, **changes):
        program = [some_interpreter.path, "-u", "-c", text]
        servers.append(Server(program, traced_environment(**changes), dumps_folder))
        return servers[-1]

    yield start
    for server in servers:
        assert server.end() == 0


@pytest.fixture
def refused(ours):
    """refused(ARGS...): the command fails with one line, which is returned."""

    def run_refused(*args):
        result = ours(*args)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.startswith("tracemalloc: ")
        assert result.stderr.count("\n") == 1
        return result.stderr

    return run_refused


def kept_sizes(snapshot, dump):
    """What the server was told to keep, of the blocks in a dump."""
    header = sys.getsizeof(b"")
    sizes = [trace.size - header for trace in snapshot(dump).traces]
    return [size for size in sizes if 70000 < size < 70100]


def ps_line(ours, pid):
    result = ours("ps")
    assert result.returncode == 0
    lines = [line.split() for line in result.stdout.splitlines()]
    return next((line for line in lines if line[0] == str(pid)), None)


def test_a_whole_life(serve, ours, refused, snapshot):
    server = serve()
    server.keep(70001)
    (first,) = server.dumps()
    assert ps_line(ours, server.pid)[1:3] == ["tracing", "25"]
    refused("start", server.pid)

    assert ours("stop", server.pid).stdout == first + "\n"
    assert ps_line(ours, server.pid)[1:3] == ["stopped", "-"]
    refused("stop", server.pid)
    refused("clear", server.pid)
    server.keep(70002)

    second = ours("start", server.pid, "-n", "7").stdout.rstrip("\n")
    assert server.dumps() == [first, second]
    assert ps_line(ours, server.pid)[1:3] == ["tracing", "7"]
    server.keep(70003)
    assert ours("clear", server.pid).returncode == 0
    server.keep(70004)

    assert kept_sizes(snapshot, first) == [70001]
    assert kept_sizes(snapshot, second) == [70004]


def test_a_plain_signal_toggles(serve, ours):
    server = serve(TRACEMALLOC_SIGNAL="USR2")
    os.kill(server.pid, signal.SIGUSR2)
    wait_for_state(ours, server, 0, "stopped")
    os.kill(server.pid, signal.SIGUSR2)
    wait_for_state(ours, server, 1, "tracing")
    assert len(server.dumps()) == 2


def wait_for_state(ours, server, index, state):
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        dumps = server.dumps()
        if len(dumps) > index and ours.json("info", dumps[index])["state"] == state:
            return dumps[index]
        time.sleep(0.05)
    raise AssertionError("no dump %d in state %s" % (index, state))


def test_snapshot(serve, ours, refused, snapshot, tmp_path):
    server = serve()
    server.keep(70001)
    name = "tracemalloc.%d.snapshot.dump" % server.pid
    for expected in name, name + ".1":
        assert ours("snapshot", server.pid, cwd=tmp_path).stdout == expected + "\n"
    copy = tmp_path / name
    assert copy.stat().st_mode & 0o777 == 0o600
    assert ours.json("info", copy)["state"] == "snapshot"
    assert kept_sizes(snapshot, copy) == [70001]
    refused("snapshot", server.pid, "-o", copy)
    refused("snapshot", server.pid, "-o", tmp_path / "missing" / "file")
    ours("stop", server.pid)
    refused("snapshot", server.pid, "-o", tmp_path / "late")
    assert not (tmp_path / "late").exists()


def test_a_process_that_is_held(serve, ours, refused, tmp_path):
    server = serve()
    os.kill(server.pid, signal.SIGSTOP)
    os.waitpid(server.pid, os.WUNTRACED)
    try:
        for verb in "stop", "clear":
            assert "stopped" in refused(verb, server.pid)
        copied = ours("snapshot", server.pid, "-o", tmp_path / "copy")
        assert copied.returncode == 0
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert ours.json("info", server.dumps()[0])["state"] == "tracing"


def test_a_handler_of_its_own(serve, ours, refused):
    text = "import signal\nsignal.signal(signal.SIGUSR2, lambda *_: 1 / 0)\n" + SERVE
    server = serve(text, TRACEMALLOC_SIGNAL="USR2")
    for verb in "stop", "clear":
        assert "TRACEMALLOC_SIGNAL" in refused(verb, server.pid)
    server.keep(1)


def test_a_blocked_signal(serve, refused):
    text = (
        "import signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])\n" + SERVE
    )
    server = serve(text, TRACEMALLOC_SIGNAL="USR2")
    assert "blocks signal" in refused("stop", server.pid)
    server.keep(1)


@pytest.fixture
def stranger():
    """stranger(VARIABLE=VALUE...): the pid of a shell that must live until the end."""
    processes = []

    def start(**variables):
        process = subprocess.Popen(
            ["sh", "-c", "echo ready; read line"],
            env=dict(clean_environment(), **variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        processes.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process.pid

    yield start
    for process in processes:
        assert process.poll() is None
        process.communicate(b"end\n", TIMEOUT)


@pytest.mark.parametrize("verb", ["stop", "start", "clear", "snapshot"])
def test_processes_that_are_none_of_ours(stranger, library, refused, ours, verb):
    plain = stranger()
    inert = stranger(LD_PRELOAD=library)
    refused(verb, plain)
    refused(verb, inert)
    refused(verb, "4194301")
    assert ps_line(ours, plain) is None
    assert ps_line(ours, inert) is None


@pytest.mark.parametrize("verb", ["stop", "start", "clear", "snapshot"])
@pytest.mark.parametrize(
    "arguments", [[], ["abc"], ["0"], ["12x"], ["9" * 20], ["1", "2"]]
)
def test_usage(ours, verb, arguments):
    result = ours(verb, *arguments)
    assert (result.returncode, result.stdout) == (2, "")


def test_somebody_elses_process(serve, command):
    if os.getuid() != 0:
        pytest.skip("needs root")
    server = serve()
    script = "import os, sys; os.setgid(65534); os.setuid(65534); os.execv(%r, %r)"
    arguments = [command, "stop", str(server.pid)]
    result = subprocess.run(
        [sys.executable, "-c", script % (command, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if b"PermissionError" in result.stderr:
        pytest.skip("the command is not executable for others")
    assert (result.returncode, result.stdout) == (1, b"")
    assert b"another user" in result.stderr
