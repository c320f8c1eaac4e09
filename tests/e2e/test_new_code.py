# SPDX-License-Identifier: MIT
"""A program that makes new code for ever: the dump levels off, and stays exact."""

import collections

import pytest

# Each round brings a chain of calls that no earlier one has made, keeps a block of it
# and an allocation that dies; the last KEPT rounds' functions live.
PROGRAM = """
import collections, gc, os, sys, threading
rounds, levels, kept = int(sys.argv[1]), 8, 20
folder = os.path.dirname(os.environ["TRACEMALLOC_OUTPUT"])

def new_function(number):
    lines = ["def path_0(size):", "    bytes(10000000)", "    return bytes(size)"]
    for level in range(1, levels):
        lines.append("def path_%d(size):" % level)
        lines.append("    return path_%d(size)" % (level - 1))
    names = {}
    exec(compile("\\n".join(lines), "path_%d.py" % number, "exec"), names)
    return names["path_%d" % (levels - 1)]

def one_round(number):
    function = new_function(number)
    functions.append(function)
    if number % 100 == 0:
        old.append(function(5000 + number // 100))

def work(first, last):
    for number in range(first, last):
        one_round(number)
        if number % 50 == 0:
            gc.collect()

def disk_bytes():
    return os.stat(os.path.join(folder, "%d.dump" % os.getpid())).st_blocks * 512

functions, old = collections.deque(maxlen=kept), []
for part in range(4):
    if sys.argv[2] == "threads":
        span = (part * rounds, (part + 1) * rounds)
        thread = threading.Thread(target=work, args=span)
        thread.start()
        thread.join()
    else:
        work(part * rounds, (part + 1) * rounds)
    print(disk_bytes(), flush=True)
gc.collect()
os._exit(0)
"""
ROUNDS, OLD_EACH = 2000, 100


def kept_blocks(traces):
    """file, first size and count of the blocks that PROGRAM keeps."""
    sizes = collections.Counter()
    for trace in traces:
        frame = trace.traceback[-1]
        if frame.filename.startswith("path_"):
            sizes[frame.filename, trace.size, frame.lineno] += 1
    return sizes


@pytest.mark.parametrize("kind", ["one thread", "threads"])
def test_levels_off_and_stays_exact(some_interpreter, trace_code, ours, snapshot, kind):
    traced = trace_code(some_interpreter, PROGRAM, str(ROUNDS), kind)
    assert traced.result.returncode == 0, traced.result.stderr
    sizes = [int(line) for line in traced.result.stdout.split()]
    # Timeline and buckets come with time and live blocks, and a section grows by 1 MiB
    # at once; the code and its sites alone would be 3 MB.
    assert sizes[-1] - sizes[1] < 1200000, sizes
    assert ours.json("info", traced.dump)["complete"]
    found = kept_blocks(snapshot(traced.dump).traces)
    for number in range(0, 4 * ROUNDS, OLD_EACH):
        name = "path_%d.py" % number
        wanted = 5000 + number // OLD_EACH + 33
        assert found.pop((name, wanted, 3)) == 1, name
    # Only what the last functions themselves are made of.
    assert len({name for name, size, line in found}) <= 21


def test_what_dead_code_allocated_is_counted(some_interpreter, trace_code, ours):
    text = PROGRAM.replace("number % 100 == 0", "True").replace("old.append", "")
    traced = trace_code(some_interpreter, text, str(ROUNDS), "one thread")
    assert traced.result.returncode == 0, traced.result.stderr
    summary = ours.json("summary", traced.dump)
    assert summary["complete"]
    ours_bytes = 4 * ROUNDS * 10000000
    assert 0 <= summary["allocated"]["size"] - ours_bytes < ours_bytes / 20
    top = [t for t in summary["top"]["allocated"] if t["size"] > ours_bytes * 0.8]
    assert top, summary["top"]["allocated"]


def test_reports_read_what_is_left(some_interpreter, trace_code, ours, tmp_path):
    traced = trace_code(some_interpreter, PROGRAM, str(ROUNDS), "one thread")
    assert traced.result.returncode == 0, traced.result.stderr
    merged = tmp_path / "merged.dump"
    for args in (
        ["stats", traced.dump],
        ["tree", traced.dump],
        ["export", "--format", "collapsed", traced.dump, "-o", tmp_path / "stacks"],
        ["merge", traced.dump, "-o", merged],
    ):
        result = ours(*args)
        assert result.returncode == 0, result.stderr
    before, after = ours.json("summary", traced.dump), ours.json("summary", merged)
    for name in "total", "peak", "allocated":
        assert before[name] == after[name]
    assert after["complete"]
