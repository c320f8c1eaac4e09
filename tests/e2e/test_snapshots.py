# SPDX-License-Identifier: MIT
"""What take_snapshot() gives under the library: the builtin's traces, made once."""

import pytest

# Planted sizes tell the blocks of the program from those of the interpreter.
PLANT = """
import sys, tracemalloc, _tracemalloc
HEADER = sys.getsizeof(b"")
tracemalloc.start(int(sys.argv[1]))
kept = []

def keep(size):
    kept.append(bytes(70000 + size - HEADER))

def recur(depth, size):
    if depth:
        return recur(depth - 1, size)
    keep(size)

def plant():
    for size in range(3):
        keep(size); keep(size)
        for depth in range(6):
            recur(depth, size)
    for size in range(2):
        exec(compile("keep(7)", "same.py", "exec"), {"keep": keep})
    list(map(keep, range(10, 15)))

plant()
def planted():
    return [t for t in _tracemalloc._get_traces() if 70000 <= t[1] < 71000]
"""

SHOW = """
for trace in sorted(planted()):
    print(trace)
"""

IDENTITIES = """
traces = planted()
print(len({id(t) for t in traces}) == len(set(traces)))
print(len({id(t[2]) for t in traces}) == len({t[2] for t in traces}))
frames = [frame for trace in traces for frame in trace[2]]
print(len({id(f) for f in frames}) == len(set(frames)))
"""

REPEAT = """
import gc
def settle():
    for _ in range(3):
        tracemalloc.take_snapshot()
    gc.collect()
    return sys.getallocatedblocks()
before = settle()
for _ in range(20):
    tracemalloc.take_snapshot()
print(abs(settle() - before) < 50)
"""


@pytest.mark.parametrize("native", [None, "10"], ids=["python", "native"])
@pytest.mark.parametrize("nframe", [1, 2, 25])
def test_the_builtins_traces(interpreter, trace_code, tmp_path, nframe, native):
    changes = {"PYTHONTRACEMALLOC": None, "TRACEMALLOC_NATIVE_FRAMES": native}
    ours = trace_code(interpreter, PLANT + SHOW, str(nframe), **changes).result
    theirs = interpreter.run(tmp_path / "program.py", str(nframe))
    assert (ours.returncode, ours.stderr) == (0, "")
    assert ours.stdout.count("\n") == 31
    assert ours.stdout == theirs.stdout


@pytest.mark.parametrize("nframe", [1, 25])
def test_what_is_equal_is_one_object(some_interpreter, trace_code, nframe):
    text = PLANT + IDENTITIES
    result = trace_code(some_interpreter, text, str(nframe)).result
    assert (result.stdout, result.stderr) == ("True\n" * 3, "")


def test_nothing_is_left_of_a_snapshot(interpreter, trace_code):
    result = trace_code(interpreter, PLANT + REPEAT, "25").result
    assert (result.stdout, result.stderr) == ("True\n", "")
