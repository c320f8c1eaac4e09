# SPDX-License-Identifier: MIT
"""The hooks of libc's calls: results, errno, failures, odd stacks, signals."""

import pytest

from dump_file import DumpFile, build_hooks

LIBC, MMAP = 1, 2
PAGE = 4096
SIZE = 70001

LOAD = """
import ctypes, sys
hooks = ctypes.CDLL(sys.argv[1])

def call(name, *args):
    return getattr(hooks, "hooks_" + name)(*[ctypes.c_size_t(arg) for arg in args])
"""
CALL = LOAD[: LOAD.index("return")].count("\n") + 1


@pytest.fixture(scope="session")
def hooks(tmp_path_factory):
    return build_hooks(tmp_path_factory.mktemp("hooks"))


@pytest.fixture
def call_hook(trace_code, hooks):
    """call_hook(INTERPRETER, NAME, ARGS...): the result and the dump."""

    def call(interpreter, name, *args):
        text = LOAD + "print(call(%r, *%r))\n" % (name, args)
        traced = trace_code(interpreter, text, hooks)
        assert traced.result.returncode == 0, traced.result.stderr
        dump = DumpFile(traced.dump)
        dump.check()
        return int(traced.result.stdout), dump

    return call


def test_family(some_interpreter, call_hook):
    result, dump = call_hook(some_interpreter, "family", SIZE)
    assert result == 0
    live = dump.live(LIBC, SIZE, SIZE + 9)
    assert live == {SIZE + at: 1 for at in range(9)}
    stacks = [dump.frames(s.stack) for s in dump.buckets if SIZE <= s.size <= SIZE + 8]
    assert {(stack[-1].name, stack[-1].lineno) for stack in stacks} == {("call", CALL)}


def test_failed_calls(some_interpreter, call_hook):
    result, dump = call_hook(some_interpreter, "failures", SIZE)
    assert result == 0
    assert dump.live(LIBC, SIZE, SIZE) == {SIZE: 1}
    assert not dump.live(LIBC, 1 << 40, 1 << 64)
    assert not dump.live(MMAP, 1 << 40, 1 << 64)


def test_errno(some_interpreter, call_hook):
    result, _ = call_hook(some_interpreter, "errno")
    assert result == 0


def test_lengths_that_are_no_pages(some_interpreter, call_hook):
    pages = 3001
    result, dump = call_hook(some_interpreter, "mappings", pages)
    assert result == 0
    live = dump.live(MMAP, 1, 2 * pages * PAGE)
    ours = {size: count for size, count in live.items() if size > pages * PAGE}
    assert ours == {(pages + 5) * PAGE: 1, (pages + 7) * PAGE: 1}
    assert all(size % PAGE == 0 for size in live)


def test_small_stack(some_interpreter, call_hook):
    result, dump = call_hook(some_interpreter, "small_stack", SIZE)
    assert result == 0
    assert dump.live(LIBC, SIZE, 2 * SIZE + 2) == {SIZE: 1}


def test_a_hook_takes_little_stack(some_interpreter, call_hook):
    """Ours is under 1 KiB; libc's malloc has a part in it."""
    result, _ = call_hook(some_interpreter, "stack_use")
    assert 0 < result < 2048


def test_signal_stack(some_interpreter, call_hook):
    result, dump = call_hook(some_interpreter, "signal_stack", SIZE)
    assert result == 0
    assert dump.live(LIBC, SIZE, SIZE) == {SIZE: 1}


def test_signals_that_interrupt_the_hooks(some_interpreter, call_hook):
    """No crash, no lock held by the interrupted code, and the rest still adds up."""
    result, dump = call_hook(some_interpreter, "signal_storm", 5000)
    assert result == 0
    assert not dump.live(LIBC, 1000, 1000)
    assert not dump.live(LIBC, 4000, 4000)
