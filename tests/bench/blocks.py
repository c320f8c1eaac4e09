# SPDX-License-Identifier: MIT
"""Programs with many live blocks, for the benchmarks of what is done with them.

usage: blocks.py KIND NUMBER TASK NFRAME

KIND `few` are small objects that one line makes, of 500 sizes. `many` are objects of as
many pairs of traceback and size as there are blocks, 25 frames deep. TASK `hold` makes
them and ends. `snapshot` traces itself with NFRAME frames, makes them, and prints a
line of JSON: how long take_snapshot() took and by how many bytes it raised the peak of
the resident memory. `start` times start() and stop() instead. Runs on CPython 3.6 and
later.
"""

import gc
import json
import sys
import time
import tracemalloc

LEVELS, LINES = 4, 5  # of functions that call each other; of the last, two blocks each
DEPTH = 19  # of what calls the first of them


def few(number):
    return [bytes(1 + i % 500) for i in range(number)]


def source(level, width):
    """A level's functions: each calls all of the next level, on a line of its own."""
    text = []
    for number in range(width):
        text.append("def level_%d_%d(keep):" % (level, number))
        calls = ["level_%d_%d(keep)" % (level + 1, i) for i in range(width)]
        if level == LEVELS - 1:
            sizes = [40 + number + line for line in range(LINES)]
            calls = ["keep(bytes(%d)); keep(bytes(%d))" % (n, n + 500) for n in sizes]
        text += ["    " + call for call in calls]
    return "\n".join(text)


def deep(depth, function, keep):
    if depth:
        return deep(depth - 1, function, keep)
    return function(keep)


def many(number):
    width, names, kept = 1, {}, []
    while width**LEVELS * LINES * 2 < number:
        width += 1
    for level in range(LEVELS):
        exec(compile(source(level, width), "level%d.py" % level, "exec"), names)
    for function in range(width):
        deep(DEPTH, names["level_0_%d" % function], kept.append)
    return kept


def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if "VmHWM" in line)


def seconds(function, *arguments):
    begin = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - begin, result


def snapshot(make, number, nframe):
    tracemalloc.start(nframe)
    kept = make(number)
    gc.collect()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # the peak is what is resident now
    before = peak()
    taken, result = seconds(tracemalloc.take_snapshot)
    assert len(result.traces) >= len(kept)
    return {"taken": taken, "peak": peak() - before}


def start_and_stop(nframe):
    started, stopped = [], []
    for _ in range(9):
        started.append(seconds(tracemalloc.start, nframe)[0])
        stopped.append(seconds(tracemalloc.stop)[0])
    return {"start": sorted(started)[4], "stop": sorted(stopped)[4]}


def main(kind, number, task, nframe):
    make = {"few": few, "many": many}[kind]
    if task == "start":
        print(json.dumps(start_and_stop(int(nframe))))
    elif task == "snapshot":
        print(json.dumps(snapshot(make, int(number), int(nframe))))
    else:
        make(int(number))


if __name__ == "__main__":
    main(*sys.argv[1:5])
