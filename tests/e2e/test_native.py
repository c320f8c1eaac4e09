# SPDX-License-Identifier: MIT
"""Blocks that libc and the kernel hand out: domains, failures, odd stacks, races."""

import subprocess

import pytest

from conftest import ROOT

PYTHON, LIBC, MMAP = 0, 1, 2
SOURCES = ROOT / "tests" / "e2e"

LOAD = """
import ctypes, sys

class Function:
    def __init__(self, library, name):
        self.call = getattr(library, name)
        self.call.restype = ctypes.c_ssize_t

    def __call__(self, *args):
        return self.call(*[ctypes.c_ssize_t(arg) for arg in args])

libc = ctypes.CDLL(None)
malloc, calloc, realloc, free, mmap, munmap, mremap, memalign, valloc = [
    Function(libc, name)
    for name in "malloc calloc realloc free mmap munmap mremap memalign valloc".split()]
native = ctypes.CDLL(sys.argv[1])
PAGE = 4096
ANONYMOUS, FIXED = 0x22, 0x10
"""
START = LOAD.count("\n")


@pytest.fixture(scope="session")
def native(tmp_path_factory):
    """The shared object of native.c."""
    out = tmp_path_factory.mktemp("native") / "native.so"
    source = SOURCES / "native.c"
    subprocess.check_call(
        ["cc", "-O1", "-shared", "-fPIC", "-pthread", "-o", str(out), str(source)]
    )
    return out


@pytest.fixture
def native_code(trace_code, native, snapshot):
    """native_code(INTERPRETER, TEXT): the traces that the program leaves."""

    def run_text(interpreter, text):
        traced = trace_code(interpreter, LOAD + text, native)
        assert traced.result.returncode == 0, traced.result.stderr
        return list(snapshot(traced.dump).traces)

    return run_text


def sizes(traces, domain, first, last):
    """The sizes from first to last in a domain, ascending."""
    return sorted(
        t.size for t in traces if t.domain == domain and first <= t.size <= last
    )


def test_family_of_malloc(interpreter, native_code):
    traces = native_code(
        interpreter,
        """
kept = malloc(5000001), calloc(5, 1000003), memalign(4096, 5000021), valloc(5000025)
moved = realloc(malloc(5000031), 5000033)
shrunk = realloc(malloc(5000041), 5000039)
made = realloc(0, 5000043)
free(malloc(5000051))
""",
    )
    wanted = [5000001, 5000015, 5000021, 5000025, 5000033, 5000039, 5000043]
    assert sizes(traces, LIBC, 5000000, 5000100) == wanted
    lines = {t.size: t.traceback[-1].lineno for t in traces if t.domain == LIBC}
    # The call is in Function.__call__; its caller has the line.
    assert lines[5000001] < START


def test_caller_of_native_block(interpreter, native_code):
    traces = native_code(interpreter, "\ndef f():\n    malloc(5000001)\nf()\n")
    (trace,) = [t for t in traces if t.size == 5000001]
    lines = [frame.lineno - START for frame in trace.traceback]
    assert lines[:2] == [4, 3]


def test_failed_calls_are_no_events(interpreter, native_code):
    traces = native_code(
        interpreter,
        """
kept = malloc(5000001)
assert realloc(kept, 1 << 60) == 0
assert malloc(1 << 60) == calloc(1 << 40, 1 << 40) == 0
assert mmap(0, 1 << 60, 3, ANONYMOUS, -1, 0) == -1
assert munmap(1, PAGE) & 0xffffffff == 0xffffffff  # an int
""",
    )
    assert sizes(traces, LIBC, 5000000, 5000100) == [5000001]
    assert not [t for t in traces if t.size >= 1 << 40]


def test_realloc_to_nothing_frees(interpreter, native_code):
    assert not sizes(
        native_code(interpreter, "assert realloc(malloc(5000001), 0) == 0\n"),
        LIBC,
        5000000,
        5000100,
    )


@pytest.mark.parametrize(
    "text,pages",
    [
        ("a = mmap(0, 3001 * PAGE, 3, ANONYMOUS, -1, 0)", [3001]),
        ("a = mmap(0, 3001 * PAGE, 3, ANONYMOUS, -1, 0)\nmunmap(a, 3001 * PAGE)", []),
        (
            "a = mmap(0, 9001 * PAGE, 3, ANONYMOUS, -1, 0)\n"
            "munmap(a + 3001 * PAGE, 2998 * PAGE)",
            [3001, 3002],
        ),
        (
            "a = mmap(0, 6003 * PAGE, 3, ANONYMOUS, -1, 0)\n"
            "mmap(a + 3001 * PAGE, 3002 * PAGE, 3, ANONYMOUS | FIXED, -1, 0)",
            [3001, 3002],
        ),
        (
            "a = mmap(0, 3001 * PAGE, 3, ANONYMOUS, -1, 0)\n"
            "a = mremap(a, 3001 * PAGE, 3007 * PAGE, 1)",
            [3007],
        ),
        (
            "a = mmap(0, 3007 * PAGE, 3, ANONYMOUS, -1, 0)\n"
            "a = mremap(a, 3007 * PAGE, 3001 * PAGE, 1)",
            [3001],
        ),
    ],
    ids=["whole", "unmapped", "hole", "fixed-over", "grown", "shrunk"],
)
def test_mappings(some_interpreter, native_code, text, pages):
    traces = native_code(some_interpreter, text + "\nassert a > 0\n")
    # Pieces of one mapping may be told as one block or as several.
    found = sizes(traces, MMAP, 1000 * 4096, 9001 * 4096)
    assert sum(found) == sum(pages) * 4096


def test_reservation_is_no_heap(some_interpreter, native_code):
    text = "a = mmap(0, 3001 * PAGE, 0, ANONYMOUS, -1, 0)\nassert a > 0\n"
    traces = native_code(some_interpreter, text)
    assert not sizes(traces, MMAP, 1000 * 4096, 9001 * 4096)


def test_thread_with_a_small_stack(some_interpreter, native_code):
    text = "assert native.native_small_stack(7001, 1000) == 0\n"
    assert len(sizes(native_code(some_interpreter, text), LIBC, 7001, 7001)) == 1000


def test_signal_stack(some_interpreter, native_code):
    text = "assert native.native_signal_stack(7003) == 0\n"
    assert sizes(native_code(some_interpreter, text), LIBC, 7003, 7003) == [7003]


def test_thread_without_python_has_no_frames(some_interpreter, native_code):
    text = "assert native.native_small_stack(7001, 1) == 0\n"
    (trace,) = [t for t in native_code(some_interpreter, text) if t.size == 7001]
    frames = [(frame.filename, frame.lineno) for frame in trace.traceback]
    assert frames == [("<unknown>", 0)]


def test_race_of_free_and_realloc(some_interpreter, native_code):
    text = "assert native.native_race(7001, 200000) == 0\n"
    traces = native_code(some_interpreter, text)
    assert sizes(traces, LIBC, 7001, 7017) == [7001] * 8


def test_short_threads_leave_nothing(some_interpreter, native_code):
    """100,000 threads: the process's memory stays where the first few brought it."""
    native_code(
        some_interpreter,
        """
def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * PAGE

assert native.native_threads(2000) == 0
before = rss()
assert native.native_threads(98000) == 0
assert rss() - before < 256 * 1024, rss() - before
""",
    )


def libpython(interpreter):
    for line in (
        subprocess.check_output(["ldd", interpreter.path]).decode().splitlines()
    ):
        if "libpython3." in line and "=>" in line:
            return line.split("=>")[1].split()[0]
    pytest.skip("no shared libpython")


def test_python_that_arrives_late(interpreter, trace, snapshot, tmp_path):
    path = libpython(interpreter)
    embed = tmp_path / "embed"
    source = SOURCES / "embed.c"
    subprocess.check_call(["cc", "-O1", "-o", str(embed), str(source), "-ldl"])
    prefix = interpreter.run("-c", "import sys; print(sys.prefix)").stdout.strip()
    text = "def f():\n    return bytes(1000003)\nimport sys\nsys.kept = f()\n"
    traced = trace([embed, path, text], PYTHONHOME=prefix)
    assert traced.result.returncode == 0, traced.result.stderr
    traces = [t for t in snapshot(traced.dump).traces if t.size == 1000003 + 33]
    assert len(traces) == 1
    assert [frame.lineno for frame in traces[0].traceback] == [4, 2]
