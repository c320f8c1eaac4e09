# SPDX-License-Identifier: MIT
"""The live view on a terminal of its own: keys, endings, and what it leaves behind."""

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pytest

from conftest import TIMEOUT, clean_environment

SERVER = """
import time
kept = [bytearray(1 << 20) for _ in range(20)]

def many():
    kept.extend(object() for _ in range(100000))

many()
print("ready", flush=True)
while True:
    passing = [str(i) for i in range(1000)]
    time.sleep(0.02)
"""


# The alternate screen was left, and not entered again.
LEFT = r"\x1b\[\?1049l(?![\s\S]*\x1b\[\?1049h)"
CLEARED = r"\x1b\[H\x1b\[2J"


def take_terminal():
    """In the child: standard input is its controlling terminal."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Screen:
    """`tracemalloc top` on a terminal of its own; what came to it is in `text`.

    A frame may arrive in any number of pieces, and late: wait for what must come.
    """

    def __init__(self, arguments, columns=120, lines=40):
        self.terminal, theirs = pty.openpty()
        self.theirs = theirs
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self.text = ""
        self.resize(columns, lines)
        self.before = termios.tcgetattr(theirs)
        environment = dict(clean_environment(), TERM="xterm", LC_ALL="C.UTF-8")
        self.process = subprocess.Popen(
            [str(a) for a in arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            start_new_session=True,
            preexec_fn=take_terminal,
        )

    def resize(self, columns, lines):
        """The kernel tells the process, too."""
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, size)

    def read(self, seconds):
        ready, _, _ = select.select([self.terminal], [], [], seconds)
        if ready:
            self.text += self.decoder.decode(os.read(self.terminal, 65536))

    def shows(self, pattern):
        """Waits until the pattern was written since the last key."""
        end = time.monotonic() + TIMEOUT
        while not re.search(pattern, self.text):
            assert time.monotonic() < end, "no %s in %r" % (pattern, self.text[-2000:])
            self.read(0.1)

    def press(self, keys):
        self.text = ""
        os.write(self.terminal, keys.encode())

    def ended(self):
        """The exit status; the terminal is as it was."""
        self.shows(LEFT)
        status = self.process.wait(TIMEOUT)
        assert termios.tcgetattr(self.theirs) == self.before
        os.close(self.theirs)
        os.close(self.terminal)
        return status


@pytest.fixture
def server(some_interpreter, traced_environment, tmp_path):
    program = tmp_path / "server.py"
    program.write_text(SERVER)
    child = subprocess.Popen(
        [some_interpreter.path, str(program)],
        env=dict(clean_environment(), **traced_environment()),
        stdout=subprocess.PIPE,
    )
    assert child.stdout.readline() == b"ready\n"
    yield child
    child.kill()
    child.wait()
    child.stdout.close()


def test_keys(server, command):
    screen = Screen([command, "top", server.pid])
    screen.shows(r"%d: " % server.pid)
    screen.shows(r"server\.py:3")
    screen.press("/")
    screen.shows("filter:")
    screen.press("many\r")
    screen.shows(r"\[many\]")
    screen.press("s")
    screen.press("g")
    screen.shows("traceback, by")
    screen.press("\r")
    screen.shows("its traceback")
    screen.shows(r"kept\.extend")
    screen.press("\r")
    screen.press(" ")
    screen.shows("PAUSED")
    screen.press("q")
    assert screen.ended() == 0
    assert server.poll() is None


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 0), (signal.SIGTERM, -15)])
def test_signals_give_the_terminal_back(server, command, number, status):
    screen = Screen([command, "top", server.pid])
    screen.shows(r"server\.py:3")
    screen.process.send_signal(number)
    assert screen.ended() == status


def test_control_c(server, command):
    screen = Screen([command, "top", server.pid])
    screen.shows(r"server\.py:3")
    screen.press("\x03")
    assert screen.ended() == 0


def test_a_process_that_is_killed_meanwhile(server, command):
    screen = Screen([command, "top", server.pid], columns=40, lines=12)
    screen.shows("tracing")
    server.kill()
    server.wait()
    screen.shows("killed")
    screen.press("q")
    assert screen.ended() == 0


def test_the_terminal_changes_its_size(server, command):
    screen = Screen([command, "top", server.pid])
    screen.shows(r"server\.py:3")
    for columns, lines in ((40, 6), (1, 1), (200, 50)):
        screen.text = ""
        screen.resize(columns, lines)
        screen.shows(CLEARED)
    screen.shows(r"server\.py:3")
    screen.press("q")
    assert screen.ended() == 0


def test_the_parent_may_be_named(server, ours):
    result = ours("top", "--once", os.getpid())
    assert result.returncode == 0, result.stderr
    assert "child of %d" % os.getpid() in result.stdout
    assert "%d: " % server.pid in result.stdout


def test_a_terminal_that_cannot(server, command):
    environment = dict(clean_environment(), TERM="dumb")
    terminal, theirs = pty.openpty()
    result = subprocess.run(
        [str(command), "top", str(server.pid)],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=environment,
        timeout=TIMEOUT,
    )
    os.close(theirs)
    os.close(terminal)
    assert result.returncode == 1
    text = b"tracemalloc: this terminal cannot show a full screen"
    assert result.stderr.startswith(text)


def test_processes_that_are_not_traced(ours):
    result = ours("top", "--once", 999999999)
    assert result.returncode == 1
    assert result.stderr == "tracemalloc: there is no process 999999999\n"
