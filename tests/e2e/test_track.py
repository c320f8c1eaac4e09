# SPDX-License-Identifier: MIT
"""PyTraceMalloc_Track and PyTraceMalloc_Untrack, as the interpreter's own tracer."""

import os
import random

import pytest

from conftest import ROOT

STEPS = 100000
PROGRAM = ROOT / "tests" / "e2e" / "track_steps.py"

# NumPy 2.5 and later does the first three.
HAND_OVER = """
import ctypes, tracemalloc
python, size = ctypes.pythonapi, ctypes.c_size_t
prefix = "" if hasattr(python, "PyTraceMalloc_Track") else "_"
track = getattr(python, prefix + "PyTraceMalloc_Track")
untrack = getattr(python, prefix + "PyTraceMalloc_Untrack")
track.argtypes, untrack.argtypes = [ctypes.c_uint, size, size], [ctypes.c_uint, size]
python.PyMem_RawMalloc.restype = size
python.PyMem_RawMalloc.argtypes = python.PyMem_RawFree.argtypes = [size]
mib = 1 << 20
base = tracemalloc.get_traced_memory()[0]

def show():
    print(round((tracemalloc.get_traced_memory()[0] - base) / mib), end=" ")

block = python.PyMem_RawMalloc(mib)
show()
for function, *arguments in [
    (untrack, 0, block),
    (track, 7, block, mib),
    (untrack, 7, block),
    (track, 0, block, 2 * mib),
    (python.PyMem_RawFree, block),
]:
    function(*arguments)
    show()
"""


def test_a_block_changes_its_domain(interpreter, trace_code):
    own = interpreter.run("-X", "tracemalloc", "-c", HAND_OVER)
    assert (own.returncode, own.stdout) == (0, "1 0 1 0 2 0 "), own.stderr
    traced = trace_code(interpreter, HAND_OVER)
    assert traced.result.stdout == own.stdout, traced.result.stderr


@pytest.fixture
def seed():
    chosen = int(os.environ.get("TRACEMALLOC_TEST_SEED", random.randrange(10**6)))
    print("TRACEMALLOC_TEST_SEED=%d" % chosen)
    return chosen


def test_random_steps(interpreter, trace, ours, seed):
    done = (0, "%d steps\n" % STEPS, "")
    result = interpreter.run(PROGRAM, str(seed), str(STEPS))
    assert (result.returncode, result.stdout, result.stderr) == done
    traced = trace([interpreter.path, PROGRAM, str(seed), str(STEPS)])
    result = traced.result
    assert (result.returncode, result.stdout, result.stderr) == done
    assert all(ours.json("info", dump)["complete"] for dump in traced.dumps)


def test_random_steps_with_native_frames(some_interpreter, trace, seed):
    program = [some_interpreter.path, PROGRAM, str(seed), str(STEPS // 20)]
    traced = trace(program, TRACEMALLOC_NATIVE_FRAMES="30")
    assert traced.result.returncode == 0, traced.result.stderr
