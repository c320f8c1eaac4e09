# SPDX-License-Identifier: MIT
"""Planted blocks of unique sizes: each is there with its size, stack and depth."""

import json

import pytest

# take() keeps a block of a size that nothing else has, beside the stack as the
# interpreter itself sees it on the same line.
TAKE = """
import json, sys

kept = []
first_size = 1000003

def stack(frame):
    found = []
    while frame is not None:
        found.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return found

def take():
    size = first_size + 16 * len(kept)
    kept.append((stack(sys._getframe()), bytes(size)))

def report():
    print(json.dumps([(sys.getsizeof(block), frames) for frames, block in kept]))
"""

KINDS = TAKE + """
import threading

def recursive(depth):
    take() if depth == 0 else recursive(depth - 1)

def generator():
    take()
    yield
    take()

def outer_generator():
    yield from generator()

async def coroutine(depth):
    if depth:
        await coroutine(depth - 1)
    take()

class Body:
    take()

    def method(self):
        take()

    def __call__(self):
        take()

    __repr__ = lambda self: take() or "x"

def key(item):
    take()
    return item

def raising():
    try:
        1 / 0
    except ZeroDivisionError:
        take()
    finally:
        take()

def run_coroutine(c):
    try:
        c.send(None)
    except StopIteration:
        pass

take()
recursive(0)
recursive(10)
recursive(100)
list(generator())
list(outer_generator())
run_coroutine(coroutine(0))
run_coroutine(coroutine(5))
Body().method()
Body()()
repr(Body())
sorted([1], key=key)
list(map(key, [1, 2]))
[take() for _ in range(2)]
{take() for _ in range(2)}
raising()
(lambda: take())()
exec("take()\\n\\ntake()")
exec(compile("\\n\\n\\ndef f():\\n    take()\\nf()", "planted.txt", "exec"))
for target in (take, lambda: recursive(3)):
    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
paused = [generator() for _ in range(3)]
for g in paused:
    next(g)
for g in reversed(paused):
    next(g, None)
take(
)
freed = [bytes(2000003 + 16 * i) for i in range(100)]
del freed
report()
"""

# Code objects that die, whose addresses others take: each block knows its own file.
DYING_CODE = TAKE + """
import gc

for number in range(300):
    text = "\\n" * (number % 40) + "def f(g):\\n    g()\\nf(take)"
    exec(compile(text, "file%d.py" % number, "exec"), {"take": take})
    if number % 7 == 0:
        gc.collect()
report()
"""

DEEP_SWITCHES = TAKE + """
def source(depth):
    if depth:
        yield from source(depth - 1)
    else:
        while True:
            take()
            yield

def deep(depth, generators):
    if depth:
        return deep(depth - 1, generators)
    for g in generators:
        next(g)

generators = [source(n) for n in (1, 5, 9)]
for depth in (0, 20, 3, 40, 1):
    deep(depth, generators)
report()
"""


def found_by_size(snapshot):
    found = {}
    for trace in snapshot.traces:
        found.setdefault(trace.size, []).append(trace)
    return found


def check_planted(traced, snapshot, nframe):
    """Every block of the program's report is in the dump, once, with its stack."""
    assert traced.result.returncode == 0, traced.result.stderr
    found = found_by_size(snapshot)
    planted = json.loads(traced.result.stdout)
    assert planted
    for size, frames in planted:
        assert len(found.get(size, [])) == 1, (size, frames)
        trace = found[size][0]
        oldest_first = [tuple(frame) for frame in frames[:nframe][::-1]]
        assert [(f.filename, f.lineno) for f in trace.traceback] == oldest_first
        assert trace.traceback.total_nframe == len(frames)
        assert trace.domain == 0
    return found


# Each event has every other frame that the one before it had, and as many new ones
# between them.
ALTERNATING = """
import sys
import threading
import time
sys.setrecursionlimit(100000)
threading.stack_size(256 << 20)
turn = 0

def through(inner):
    while True:
        yield next(inner)

def chain(inner):
    other = through(inner)
    while True:
        if turn % 2:
            yield next(inner)
        else:
            yield next(other)

def leaf():
    while True:
        yield [turn]

def work():
    global turn
    top = leaf()
    for _ in range(3000):
        top = chain(top)
    next(top)
    begin = time.process_time()
    for turn in range(1, 21):
        next(top)
    print(time.process_time() - begin)

thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


@pytest.mark.parametrize("nframe", [25, 3, 200])
def test_kinds_of_frames(interpreter, trace_code, snapshot, nframe):
    traced = trace_code(interpreter, KINDS, PYTHONTRACEMALLOC=str(nframe))
    found = check_planted(traced, snapshot(traced.dump), nframe)
    assert not [size for size in found if 2000003 <= size <= 2000003 + 1700]


@pytest.mark.parametrize(
    "program", [DYING_CODE, DEEP_SWITCHES], ids=["dying", "switches"]
)
def test_changing_stacks(interpreter, trace_code, snapshot, program):
    traced = trace_code(interpreter, program)
    check_planted(traced, snapshot(traced.dump), 25)


def test_function_names(interpreter, trace_code, ours):
    text = (
        "class A:\n    def f(self):\n        return bytes(9000003)\n\nkept = A().f()\n"
    )
    traced = trace_code(interpreter, text)
    top = ours.json("stats", traced.dump, "-g", "traceback", "-l", "1")["statistics"][0]
    name = "A.f" if interpreter.version >= (3, 11) else "f"
    assert [f["function"] for f in top["traceback"]][-2:] == ["<module>", name]
    assert [f["lineno"] for f in top["traceback"]][-2:] == [5, 3]


def test_every_other_frame_changes(interpreter, trace_code, tmp_path):
    if interpreter.version < (3, 8):
        pytest.skip("each next() allocates its arguments: events at every depth")
    program = tmp_path / "program.py"
    program.write_text(ALTERNATING)
    plain = interpreter.run("-X", "tracemalloc", program)
    if plain.returncode != 0 or not plain.stdout:
        pytest.skip("this interpreter does not recurse so deeply")
    traced = trace_code(interpreter, ALTERNATING)
    assert traced.result.returncode == 0, traced.result.stderr
    assert float(traced.result.stdout) < 20 * float(plain.stdout) + 0.2
