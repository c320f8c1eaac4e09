# SPDX-License-Identifier: MIT
"""Native and Python frames in one traceback, read from the dump itself.

Addresses are named here by `nm`: what is recorded is tested without the command.
"""

import collections
import ctypes
import re
import subprocess

import pytest

from conftest import ROOT
from dump_file import NATIVE, DumpFile

SOURCES = ROOT / "tests" / "e2e"
Step = collections.namedtuple("Step", "name module native")

LOAD = """
import ctypes, sys
library = ctypes.CDLL(sys.argv[1])
def wrapped(function):
    function.restype = None
    def call(*args):
        function(*[ctypes.c_ssize_t(a) for a in args])
    return call
for name in "leaf middle recurse in_thread in_handler in_new_code".split():
    globals()[name] = wrapped(getattr(library, name))
CALLBACK = ctypes.CFUNCTYPE(None)
"""


def build(out, source, *options):
    command = ["cc", "-O2", "-g", "-shared", "-fPIC", "-pthread", "-D_GNU_SOURCE"]
    command += list(options) + ["-o", str(out), str(SOURCES / source)]
    subprocess.check_call(command)
    return out


@pytest.fixture(scope="session")
def planted(tmp_path_factory):
    return build(tmp_path_factory.mktemp("frames") / "planted.so", "native_frames.c")


class Symbols:
    """The functions of an ELF file, by address."""

    def __init__(self, path):
        text = subprocess.check_output(
            ["nm", "-S", "--defined-only", str(path)], universal_newlines=True
        )
        lines = (line.split() for line in text.splitlines())
        self.ranges = [
            (int(p[0], 16), int(p[1], 16), p[3])
            for p in lines
            if len(p) == 4 and p[2] in "tTwW"
        ]

    def name(self, address):
        for start, size, name in self.ranges:
            if start <= address < start + size:
                return name
        return hex(address)


class Stacks:
    """The stacks of a dump, with our libraries' functions named."""

    def __init__(self, dump, *libraries):
        self.dump = DumpFile(dump)
        self.symbols = {str(path): Symbols(path) for path in libraries}

    def module(self, number):
        (path,) = self.dump.entry("modules", "I", number * 40)
        return self.dump.string(path)

    def step(self, code, low, high):
        if not code & NATIVE:
            name = self.dump.entry("code", "II", code * 16)[1]
            return Step(self.dump.string(name).split(".")[-1], None, False)
        path, address = self.module(code & ~NATIVE), low | high << 32
        known = self.symbols.get(path)
        return Step(known.name(address) if known else hex(address), path, True)

    def steps(self, stack):
        found = []
        while stack:
            parent, code, low, high = self.dump.entry("stacks", "IIII", stack * 16)
            found.append(self.step(code, low, high))
            stack = parent
        return found[::-1]

    def of_size(self, size):
        """A list of steps for each live block of this size."""
        return [
            self.steps(bucket.stack)
            for bucket in self.dump.buckets
            if bucket.size == size
            for _ in range(bucket.live)
        ]


def names(steps, wanted):
    """The names of the steps that are among those wanted."""
    return [s.name for s in steps if s.name in wanted.split()]


@pytest.fixture
def stacks(trace_code, planted):
    """stacks(INTERPRETER, TEXT, LIBRARIES...): how the program's blocks were made."""

    def run(interpreter, text, *more, **changes):
        changes.setdefault("TRACEMALLOC_NATIVE_FRAMES", "1")
        traced = trace_code(interpreter, LOAD + text, planted, *more, **changes)
        assert traced.result.returncode == 0, traced.result.stderr
        return Stacks(traced.dump, planted, *more)

    return run


def test_python_calls_c(interpreter, stacks):
    text = "def inner(): middle(70001)\ndef outer(): inner()\nouter()\n"
    (steps,) = stacks(interpreter, text).of_size(70001)
    wanted = "<module> outer inner middle leaf"
    assert names(steps, wanted) == wanted.split()
    assert [s.native for s in steps][-2:] == [True, True]
    assert steps[-1].name == "leaf", "the innermost frame is the allocator's caller"
    assert not [s for s in steps if "libtracemalloc" in (s.module or "")]


def test_c_calls_python_that_calls_c(interpreter, stacks):
    text = """
def inside(): leaf(70002)
def twice(): library.call_back(CALLBACK(inside))
def outside(): library.call_back(CALLBACK(twice))
outside()
"""
    (steps,) = stacks(interpreter, text).of_size(70002)
    wanted = "outside call_back twice call_back inside leaf"
    assert names(steps, wanted) == wanted.split()


def test_generators_and_coroutines(interpreter, stacks):
    text = """
def produce():
    leaf(70003)
    yield 1

def delegate():
    yield from produce()

async def wait():
    leaf(70004)

async def twice():
    await wait()

def consume():
    list(delegate())
    for x in produce(): pass
    try:
        twice().send(None)
    except StopIteration:
        pass

consume()
"""
    found = stacks(interpreter, text)
    wanted = "consume delegate produce leaf"
    all_steps = [names(steps, wanted) for steps in found.of_size(70003)]
    assert all_steps == [wanted.split(), "consume produce leaf".split()]
    (steps,) = found.of_size(70004)
    assert names(steps, "consume twice wait leaf") == "consume twice wait leaf".split()


def test_recursion_on_both_sides(interpreter, stacks):
    text = """
def down(depth):
    if depth: sorted([depth], key=lambda x: down(x - 1))
    else: recurse(30, 70005)
down(20)
"""
    (steps,) = stacks(interpreter, text).of_size(70005)
    wanted = ["down", "<lambda>"] * 20 + ["down"] + ["recurse"] * 31 + ["leaf"]
    assert names(steps, "down <lambda> recurse leaf") == wanted


def test_many_events_in_a_changing_stack(interpreter, stacks):
    """Each block has the depth that its size tells."""
    text = """
def step(depth, turn):
    leaf(71000 + depth)
    if depth < 12:
        if turn % 3: step(depth + 1, turn)
        else: list(map(lambda _: step(depth + 1, turn), [0]))
    leaf(72000 + depth)
for turn in range(7): step(0, turn)
"""
    found = stacks(interpreter, text)
    for depth in range(13):
        for size in (71000, 72000):
            all_steps = found.of_size(size + depth)
            assert len(all_steps) == 7
            for steps in all_steps:
                calls = names(steps, "step <lambda> leaf")
                assert calls.count("step") == depth + 1 and calls[-1] == "leaf"
                assert calls.count("<lambda>") in (0, depth)


def test_threads(interpreter, stacks):
    text = """
import threading
def work(): leaf(70006)
threads = [threading.Thread(target=work) for _ in range(5)]
for t in threads: t.start()
for t in threads: t.join()
in_thread(70007)
"""
    found = stacks(interpreter, text)
    steps_of_all = found.of_size(70006)
    assert len(steps_of_all) == 5
    for steps in steps_of_all:
        assert names(steps, "run work leaf") == "run work leaf".split()
        assert "<module>" not in [s.name for s in steps]
    (steps,) = found.of_size(70007)
    assert all(s.native for s in steps), "a thread without Python"
    assert names(steps, "run_thread middle leaf") == "run_thread middle leaf".split()


@pytest.mark.parametrize("own", [0, 1])
def test_signal_handlers(some_interpreter, stacks, own):
    text = "def outside(): in_handler(70008, %d)\noutside()\n" % own
    (steps,) = stacks(some_interpreter, text).of_size(70008)
    wanted = "outside in_handler handle leaf"
    assert names(steps, wanted) == wanted.split()


def test_code_of_no_file(some_interpreter, stacks):
    text = "def outside(): in_new_code(70009)\noutside()\n"
    found = stacks(some_interpreter, text)
    (steps,) = found.of_size(70009)
    wanted = "outside in_new_code leaf"
    assert names(steps, wanted) == wanted.split()
    made = [s for s in steps if s.native and not s.module]
    assert len(made) == 1 and re.match("0x7", made[0].name)
    assert found.dump.lost["native"] == 0


def has_libunwind():
    try:
        return ctypes.CDLL("libunwind-x86_64.so.8") is not None
    except OSError:
        return False


@pytest.mark.parametrize("name", ["by_rbx", "by_expression"])
def test_rules_that_only_libunwind_follows(some_interpreter, stacks, name):
    if not has_libunwind():
        pytest.skip("there is no libunwind")
    text = """
for size in (70012, 70013):
    def inner(): library.%s(ctypes.c_size_t(size))
    def outer(): inner()
    outer()
""" % name
    found = stacks(some_interpreter, text)
    for size in (70012, 70013):
        (steps,) = found.of_size(size)
        wanted = "<module> outer inner %s middle leaf" % name
        assert names(steps, wanted) == wanted.split()
    assert found.dump.lost["native"] == 0


def test_a_library_at_the_place_of_another(some_interpreter, stacks, tmp_path):
    guests = [
        build(tmp_path / ("guest_%s.so" % n), "native_guest.c", "-DNAME=guest_" + n)
        for n in "ab"
    ]
    text = """
import _ctypes
for number in range(20):
    guest = ctypes.CDLL(sys.argv[2 + number % 2])
    guest.visit(ctypes.c_size_t(73000 + number))
    _ctypes.dlclose(guest._handle)
"""
    found = stacks(some_interpreter, text, *guests)
    for number in range(20):
        (steps,) = found.of_size(73000 + number)
        path = str(guests[number % 2])
        mine = [s for s in steps if s.module and "guest_" in s.module]
        assert [s.module for s in mine] == [path, path]
        assert mine[-1].name == "guest_%s_allocates" % "ab"[number % 2]


def test_a_fork_goes_on(some_interpreter, trace_code, planted):
    text = """
import os
def parent(): leaf(70010)
def child(): leaf(70011)
parent()
pid = os.fork()
if pid == 0:
    for _ in range(100): child()
    keep = [str(i) * 10 for i in range(1000)]
    sys.exit(0)
os.waitpid(pid, 0)
"""
    traced = trace_code(
        some_interpreter, LOAD + text, planted, TRACEMALLOC_NATIVE_FRAMES="1"
    )
    assert len(traced.dumps) == 2
    found = [Stacks(dump, planted) for dump in traced.dumps]
    assert all(len(f.of_size(70010)) == 1 for f in found)
    children = [f for f in found if f.of_size(70011)]
    assert len(children) == 1 and len(children[0].of_size(70011)) == 100
    for steps in children[0].of_size(70011):
        assert names(steps, "child leaf") == ["child", "leaf"]


def test_start_and_stop(some_interpreter, trace_code, planted):
    text = """
import tracemalloc
def work(size): leaf(size)
for turn in range(3):
    work(70020 + turn)
    tracemalloc.stop()
    tracemalloc.start(5)
work(70012)
"""
    traced = trace_code(
        some_interpreter, LOAD + text, planted, TRACEMALLOC_NATIVE_FRAMES="1"
    )
    assert len(traced.dumps) == 4, traced.result.stderr
    seen = set()
    for found in (Stacks(dump, planted) for dump in traced.dumps):
        for size in (70012, 70020, 70021, 70022):
            for steps in found.of_size(size):
                assert names(steps, "work leaf") == ["work", "leaf"]
                seen.add(size)
    assert seen == {70012, 70020, 70021, 70022}


def test_without_the_option_there_are_none(some_interpreter, stacks):
    found = stacks(some_interpreter, "middle(70013)\n", TRACEMALLOC_NATIVE_FRAMES="0")
    (steps,) = found.of_size(70013)
    assert not [s for s in steps if s.native]
    assert found.dump.native_nframe == 0


def test_any_program(trace, planted, tmp_path):
    source = tmp_path / "any.c"
    source.write_text(
        "void middle(unsigned long);\n"
        "int main(void) { middle(70015); return 3; }\n"
    )
    program = tmp_path / "any"
    subprocess.check_call(["cc", "-g", str(source), str(planted), "-o", str(program)])
    native = {"TRACEMALLOC_NATIVE_FRAMES": "1"}
    traced = trace([program], TRACEMALLOC_ANY_PROGRAM="1", **native)
    assert traced.result.returncode == 3
    found = Stacks(traced.dump, planted, program)
    (steps,) = found.of_size(70015)
    assert names(steps, "main middle leaf") == "main middle leaf".split()
    assert all(s.native for s in steps)
    assert found.dump.finalized == 1 and found.dump.lost["version"] == 0
    assert not trace([program], **native).dumps


# Python frames alone need less than 1 KiB more than malloc does.
@pytest.mark.parametrize("native", [None, "30"])
@pytest.mark.parametrize("room", [600, 1024, 2048, 3000, 3500, 4096, 8192])
def test_small_signal_stacks(some_interpreter, trace_code, planted, native, room):
    text = LOAD + """
library.on_small_stack.restype = ctypes.c_long
for size in range(70020, 70023):
    print(library.on_small_stack(ctypes.c_size_t(size), ctypes.c_size_t(%d)))
""" % room
    traced = trace_code(
        some_interpreter, text, planted, TRACEMALLOC_NATIVE_FRAMES=native
    )
    assert traced.result.returncode == 0, traced.result.stderr
    used = [int(line) for line in traced.result.stdout.split()]
    assert len(used) == 3 and min(used) > 0, "written below the signal's stack"
    if native is None:
        assert max(used) < 1024 + 328
    lost = DumpFile(traced.dump).lost["cramped"]
    assert (lost > 0) == (native is not None and room < 3072)


# What makecontext's caller gave it for a stack has no guard page either.
@pytest.mark.parametrize("elsewhere", [0, 1])
@pytest.mark.parametrize("room", [600, 2048, 3000, 4096, 8192])
def test_small_stacks_of_contexts(
    some_interpreter, trace_code, planted, room, elsewhere
):
    text = LOAD + """
library.on_small_context.restype = ctypes.c_long
for size in range(70030, 70033):
    print(library.on_small_context(
        ctypes.c_size_t(size), ctypes.c_size_t(%d), ctypes.c_int(%d)))
""" % (room, elsewhere)
    traced = trace_code(some_interpreter, text, planted, TRACEMALLOC_NATIVE_FRAMES="30")
    assert traced.result.returncode == 0, traced.result.stderr
    used = [int(line) for line in traced.result.stdout.split()]
    assert len(used) == 3 and min(used) > 0, "written below the context's stack"
    assert (DumpFile(traced.dump).lost["cramped"] > 0) == (room < 3072)


# A thread that has less room than this for malloc alone would not live untraced.
@pytest.mark.parametrize("room", [1400, 2048, 3000, 4096, 8192])
def test_smallest_threads(some_interpreter, trace_code, planted, room):
    text = LOAD + """
for size in range(70040, 70060):
    error = library.in_smallest_thread(ctypes.c_size_t(size), ctypes.c_size_t(%d))
    assert error == 0, error
print("alive")
""" % room
    traced = trace_code(some_interpreter, text, planted, TRACEMALLOC_NATIVE_FRAMES="30")
    assert traced.result.returncode == 0, traced.result.stderr
    assert traced.result.stdout == "alive\n"


# CPython's own minimum.
PYTHON_THREADS = """
import threading
threading.stack_size(32768)
keep = []
def work(number):
    keep.append([str(number), {number: bytes(100)}])
threads = [threading.Thread(target=work, args=(n,)) for n in range(200)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(keep))
"""


def test_threads_with_pythons_smallest_stack(interpreter, trace_code):
    plain = interpreter.run("-c", PYTHON_THREADS)
    if plain.returncode != 0:
        pytest.skip("32 KiB are too little for this interpreter's threads")
    traced = trace_code(interpreter, PYTHON_THREADS, TRACEMALLOC_NATIVE_FRAMES="30")
    assert traced.result.returncode == 0, traced.result.stderr
    assert traced.result.stdout == "200\n"
