# SPDX-License-Identifier: MIT
"""Many threads: exact counts after a race, and nothing left of those that ended."""

import pytest

from dump_file import DumpFile, build_hooks

LIBC = 1
SIZE = 70001
THREADS = 8
KEPT_EACH = 10

LOAD = """
import ctypes, sys
hooks = ctypes.CDLL(sys.argv[1])
number = ctypes.c_size_t

def anonymous():
    with open("/proc/self/smaps") as file:
        return sum(int(line.split()[1]) for line in file if line[:10] == "Anonymous:")
"""


@pytest.fixture(scope="session")
def hooks(tmp_path_factory):
    return build_hooks(tmp_path_factory.mktemp("hooks"))


@pytest.fixture
def threads_code(trace_code, hooks):
    """threads_code(INTERPRETER, TEXT): what it printed, and the dump."""

    def run_text(interpreter, text):
        traced = trace_code(interpreter, LOAD + text, hooks)
        assert traced.result.returncode == 0, traced.result.stderr
        dump = DumpFile(traced.dump)
        dump.check()
        return traced.result.stdout, dump

    return run_text


def test_exactly_the_kept_blocks_after_a_race(interpreter, threads_code):
    """Eight threads free and move each other's blocks."""
    text = (
        "live = (ctypes.c_uint * 4)()\n"
        "assert hooks.hooks_race(number(%d), 100000, live) == 0\n"
        "print(*live)\n" % SIZE
    )
    printed, dump = threads_code(interpreter, text)
    kept = [int(count) for count in printed.split()] + [THREADS * KEPT_EACH]
    wanted = {SIZE + at: count for at, count in enumerate(kept) if count}
    assert dump.live(LIBC, SIZE, SIZE + 4) == wanted


def test_short_threads_leave_the_memory_flat(some_interpreter, threads_code):
    text = """
assert hooks.hooks_threads(2000) == 0
before = anonymous()
assert hooks.hooks_threads(100000) == 0
assert anonymous() - before < 200, anonymous() - before
"""
    _, dump = threads_code(some_interpreter, text)
    assert not dump.live(LIBC, 4000, 4000)


def test_blocks_freed_at_the_end_of_threads(some_interpreter, threads_code):
    """Destructors run after the library's own: their frees are seen all the same."""
    text = """
assert hooks.hooks_late_frees(200, number(%d)) == 0
before = anonymous()
assert hooks.hooks_late_frees(5000, number(%d)) == 0
assert anonymous() - before < 200, anonymous() - before
""" % (
        SIZE,
        SIZE,
    )
    _, dump = threads_code(some_interpreter, text)
    assert not dump.live(LIBC, SIZE, SIZE)
