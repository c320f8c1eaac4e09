# SPDX-License-Identifier: MIT
"""The census: how many live objects of each type a program has, and where from."""

import os
import re
import subprocess

import pytest

from conftest import TIMEOUT, clean_environment
from dump_file import DumpFile

ORDERS, SLIMS, POINTS = 3000, 2000, 1000

OBJECTS = """
import collections, sys
class Order:
    def __init__(self, number):
        self.number = number
class Slim:
    __slots__ = ("value",)
Meta = type("Meta", (type,), {})
Made = Meta("Made", (), {"__slots__": ()})
Point = collections.namedtuple("Point", "x y")
orders = [Order(n) for n in range(%d)]  # ORDERS
slims = [Slim() for n in range(%d)]  # SLIMS
points = [Point(n, n) for n in range(%d)]  # POINTS
made = [Made() for n in range(70)]
queues = [collections.deque() for n in range(80)]
errors = [ValueError(n) for n in range(90)]
cells = [(lambda: n) for n in range(110)]
sets = [{n} for n in range(120)]
generators = [(n for n in ()) for n in range(130)]
""" % (ORDERS, SLIMS, POINTS)

WAIT = OBJECTS + """
print("ready", flush=True)
sys.stdin.readline()
"""

GROW = OBJECTS + """
print("ready", flush=True)
sys.stdin.readline()
more = [Slim() for n in range(5000)]
more += [Order(n) for n in range(400)]
print("grown", flush=True)
sys.stdin.readline()
"""

EXPECTED = {
    "__main__.Order": ORDERS,
    "__main__.Slim": SLIMS,
    "__main__.Point": POINTS,
    "__main__.Made": 70,
    "ValueError": 90,
}
# What an interpreter's site-packages import may keep some of.
NEARLY = {"collections.deque": 80, "generator": 130}
AT_LEAST = {"function": 110, "set": 120, "list": 9, "tuple": 0, "dict": 1, "str": 1000}


def line_of(mark):
    lines = OBJECTS.split("\n")
    return next(n for n, line in enumerate(lines, 1) if line.endswith("# " + mark))


def counts_of(document):
    return {entry["type"]: entry["count"] for entry in document["statistics"]}


def expect_counts(counts):
    assert {name: counts.get(name) for name in EXPECTED} == EXPECTED
    for name, count in NEARLY.items():
        assert count <= counts.get(name, 0) <= count + 5, name
    for name, least in AT_LEAST.items():
        assert counts.get(name, 0) >= least, name


@pytest.fixture
def live(interpreter, traced_environment, tmp_path):
    """live(VARIABLE=VALUE...): a traced program that waits with its objects."""
    started = []

    def start(text=WAIT, **changes):
        program = tmp_path / "program.py"
        program.write_text(text)
        variables = clean_environment()
        variables.update(traced_environment(**changes))
        process = subprocess.Popen(
            [interpreter.path, str(program)],
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        started.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    try:
        yield start
        for process in started:
            out, errors = process.communicate("\n", timeout=TIMEOUT)
            assert (process.returncode, out) == (0, "")
    finally:
        for process in started:
            process.kill()


def take(ours, process, tmp_path, name="copy.dump"):
    done = ours("snapshot", "--types", process.pid, "-o", tmp_path / name)
    assert (done.returncode, done.stderr) == (0, "")
    return tmp_path / name


def test_of_a_process_that_waits(live, ours, tmp_path):
    process = live()
    dump = take(ours, process, tmp_path)
    document = ours.json("stats", "-g", "type", "-l", "all", dump)
    expect_counts(counts_of(document))
    assert document["at"] == "census" and document["group_by"] == "type"
    assert document["census"]["uncounted_blocks"] == 0
    assert 0 < document["census"]["duration"] < 5
    assert ours.json("info", dump)["census_time"] == document["census"]["time"]
    text = ours("info", dump).stdout
    assert re.search(r"(?m)^types +counted at 20.*; the program stood still for", text)
    # All of Python's blocks are in it, by an independent reader too; the program may
    # have gone on for a moment before the copy.
    whole = ours.json("stats", "--domain", "python", "-l", "all", dump)
    assert abs(document["total"]["count"] - whole["total"]["count"]) < 20
    types = DumpFile(dump).types()
    assert types["__main__.Slim"][0] == SLIMS
    assert sum(blocks for blocks, _ in types.values()) == document["total"]["count"]
    assert "" in types


def test_by_type_and_line(live, ours, tmp_path):
    dump = take(ours, live(), tmp_path)
    document = ours.json("stats", "-g", "type,lineno", "-l", "all", dump)
    found = {}
    for entry in document["statistics"]:
        (frame,) = entry["traceback"]
        if frame["filename"].endswith("program.py"):
            found[entry["type"], frame["lineno"]] = entry["count"]
    assert found["__main__.Order", line_of("ORDERS")] == ORDERS
    assert found["__main__.Slim", line_of("SLIMS")] == SLIMS
    assert found["list", line_of("SLIMS")] == 1
    text = ours("stats", "-g", "type,lineno", "-l", "all", dump).stdout
    place = "%s:%d: size=" % (tmp_path / "program.py", line_of("SLIMS"))
    assert "__main__.Slim at " + place in text
    assert "    slims = [Slim()" in text
    own = ["--include", "*program.py", "-l", "all"]
    only = ours.json("stats", "-g", "type", dump, *own)
    assert counts_of(only)["__main__.Order"] == ORDERS
    assert only["total"]["count"] < document["total"]["count"]
    none = ours.json("stats", "-g", "type", "--include", "nothing.py", dump)
    assert none["statistics"] == [] and none["total"]["count"] == 0


def test_at_exit(interpreter, trace_code, ours):
    done = trace_code(interpreter, OBJECTS, TRACEMALLOC_TYPES="1")
    assert (done.result.returncode, done.result.stdout) == (0, "")
    document = ours.json("stats", "-g", "type", "-l", "all", done.dump)
    expect_counts(counts_of(document))
    # What was counted is what was live then.
    whole = ours.json("stats", "--domain", "python", "-l", "all", done.dump)
    assert document["total"]["count"] == whole["total"]["count"]
    assert document["total"]["size"] == whole["total"]["size"]


def test_tables_are_of_their_owners(interpreter, trace_code, ours):
    text = """
lists = [[n, n] for n in range(3000)]  # LISTS
dicts = [{n: n, "a": 1} for n in range(2000)]
sets = [set(range(n, n + 20)) for n in range(1000)]
arrays = [bytearray(600) for n in range(500)]
"""
    done = trace_code(interpreter, text, TRACEMALLOC_TYPES="1")
    document = ours.json("stats", "-g", "type", "-l", "all", done.dump)
    counts = counts_of(document)
    for name, owner, least in (
        ("<table of list>", "list", 3000),
        ("<table of dict>", "dict", 2000),
        ("<table of set>", "set", 1000),
    ):
        assert counts[owner] >= counts[name] - 600 and counts[name] >= least, name
    if interpreter.version < (3, 15):
        assert 500 <= counts["<buffer of bytearray>"] <= counts["bytearray"]
    whole = ours.json("stats", "--domain", "python", "-l", "all", done.dump)
    assert document["total"]["size"] == whole["total"]["size"]
    lines = ours.json("stats", "-g", "type,lineno", "-l", "all", done.dump)
    on_line = {
        entry["type"]: entry["count"]
        for entry in lines["statistics"]
        if entry["traceback"][0]["filename"].endswith("program.py")
        and entry["traceback"][0]["lineno"] == 2
    }
    assert on_line["list"] == 3001 and on_line["<table of list>"] == 3001


def test_sampled(interpreter, trace_code, ours):
    text = OBJECTS + "\nmany = [Slim() for n in range(200000)]\n"
    done = trace_code(interpreter, text, TRACEMALLOC_TYPES="1", TRACEMALLOC_SAMPLE="1K")
    document = ours.json("stats", "-g", "type", "-l", "all", done.dump)
    entries = {entry["type"]: entry for entry in document["statistics"]}
    slim = entries["__main__.Slim"]
    wanted = 200000 + SLIMS
    assert abs(slim["count"] - wanted) < 5 * slim["size_error"] / slim["size"] * wanted
    assert slim["sampled_blocks"] < wanted / 5


def test_without_a_census(some_interpreter, trace_code, ours):
    done = trace_code(some_interpreter, OBJECTS)
    for key in ("type", "type,lineno"):
        result = ours("stats", "-g", key, done.dump)
        assert (result.returncode, result.stdout) == (1, "")
        assert "snapshot --types PID" in result.stderr
        assert "TRACEMALLOC_TYPES=1" in result.stderr
    assert "types" not in ours("stats", done.dump).stdout


def test_of_several_processes(some_interpreter, trace_code, ours, tmp_path):
    parts = []
    for number in range(2):
        done = trace_code(some_interpreter, OBJECTS, TRACEMALLOC_TYPES=str(1 - number))
        parts.append(done.dump)
    one = ours.json("stats", "-g", "type", "-l", "all", parts[0])
    both = ours.json("stats", "-g", "type", "-l", "all", parts[0], parts[0])
    assert counts_of(both)["__main__.Slim"] == 2 * SLIMS
    assert both["total"]["count"] == 2 * one["total"]["count"]
    merged = tmp_path / "merged.dump"
    assert ours("merge", "-o", merged, *parts).returncode == 0
    mixed = ours.json("stats", "-g", "type", "-l", "all", merged)
    assert counts_of(mixed) == counts_of(one)
    assert mixed["census"]["uncounted_blocks"] > 0
    assert "were not counted" in ours("stats", "-g", "type", merged).stdout
    split = ours.json("stats", "-g", "type", "-l", "all", "--by", "process", merged)
    assert split["processes"][0]["total"]["count"] == one["total"]["count"]


def test_two_points_in_time(live, ours, tmp_path):
    process = live(GROW)
    old = take(ours, process, tmp_path, "old.dump")
    process.stdin.write("\n")
    process.stdin.flush()
    assert process.stdout.readline() == "grown\n"
    new = take(ours, process, tmp_path, "new.dump")
    document = ours.json("compare", "-g", "type", "-l", "all", old, new)
    entries = {entry["type"]: entry for entry in document["statistics"]}
    assert entries["__main__.Slim"]["count_diff"] == 5000
    assert entries["__main__.Order"]["count_diff"] == 400
    assert document["old_census"]["time"] < document["census"]["time"]


def test_options_that_do_not_go_together(some_interpreter, trace_code, ours):
    dump = trace_code(some_interpreter, OBJECTS).dump
    for option in (["--cumulative"], ["--at", "peak"], ["--temporary"]):
        result = ours("stats", "-g", "type", dump, *option)
        assert (result.returncode, result.stdout) == (2, ""), option


def test_threads_that_allocate(live, ours, tmp_path):
    """The program goes on as before, and each census is whole."""
    process = live(OBJECTS + """
import threading
go = True
def work():
    while go:
        kept = [Order(n) for n in range(100)]
        raw = bytearray(100000)
threads = [threading.Thread(target=work) for n in range(3)]
for thread in threads: thread.start()
print("ready", flush=True)
sys.stdin.readline()
go = False
for thread in threads: thread.join()
""")
    for number in range(10):
        dump = take(ours, process, tmp_path, "%d.dump" % number)
        counts = counts_of(ours.json("stats", "-g", "type", "-l", "all", dump))
        assert ORDERS <= counts["__main__.Order"] <= ORDERS + 3 * 200 + 3
        assert counts["__main__.Slim"] == SLIMS


def test_of_a_process_that_was_attached_to(interpreter, attach, ours, tmp_path):
    """Its classes are older than the tracing."""
    program = tmp_path / "program.py"
    program.write_text(GROW)
    process = subprocess.Popen(
        [interpreter.path, str(program)],
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        universal_newlines=True,
    )
    try:
        assert process.stdout.readline() == "ready\n"
        attach(process.pid)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "grown\n"
        dump = take(ours, process, tmp_path)
        counts = counts_of(ours.json("stats", "-g", "type", "-l", "all", dump))
        assert counts["__main__.Slim"] == 5000
        assert counts["__main__.Order"] == 400
        process.communicate("\n", timeout=TIMEOUT)
        assert process.returncode == 0
    finally:
        process.kill()


@pytest.mark.skipif(os.geteuid() != 0, reason="changes its user")
def test_of_a_process_that_changed_its_user(live, ours, tmp_path):
    """The kernel does not let it open its own memory."""
    drop = "import os; os.setgid(65534); os.setuid(65534)\n"
    process = live(WAIT.replace("print(", drop + "print("))
    dump = take(ours, process, tmp_path)
    counts = counts_of(ours.json("stats", "-g", "type", "-l", "all", dump))
    expect_counts(counts)


def test_a_program_without_python(command, ours, tmp_path):
    process = subprocess.Popen(
        [command, "run", "--any-program", "-o", tmp_path / "cat.dump", "cat"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        process.stdin.write(b"ready\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"ready\n"
        result = ours("snapshot", "--types", process.pid, "-o", tmp_path / "copy.dump")
        assert (result.returncode, result.stdout) == (1, "")
        assert "its interpreter cannot be counted by type" in result.stderr
        assert not (tmp_path / "copy.dump").exists()
        process.communicate(timeout=TIMEOUT)
        assert process.returncode == 0
    finally:
        process.kill()
