# SPDX-License-Identifier: MIT
"""Objects that reuse a freed object's memory belong to the line that made them."""

import pytest

import dump_file


# name: how one is made, and the bytes of its block
KINDS = {
    "tuple": ("(value, value)", "sys.getsizeof((1, 2))"),
    "list": ("[value]", "list.__basicsize__ + gc_head"),
    "dict": ("{}", "dict.__basicsize__ + gc_head"),
    "float": ("value * 1.5", "float.__basicsize__"),
}

PROGRAM = """
import sys; gc_head = 16 if sys.version_info >= (3, 8) else 32
value = 1.25
print({size})
for _ in range(20):
    innocent = [{make} for _ in range(3000)]
    del innocent
kept = [{make} for _ in range(1000)]
"""
LINE = 8


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_blamed_on_the_line_that_took_it(interpreter, trace_code, snapshot, kind):
    make, size = KINDS[kind]
    traced = trace_code(interpreter, PROGRAM.format(make=make, size=size))
    assert traced.result.returncode == 0, traced.result.stderr
    wanted = int(traced.result.stdout)
    lines = [
        t.traceback[-1].lineno for t in snapshot(traced.dump).traces if t.size == wanted
    ]
    assert lines.count(LINE) >= 1000
    # Later versions keep their free lists filled: unused objects wait there.
    if interpreter.version < (3, 13):
        assert lines.count(LINE - 2) < 10


def test_switched_off(some_interpreter, trace_code, ours):
    make, size = KINDS["tuple"]
    text = PROGRAM.format(make=make, size=size)
    traced = trace_code(some_interpreter, text, TRACEMALLOC_FREE_LISTS="0")
    assert traced.result.returncode == 0, traced.result.stderr
    assert ours.json("info", traced.dump)["complete"]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_sampled_ones_count_there_too_if_wanted(
    interpreter, trace_code, snapshot, kind
):
    make, size = KINDS[kind]
    variables = {"TRACEMALLOC_SAMPLE": "64", "TRACEMALLOC_FREE_LISTS": "1"}
    traced = trace_code(interpreter, PROGRAM.format(make=make, size=size), **variables)
    assert traced.result.returncode == 0, traced.result.stderr
    assert dump_file.DumpFile(traced.dump).free_lists == 1
    wanted = int(traced.result.stdout)
    lines = [
        t.traceback[-1].lineno for t in snapshot(traced.dump).traces if t.size == wanted
    ]
    # Five standard errors for floats, the smallest.
    assert abs(lines.count(LINE) - 1000) < 250


@pytest.mark.parametrize("distance, seen", [("512K", 0), ("16385", 0), ("16K", 1)])
def test_by_default_only_fine_samples_do(some_interpreter, trace_code, distance, seen):
    make, size = KINDS["tuple"]
    text = PROGRAM.format(make=make, size=size)
    traced = trace_code(some_interpreter, text, TRACEMALLOC_SAMPLE=distance)
    assert traced.result.returncode == 0, traced.result.stderr
    assert dump_file.DumpFile(traced.dump).free_lists == seen


# What sees free lists: the deallocator of floats to 3.12, then the tracer of objects.
SWITCH = """
import ctypes, os, sys
sigqueue = ctypes.CDLL(None).sigqueue
sigqueue.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
def installed():
    if sys.version_info >= (3, 13):
        get = ctypes.pythonapi.PyRefTracer_GetTracer
        get.restype, get.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        return get(None)
    return ctypes.c_void_p.from_address(id(float) + 48).value
def request(kind, nframe=0, sample=0):
    sigqueue(os.getpid(), 53, sample << 32 | 0xa7 << 24 | kind << 16 | nframe)
exact = installed()
request(1)
request(2, 1, 32768)
kept = [[number] for number in range(20000)]
print(exact is not None, installed() != exact)
request(1)
request(2, 1, 0xffffffff)
kept += [[number] for number in range(1000)]
print(installed() == exact)
"""


def test_left_when_sampling_begins(some_interpreter, trace_code):
    traced = trace_code(some_interpreter, SWITCH)
    assert traced.result.returncode == 0, traced.result.stderr
    assert traced.result.stdout.split() == ["True"] * 3, traced.result.stderr
