# SPDX-License-Identifier: MIT
"""Processes that run without the library, for the tests of attach and detach."""

import contextlib
import subprocess
import threading

from conftest import TIMEOUT, clean_environment
from dump_file import DumpFile

# Obeys its standard input while the given work goes on in other threads.
SERVE = """
import ctypes, os, signal, sys, threading, time

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.malloc(10)  # its address is known before
kept = []
before = [bytes(90001) for _ in range(3)]
rounds = []  # of each thread

def allocate():
    number, own = 0, [0]
    rounds.append(own)
    while True:
        held = [bytes(number % 3000 + index) for index in range(20)]
        held.append({index: str(index) for index in range(number % 50)})
        number += 1
        own[0] += 1

def calloc_loop():
    loop = ctypes.CDLL(None)
    loop.calloc.restype = ctypes.c_void_p
    loop.free.argtypes = [ctypes.c_void_p]
    while True:
        loop.free(loop.calloc(10, 100))

def compute():
    while True:
        sum(range(20000000))

def sleep():
    while True:
        time.sleep(30)

WORK = {"idle": [], "busy": [allocate] * 8, "malloc": [calloc_loop] * 2,
        "c": [compute], "asleep": [sleep]}
for work in WORK[sys.argv[1]]:
    threading.Thread(target=work, daemon=True).start()
print("ready", flush=True)
for line in sys.stdin:
    command, number = line.split()
    number = int(number)
    if command == "keep":
        kept.append(bytes(number))
    elif command == "malloc":
        kept.append(libc.malloc(number))
    elif command == "drop":
        before.clear()
    elif command == "fork":
        child = os.fork()
        if child == 0:
            kept.append([bytes(number) for _ in range(300)])
            os._exit(3)
        assert os.waitpid(child, 0) == (child, 3 << 8)
    elif command == "action":
        print(signal.getsignal(number) == signal.SIG_DFL, end=" ")
    print("done", sum(own[0] for own in rounds), flush=True)
"""

LATER = """
import sys, time
print("ready", flush=True)
kept, answered = [], 0
while True:
    kept.append(bytes(70001))
    if len(kept) == 200:
        kept.clear()
    time.sleep(0.001)
"""


@contextlib.contextmanager
def limited(process):
    """Kills the process if the block lasts too long: what it reads then ends."""
    timer = threading.Timer(TIMEOUT, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextlib.contextmanager
def running(program, **options):
    """The process, which lives no longer than the block, nor than the time limit."""
    with subprocess.Popen(program, **options) as process:
        try:
            with limited(process):
                yield process
        finally:
            process.kill()


class Server:
    """A program that runs without the library."""

    def __init__(self, interpreter, folder, work="idle", wrapper=()):
        program = folder / "server.py"
        program.write_text(SERVE)
        self.process = subprocess.Popen(
            list(wrapper) + [interpreter.path, "-u", str(program), work],
            env=clean_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        self.pid = self.process.pid

    def answer(self):
        """The next line of its output, as words."""
        with limited(self.process):
            return self.process.stdout.readline().split()

    def ask(self, command, number=0):
        self.process.stdin.write("%s %d\n" % (command, number))
        self.process.stdin.flush()
        answer = self.answer()
        assert answer[-2:-1] == ["done"], answer
        return int(answer[-1])

    def end(self):
        """Its status and what it wrote to standard error."""
        errors = self.process.communicate(timeout=TIMEOUT)[1]
        return self.process.returncode, errors


def line_of(text):
    """The number of the first line of the server that has this text."""
    lines = SERVE.splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def blocks_of(path, low, high):
    """(size, domain, innermost line) of the live blocks of such sizes."""
    dump = DumpFile(path)
    return sorted(
        (bucket.size, bucket.domain, dump.frames(bucket.stack)[-1].lineno)
        for bucket in dump.buckets
        if low <= bucket.size < high
        for _ in range(bucket.live)
    )


def refused(result):
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("tracemalloc: ") and result.stderr.count("\n") == 1
    return result.stderr
