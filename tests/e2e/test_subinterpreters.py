# SPDX-License-Identifier: MIT
"""Interpreters beside the main one, with a GIL of their own, that run at once."""

import pytest

from dump_file import DumpFile

OWN_GIL = (3, 12)
PYTHON_DOMAIN = 0
BYTES_HEADER = 33
BLOCKS = 3000
SIZES = [3001, 3101, 3201]

# The interpreters stay alive, and so do their blocks: the process leaves at once.
PROGRAM = """
import os, sys, threading
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

PLANT = '''
def plant_%d(count):
    kept = []
    for at in range(count):
        kept.append(bytes(%d))
        short = [bytes(%d), {}, (at, at), [at], float(at)]
    return kept

kept = plant_%d(%d)
'''

failed = []

def run(name, size):
    error = interpreters.run_string(name, PLANT % (size, size, size, size, blocks))
    if error is not None:
        failed.append(error)

blocks = int(sys.argv[1])
sizes = [int(size) for size in sys.argv[2:]]
names = [interpreters.create() for size in sizes]
threads = [threading.Thread(target=run, args=each) for each in zip(names, sizes)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(failed), flush=True)
os._exit(0)
"""

# Interpreters that come and go while others allocate.
COMING_AND_GOING = """
import sys, threading
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

WORK = '''
import json
kept = [bytes(%s) for at in range(200)]
json.dumps({1: [2.5, None]})
'''

def run(size):
    for _ in range(10):
        name = interpreters.create()
        interpreters.run_string(name, WORK % size)
        interpreters.destroy(name)

threads = [threading.Thread(target=run, args=(size,)) for size in sys.argv[1:]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("done")
"""


@pytest.fixture
def with_own_gil(interpreter):
    if interpreter.version < OWN_GIL:
        pytest.skip("before 3.12 there is one GIL for all interpreters")
    return interpreter


def planted(dump):
    """Live blocks of each planted size, and the functions that made them."""
    count, makers = {}, {}
    for bucket in dump.buckets:
        size = bucket.size - BYTES_HEADER
        if bucket.domain == PYTHON_DOMAIN and size in SIZES and bucket.live:
            names = {frame.name for frame in dump.frames(bucket.stack)}
            count[size] = count.get(size, 0) + bucket.live
            makers.setdefault(size, set()).update(
                name for name in names if name.startswith("plant_")
            )
    return count, makers


def test_all_blocks_are_counted(with_own_gil, trace_code):
    traced = trace_code(with_own_gil, PROGRAM, BLOCKS, *SIZES)
    assert traced.result.stdout == "0\n", traced.result.stderr
    assert traced.result.returncode == 0
    dump = DumpFile(traced.dump)
    dump.check()
    count, makers = planted(dump)
    assert makers == {size: {"plant_%d" % size} for size in SIZES}
    assert count == {size: BLOCKS for size in SIZES}


def test_coming_and_going(with_own_gil, trace_code):
    traced = trace_code(with_own_gil, COMING_AND_GOING, *SIZES)
    assert traced.result.stdout == "done\n", traced.result.stderr
    assert traced.result.returncode == 0
    left = planted(DumpFile(traced.dump))[0]
    assert left == {}
