# SPDX-License-Identifier: MIT
"""The works of the benchmark, and the program that runs one of them.

usage: works.py NAME SECONDS

Repeats the work for at least SECONDS after one repetition that is not counted, and
prints a line of JSON: the median seconds of a repetition by the work's own clock, its
median CPU time, the peak of the resident memory in bytes, and for a work with `blocks`
the bytes that the resident memory grew by. A start-up does not count. Runs on CPython
3.6 and later. A work is a function that does one repetition of 5 to 200 ms.
"""

import array
import asyncio
import collections
import csv
import difflib
import gc
import html
import io
import itertools
import json
import logging
import os
import pickle
import re
import sqlite3
import statistics
import string
import sys
import tempfile
import threading
import time
import tracemalloc
import xml.etree.ElementTree
import zlib

MICRO, PROGRAM = "micro loop", "program"
START = "WORKS_START"  # variable: trace with that many frames, by the module
THREAD = "WORKS_THREAD"  # variable: have an idle thread

Work = collections.namedtuple("Work", "function kind blocks")
WORKS = {}


def work(kind, blocks=0):
    """Enters a function as a work; `blocks`: small blocks that it has live at once."""

    def enter(function):
        WORKS[function.__name__] = Work(function, kind, blocks)
        return function

    return enter


def stdlib_source(name):
    path = os.path.join(os.path.dirname(os.__file__), name)
    with open(path, encoding="utf-8") as file:
        return file.read()


def at_depth(depth, function, *args):
    """Calls the function below so many frames."""
    if depth:
        return at_depth(depth - 1, function, *args)
    return function(*args)


# Micro loops: little but allocations, the worst that can be asked of a tracer.


def allocate(number):
    kept = [None] * 64
    for i in range(number):
        kept[i & 63] = bytearray(24 + (i & 31))
    return kept


@work(MICRO)
def frames_20():
    """An allocation loop 20 frames deep."""
    at_depth(20, allocate, 400000)


@work(MICRO)
def float_loop():
    x, y = 0.5, 0.25
    for i in range(600000):
        x = x * 0.999 + y * 0.001
        y = (x - y) * 0.5 + i
    return x


@work(MICRO)
def float_generators():
    data = [i * 0.5 for i in range(1000)]
    for _ in range(200):
        sum(x * 1.5 for x in data if x > 2.0)


class Point:
    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x, self.y, self.z = x, y, z

    def plus(self, other):
        return Point(self.x + other.x, self.y + other.y, self.z + other.z)


@work(MICRO)
def slotted_objects():
    total = Point(0, 0, 0)
    step = Point(1, 2, 3)
    for _ in range(150000):
        total = total.plus(step)
    return total


def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@work(MICRO)
def recursive_calls():
    fibonacci(25)


def tree_values(depth):
    if depth:
        yield from tree_values(depth - 1)
        yield depth * 1000
        yield from tree_values(depth - 1)


@work(MICRO)
def generators():
    for _ in range(2):
        sum(tree_values(14))


async def deep_coroutine(depth):
    if depth:
        return [depth, await deep_coroutine(depth - 1)]
    return []


@work(MICRO)
def coroutines():
    for _ in range(1500):
        try:
            deep_coroutine(60).send(None)
        except StopIteration:
            pass


@work(MICRO)
def string_pieces():
    words = "the quick brown fox jumps over the lazy dog".split()
    for i in range(30000):
        text = " ".join(words[i % 5 :]) + str(i)
        text.upper().replace("O", "0").split(" ")


@work(MICRO, blocks=1000000)
def million_live():
    """A million live small objects, then none of them."""
    return [bytes(i % 40) for i in range(1000000)]


# Programs: what people run.

RECORDS = [
    {
        "id": i,
        "name": "name %d" % i,
        "tags": ["a", "b", str(i)],
        "at": {"x": i / 7, "y": -i},
    }
    for i in range(3000)
]


@work(PROGRAM)
def json_both_ways():
    json.loads(json.dumps(RECORDS))
    json.loads(json.dumps(RECORDS[:500], indent=1, sort_keys=True))


@work(PROGRAM)
def pickle_both_ways():
    for _ in range(3):
        pickle.loads(pickle.dumps(RECORDS))


@work(PROGRAM)
def ast_parse_and_walk():
    import ast

    tree = ast.parse(SOURCE)
    names = collections.Counter(type(node).__name__ for node in ast.walk(tree))
    return names.most_common(10)


@work(PROGRAM)
def compile_all():
    """compileall on copies of a few modules of the standard library."""
    import compileall

    folder = SCRATCH.folder()
    if not os.listdir(folder):
        for name in ("argparse", "heapq", "textwrap", "json/decoder", "json/encoder"):
            path = os.path.join(folder, os.path.basename(name) + ".py")
            with open(path, "w", encoding="utf-8") as file:
                file.write(stdlib_source(name + ".py"))
    compileall.compile_dir(folder, force=True, quiet=1)


@work(PROGRAM)
def regular_expressions():
    names = re.compile(r"\b([a-z_]+)\s*=\s*([^\n]+)")
    for match in names.finditer(SOURCE):
        match.group(1), match.groups()
    re.sub(r"self\.(\w+)", r"this.\1", SOURCE)
    re.findall(r"def (\w+)\(([^)]*)\)", SOURCE)
    for line in SOURCE.splitlines():
        re.match(r"\s*(#.*)?$", line)


@work(PROGRAM)
def sqlite_in_memory():
    with sqlite3.connect(":memory:") as base:
        base.execute("create table t (id integer primary key, name text, value real)")
        rows = ((i, "name %d" % (i * 7919 % 10007), i / 3) for i in range(20000))
        base.executemany("insert into t values (?, ?, ?)", rows)
        base.execute("create index by_name on t (name)")
        base.execute(
            "select name, count(*), sum(value) from t group by name"
        ).fetchall()
        for i in range(2000):
            base.execute("select * from t where name = ?", ("name %d" % i,)).fetchall()
    base.close()


@work(PROGRAM)
def native_traffic():
    """zlib and large bytes: blocks that libc and the kernel hand out."""
    data = SOURCE.encode() * 2
    for level in (1, 6):
        packed = zlib.compress(data, level)
        zlib.decompress(packed)
    for i in range(2000):
        bytes(4096 + i * 64)
        bytearray(data[i : i + 65536]).replace(b"self", b"this")
    array.array("d", range(100000)).tobytes()


def thread_job(number, results):
    for i in range(number):
        results.append(json.dumps({"i": i, "s": str(i)}))
        if i % 4 == 0:
            zlib.crc32(results.pop().encode())


@work(PROGRAM)
def threads():
    results = [[] for _ in range(4)]
    jobs = [threading.Thread(target=thread_job, args=(4000, r)) for r in results]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()


async def produce(queue, number):
    for i in range(number):
        await queue.put({"n": i})
    await queue.put(None)


async def consume(queue, out):
    while True:
        item = await queue.get()
        if item is None:
            return
        out.append(sum(item.values()))
        if len(out) % 8 == 0:
            await asyncio.sleep(0)


async def pairs():
    jobs = []
    for _ in range(8):
        queue = asyncio.Queue(maxsize=16)
        jobs += [produce(queue, 600), consume(queue, [])]
    await asyncio.gather(*jobs)


@work(PROGRAM)
def asyncio_queues():
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(pairs())
    finally:
        loop.close()


ROW = string.Template("<tr><td>$id</td><td>$name</td><td>$tags</td></tr>")
PAGE = string.Template("<h1>$title</h1><table>$rows</table>")


@work(PROGRAM)
def template_renderer():
    rows = [
        ROW.substitute(
            id=record["id"],
            name=html.escape(record["name"]),
            tags=", ".join(html.escape(tag) for tag in record["tags"]),
        )
        for record in RECORDS
    ]
    return PAGE.substitute(title="records", rows="\n".join(rows))


@work(PROGRAM)
def xml_tree():
    root = xml.etree.ElementTree.Element("records")
    for record in RECORDS:
        item = xml.etree.ElementTree.SubElement(root, "record", id=str(record["id"]))
        for tag in record["tags"]:
            xml.etree.ElementTree.SubElement(item, "tag").text = tag
    again = xml.etree.ElementTree.fromstring(xml.etree.ElementTree.tostring(root))
    return [item.get("id") for item in again.iter("record")]


@work(PROGRAM)
def csv_report():
    out = io.StringIO()
    writer = csv.DictWriter(out, ["id", "name", "x"])
    for record in RECORDS * 3:
        x = record["at"]["x"]
        writer.writerow({"id": record["id"], "name": record["name"], "x": x})
    totals = collections.defaultdict(float)
    for row in csv.reader(io.StringIO(out.getvalue())):
        totals[row[1][-1]] += float(row[2])
    return totals


@work(PROGRAM)
def text_difference():
    old = SOURCE.splitlines()
    new = [line + " #" if i % 3 == 0 else line for i, line in enumerate(old)]
    return list(difflib.unified_diff(old, new))


@work(PROGRAM)
def log_lines():
    stream = io.StringIO()
    logger = logging.Logger("works")
    handler = logging.StreamHandler(stream)
    layout = "%(asctime)s %(levelname)s %(name)s %(message)s"
    handler.setFormatter(logging.Formatter(layout))
    logger.addHandler(handler)
    for i in range(4000):
        logger.warning("line %d of %s", i, "the log")


@work(PROGRAM)
def eight_queens():
    columns = range(8)
    return sum(
        len({q[i] + i for i in columns}) == len({q[i] - i for i in columns}) == 8
        for q in itertools.islice(itertools.permutations(columns), 15000)
    )


class Scratch:
    """A temporary folder for a work that writes files, removed at the end."""

    def __init__(self):
        self.made = None

    def folder(self):
        if self.made is None:
            self.made = tempfile.TemporaryDirectory(prefix="tracemalloc-bench-")
        return self.made.name


SCRATCH = Scratch()
SOURCE = stdlib_source("argparse.py")


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def peak_bytes():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if "VmHWM" in line)


def measure(function, seconds):
    """Median seconds and CPU time of a repetition, of as many as the time needs."""
    times, cpu_times = [], []
    start, cpu_start = time.perf_counter(), time.process_time()
    while sum(times) < seconds:
        function()
        end, cpu_end = time.perf_counter(), time.process_time()
        times.append(end - start)
        cpu_times.append(cpu_end - cpu_start)
        start, cpu_start = end, cpu_end
    return statistics.median(times), statistics.median(cpu_times)


def start_idle_thread():
    lock = threading.Lock()
    lock.acquire()
    threading.Thread(target=lock.acquire, daemon=True).start()
    time.sleep(0.05)  # until it waits


def main(name, seconds):
    function, _, blocks = WORKS[name]
    result = {}
    if START in os.environ:
        tracemalloc.start(int(os.environ[START]))
    if THREAD in os.environ:
        start_idle_thread()
    if blocks:
        gc.collect()
        before = resident_bytes()
        kept = function()
        result["growth"] = resident_bytes() - before
        del kept
    else:
        function()
    result["seconds"], result["cpu"] = measure(function, float(seconds))
    result["peak"] = peak_bytes()
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:3])
