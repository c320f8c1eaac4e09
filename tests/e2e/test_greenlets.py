# SPDX-License-Identifier: MIT
"""Greenlets: what one allocates has its own stack, before and after every switch.

A switch gives the thread another chain of frames, which nothing announces. The package
is the interpreter's own, or what pip brings; where neither is, this is skipped.
"""

import functools

import pytest

import conftest

# Each check compares an object's traceback with the interpreter's frames just then.
PROGRAM = """
import sys, tracemalloc
from greenlet import getcurrent, greenlet

class Thing:
    __slots__ = ()

checks, wrong = 0, []

def lines(thing):
    found = [frame.lineno for frame in tracemalloc.get_object_traceback(thing)]
    return found[::-1] if sys.version_info >= (3, 7) else found

def check():
    global checks
    thing, frame, frames = Thing(), sys._getframe(), []
    while frame is not None and len(frames) < 25:
        frames.append(frame.f_lineno)
        frame = frame.f_back
    found = lines(thing)
    checks += 1
    if found[1:] != frames[1:]:
        wrong.append((found, frames))

def below(depth, switch):
    check()
    if depth:
        below(depth - 1, switch)
    else:
        switch()
    check()

def worker(number):
    for turn in range(20):
        below((number + turn) % 5, getcurrent().parent.switch)
        check()

def nested(depth):
    check()
    if depth:
        greenlet(nested).switch(depth - 1)
    check()

def generator():
    for turn in range(5):
        below(turn, getcurrent().parent.switch)
        yield turn

def ping(other):
    for turn in range(50):
        below(turn % 7, lambda: other.switch(turn % 3))
    return turn

def pong(depth):
    while True:
        below(depth, pinging.switch)

pinging = greenlet(ping)
pinging.switch(greenlet(pong))
check()

workers = [greenlet(worker) for number in range(30)]
for number, each in enumerate(workers):
    each.switch(number)
    check()
while not all(each.dead for each in workers):
    for each in workers:
        each.switch()
        check()

greenlet(nested).switch(15)
generating = greenlet(lambda: list(generator()))
while not generating.dead:
    generating.switch()
    check()

killed = [greenlet(worker) for number in range(10)]
for number, each in enumerate(killed):
    each.switch(number)
del killed, each
check()
print(checks, wrong[:3])
"""


def own_folder(interpreter):
    """Where the interpreter's own package is, or nothing."""
    code = "import greenlet, os; print(os.path.dirname(greenlet.__path__[0]))"
    return interpreter.run("-c", code).stdout.strip()


@functools.lru_cache(maxsize=None)
def pip():
    """The newest interpreter's pip that there is: it brings packages for all."""
    for each in reversed(conftest.interpreters()):
        if each.run("-m", "pip", "--version").returncode == 0:
            return [each.path, "-m", "pip"]
    return None


def bring(interpreter, target):
    """Whether pip brought it."""
    if pip() is None:
        return False
    version = "%d.%d" % interpreter.version
    options = ["--no-deps", "--only-binary", ":all:", "--retries", "0"]
    wanted = ["--implementation", "cp", "--python-version", version, "--target", target]
    command = pip() + ["install"] + options + wanted + ["greenlet"]
    return conftest.run(command).returncode == 0


@pytest.fixture
def greenlet_folder(tmp_path):
    """greenlet_folder(INTERPRETER): a folder to import the package from."""

    def folder(interpreter):
        own = own_folder(interpreter)
        if own:
            return own
        target = str(tmp_path / "packages")
        if not bring(interpreter, target):
            pytest.skip("%s has no greenlet, and pip brings none" % interpreter)
        return target

    return folder


@pytest.mark.parametrize("native", [None, "30"])
def test_stacks_of_switched_greenlets(
    interpreter, trace_code, greenlet_folder, native
):
    folder = greenlet_folder(interpreter)
    traced = trace_code(
        interpreter, PROGRAM, PYTHONPATH=folder, TRACEMALLOC_NATIVE_FRAMES=native
    )
    assert traced.result.returncode == 0, traced.result.stderr
    checks, wrong = traced.result.stdout.split(" ", 1)
    assert int(checks) > 4000
    assert wrong == "[]\n"
    assert traced.dump
