# SPDX-License-Identifier: MIT
"""TRACEMALLOC_SAMPLE: estimates that are right, from a sample that costs little."""

import json
import os
import subprocess
import sys

import pytest

import dump_file
from conftest import TIMEOUT, run

KIB = 1 << 10
MIB = 1 << 20

# 24 MiB in blocks of 1 KiB, 8 MiB in one, and what comes and goes meanwhile.
PROGRAM = """
import sys
def small():
    return [bytes(991) for _ in range(24 << 10)]
def giant():
    return bytearray(8 << 20)
def churn():
    for number in range(300000):
        bytes(number % 600)
kept = [small(), giant()]
churn()
print("ready", flush=True)
sys.stdin.read()
"""

THREADS = """
import threading
kept = []
def work():
    mine = []
    for number in range(40000):
        mine.append(bytearray(number % 700))
        if len(mine) > 200:
            del mine[:150]
    for number in range(3000):
        mine.append([number] * 50)
    kept.append([bytes(991) for _ in range(4 << 10)])
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""

FORK = """
import os
kept = [bytes(991) for _ in range(8 << 10)]
if os.fork() == 0:
    more = [bytes(3991) for _ in range(4 << 10)]
    kept = None
    dropped = [[] for _ in range(1000)]
    os._exit(0)
os.wait()
"""

IN_PROCESS = """
import tracemalloc
def keep():
    return [bytes(991) for _ in range(24 << 10)]
kept = keep()
current, peak = tracemalloc.get_traced_memory()
snapshot = tracemalloc.take_snapshot()
largest = snapshot.statistics("lineno")[0]
print(current, peak, sum(trace.size for trace in snapshot.traces))
print(largest.traceback[0].lineno, largest.size, largest.count)
"""


def line_of(report, name):
    """The statistics of the line in which a function allocates the most."""
    for entry in report["statistics"]:
        function = entry["traceback"][-1]["function"] or ""
        # Python 3.6 has no qualified names.
        names = function.split(".")[0], "small" if function == "<listcomp>" else ""
        if name in names:
            return entry
    raise AssertionError("no %s in %s" % (name, report["statistics"][:5]))


def is_near(entry, truth, errors=5):
    """Within five standard errors: in one of two million runs it is not."""
    return abs(entry["size"] - truth) <= errors * entry["size_error"] + truth / 50


def test_estimates_of_stats(interpreter, trace_code, ours):
    traced = trace_code(interpreter, PROGRAM, TRACEMALLOC_SAMPLE="64K")
    assert traced.result.returncode == 0, traced.result.stderr
    report = ours.json("stats", "--limit", "20", traced.dump)
    assert report["sample_distance"] == 64 * KIB
    small, giant = line_of(report, "small"), line_of(report, "giant")
    assert is_near(small, 24 * MIB) and small["sampled_blocks"] < 1000
    assert 0 < small["size_error"] < small["size"] / 10
    assert abs(small["count"] / (small["size"] / 1024) - 1) < 0.1
    assert abs(giant["size"] - 8 * MIB) < KIB and giant["sampled_blocks"] == 1
    total = report["total"]
    assert is_near(total, 33 * MIB) and total["size_error"] < total["size"] / 10
    text = ours("stats", traced.dump).stdout
    assert "sampled, one in 64 KiB" in text and " \N{PLUS-MINUS SIGN}" in text


def test_every_report_says_that_it_is_an_estimate(
    some_interpreter, trace_code, ours, tmp_path
):
    traced = trace_code(some_interpreter, PROGRAM, TRACEMALLOC_SAMPLE="64K")
    dump = traced.dump
    said = "sampled, one in 64 KiB"
    for report in ("stats", "tree", "summary", "info"):
        assert said in ours(report, dump).stdout, report
    assert said in ours("compare", dump, dump).stdout
    assert said in ours("top", "--once", dump).stdout
    for report in ("stats", "summary", "info"):
        assert ours.json(report, dump)["sample_distance"] == 64 * KIB, report
    for name in ("json", "csv", "otlp", "pprof", "speedscope", "collapsed", "snapshot"):
        result = ours("export", "--format", name, "-o", tmp_path / name, dump)
        assert result.returncode == 0 and said in result.stderr, name
    assert said in (tmp_path / "speedscope").read_text()
    assert (tmp_path / "csv").read_text().startswith(
        "domain,size,count,filename,lineno,function,size_error,sampled_blocks\n"
    )
    exported = json.loads((tmp_path / "json").read_text())
    assert exported["sample_distance"] == 64 * KIB
    assert is_near(exported["total"], 33 * MIB)


def test_the_snapshot_has_as_many_traces(some_interpreter, trace_code, snapshot):
    traced = trace_code(some_interpreter, PROGRAM, TRACEMALLOC_SAMPLE="64K")
    lines = snapshot(traced.dump).statistics("lineno")
    small = next(line for line in lines if line.traceback[0].lineno == 4)
    assert abs(small.size / (24 * MIB) - 1) < 0.25
    assert abs(small.count / (24 * KIB) - 1) < 0.25


def test_the_modules_own_answers(some_interpreter, trace_code):
    traced = trace_code(some_interpreter, IN_PROCESS, TRACEMALLOC_SAMPLE="64K")
    assert traced.result.returncode == 0, traced.result.stderr
    totals, line = traced.result.stdout.splitlines()
    current, peak, shown = map(int, totals.split())
    number, size, count = map(int, line.split())
    assert number == 4 and abs(size / (24 * MIB) - 1) < 0.25
    assert abs(count / (24 * KIB) - 1) < 0.25
    assert current <= peak and abs(current / shown - 1) < 0.05


def test_threads_lose_nothing(interpreter, trace_code, ours):
    traced = trace_code(interpreter, THREADS, TRACEMALLOC_SAMPLE="32K")
    assert traced.result.returncode == 0, traced.result.stderr
    report = ours.json("stats", "--limit", "5", traced.dump)
    assert report["complete"], report["incomplete_reasons"]
    assert is_near(report["statistics"][0], 32 * MIB)
    # What came and went is gone: all but what is kept, and a little of the interpreter.
    assert report["total"]["size"] < 45 * MIB


def test_forked_children_sample_for_themselves(some_interpreter, trace_code, ours):
    traced = trace_code(some_interpreter, FORK, TRACEMALLOC_SAMPLE="32K")
    assert traced.result.returncode == 0, traced.result.stderr
    assert len(traced.dumps) == 2
    by_line = []
    for dump in traced.dumps:
        report = ours.json("stats", "--limit", "50", dump)
        assert report["sample_distance"] == 32 * KIB
        by_line.append(
            {entry["traceback"][-1]["lineno"]: entry for entry in report["statistics"]}
        )
    parent = next(lines for lines in by_line if 5 not in lines)
    child = next(lines for lines in by_line if 5 in lines)
    assert is_near(parent[3], 8 * MIB) and is_near(child[5], 16 * MIB)
    assert child.get(3, {"size": 0})["size"] < MIB


# The size of a block says which one it is.
SAME_CHILDREN = """
import os
for _ in range(2):
    if os.fork() == 0:
        kept = [bytes(700 + number) for number in range(4000)]
        os._exit(0)
    os.wait()
"""


def test_forked_children_draw_samples_of_their_own(
    some_interpreter, trace_code, snapshot
):
    traced = trace_code(some_interpreter, SAME_CHILDREN, TRACEMALLOC_SAMPLE="64K")
    assert traced.result.returncode == 0, traced.result.stderr
    sampled = []
    for dump in traced.dumps:
        traces = snapshot(dump).traces
        sizes = {t.size for t in traces if t.traceback[-1].lineno == 5}
        if len(sizes) > 50:
            sampled.append(sizes)
    one, other = sampled
    near = {size for size in one if other & {size - 1, size, size + 1}}
    assert len(near) < len(one) / 2


def test_two_sampled_dumps_compare(some_interpreter, trace_code, ours):
    text = "kept = [bytes(991) for _ in range(%d << 10)]\n"
    old, new = (
        trace_code(some_interpreter, text % count, TRACEMALLOC_SAMPLE=distance).dump
        for count, distance in ((8, "64K"), (24, "32K"))
    )
    report = ours.json("compare", old, new)
    assert (report["old_sample_distance"], report["sample_distance"]) == (
        64 * KIB,
        32 * KIB,
    )
    errors = [ours.json("stats", dump)["total"]["size_error"] for dump in (old, new)]
    total = report["total"]
    expected = (errors[0] ** 2 + errors[1] ** 2) ** 0.5
    assert abs(total["size_diff_error"] - expected) <= 2
    assert abs(total["size_diff"] - 16 * MIB) < 5 * expected + MIB
    output = ours("compare", old, new).stdout
    assert "sampled, one in 64 KiB" in output and "sampled, one in 32 KiB" in output


def test_sampled_and_exact_dumps_merge(some_interpreter, trace_code, ours, tmp_path):
    sampled = trace_code(some_interpreter, PROGRAM, TRACEMALLOC_SAMPLE="64K").dump
    exact = trace_code(some_interpreter, PROGRAM).dump
    merged = tmp_path / "merged.dump"
    assert ours("merge", "-o", merged, sampled, exact).returncode == 0
    parts = [ours.json("stats", dump)["total"] for dump in (sampled, exact)]
    report = ours.json("stats", merged)
    total = report["total"]
    assert report["sample_distance"] is None
    assert abs(total["size"] - parts[0]["size"] - parts[1]["size"]) < 100
    assert abs(total["size_error"] - parts[0]["size_error"]) <= 1
    assert "1 of 2 processes sampled, one in 64 KiB" in ours("stats", merged).stdout
    both = ours.json("compare", exact, sampled)
    assert (both["old_sample_distance"], both["sample_distance"]) == (0, 64 * KIB)
    assert both["total"]["size_diff_error"] == parts[0]["size_error"]


def test_timeline_and_peak_are_estimates(some_interpreter, trace_code):
    text = "big = [bytes(991) for _ in range(24 << 10)]\ndel big\nkept = [bytes(999)]\n"
    traced = trace_code(some_interpreter, text, TRACEMALLOC_SAMPLE="64K")
    dump = dump_file.DumpFile(traced.dump)
    assert dump.sample_distance == 64 * KIB
    assert 19 * MIB < dump.peak_bytes < 30 * MIB
    assert dump.python_bytes < 8 * MIB


PEAK = """
def passing():
    return [bytes(991) for _ in range(24 << 10)]
def lasting():
    return [bytes(991) for _ in range(12 << 10)]
gone = passing()
del gone
kept = lasting()
"""


def test_what_the_peak_consisted_of(some_interpreter, trace_code, ours):
    dump = trace_code(some_interpreter, PEAK, TRACEMALLOC_SAMPLE="64K").dump
    sizes = {}
    for when in "peak", "now":
        for line in 3, 5:
            report = ours.json("stats", "--at", when, "--include", "*:%d" % line, dump)
            sizes[when, line] = report["total"]
    assert is_near(sizes["peak", 3], 24 * MIB) and is_near(sizes["now", 5], 12 * MIB)
    assert sizes["peak", 5]["size"] < MIB and sizes["now", 3]["size"] < MIB


HUGE = """
import sys
kept = [bytearray(4000) for _ in range(512 << 10)]
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(int(status["VmRSS"].split()[0]))
"""


def test_the_tracer_stays_small_with_2_gib_live(some_interpreter, trace_code, ours):
    available = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if available < 5 << 30:
        pytest.skip("less than 5 GiB of memory is free")
    plain = run([some_interpreter.path, "-c", HUGE])
    traced = trace_code(some_interpreter, HUGE, TRACEMALLOC_SAMPLE="512K")
    assert traced.result.returncode == 0, traced.result.stderr
    grown = int(traced.result.stdout) - int(plain.stdout)
    # With the library's code and the dump's pages.
    assert grown < 5 * KIB, "%d KiB" % grown
    assert os.path.getsize(str(traced.dump)) < 4 * MIB
    assert dump_file.DumpFile(traced.dump).tracer_bytes < 3 * MIB
    total = ours.json("stats", traced.dump)["total"]
    assert is_near(total, 2050 * MIB) and total["size_error"] < 100 * MIB


def test_start_says_the_distance(some_interpreter, traced_environment, ours):
    variables = dict(os.environ, **traced_environment(TRACEMALLOC_SAMPLE="16K"))
    process = subprocess.Popen(
        [some_interpreter.path, "-u", "-c", PROGRAM],
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        universal_newlines=True,
    )
    try:
        assert process.stdout.readline() == "ready\n"
        for given, distance in (
            (["--sample=123457"], 123457),
            (["--sample"], 512 * KIB),
            (["--sample=0"], 0),
            ([], 16 * KIB),
        ):
            assert ours("stop", process.pid).returncode == 0
            result = ours("start", *given, process.pid)
            assert result.returncode == 0, result.stderr
            dump = dump_file.DumpFile(result.stdout.rstrip("\n"))
            assert dump.sample_distance == distance
    finally:
        process.stdin.close()
        assert process.wait(TIMEOUT) == 0
        process.stdout.close()


@pytest.mark.parametrize("value", ["x", "-1", "512KB", "2G", "1.5M"])
def test_wrong_distances(ours, trace, value):
    result = ours("run", "--sample=" + value, "true")
    assert result.returncode == 2 and "is not 0 or a size from 1 to 1G" in result.stderr
    result = ours("start", "--sample=" + value, "1")
    assert result.returncode == 2 and "is not 0 or a size from 1 to 1G" in result.stderr
    traced = trace(
        [sys.executable, "-c", "print(1)"],
        TRACEMALLOC_SAMPLE=value,
        TRACEMALLOC_QUIET="0",
    )
    assert traced.result.stdout == "1\n" and traced.dumps == []
    assert "TRACEMALLOC_SAMPLE must be 0 or a size from 1 to 1G" in traced.result.stderr


def test_run_takes_a_distance(some_interpreter, ours, dumps_folder):
    for given, distance in ((["--sample"], 512 * KIB), (["--sample=2M"], 2 * MIB)):
        out = dumps_folder / str(distance)
        program = [some_interpreter.path, "-c", "pass"]
        assert ours("run", "-q", "-o", out, *(given + program)).returncode == 0
        assert dump_file.DumpFile(out).sample_distance == distance


TRACK = """
import ctypes
track = ctypes.pythonapi.PyTraceMalloc_Track
untrack = ctypes.pythonapi.PyTraceMalloc_Untrack
track.argtypes = [ctypes.c_uint, ctypes.c_size_t, ctypes.c_size_t]
untrack.argtypes = [ctypes.c_uint, ctypes.c_size_t]
for number in range(40000):
    track(77, 0x10000000 + number * 64, 1000)
for number in range(20000):
    untrack(77, 0x10000000 + number * 64)
"""


TRACK_UNSAMPLED = """
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
track = ctypes.pythonapi.PyTraceMalloc_Track
track.argtypes = [ctypes.c_uint, ctypes.c_size_t, ctypes.c_size_t]
track(77, libc.malloc(ctypes.c_size_t(64 << 20)), 1)
"""


def test_a_tracked_block_is_not_of_libc_too(some_interpreter, trace_code, ours):
    if some_interpreter.version < (3, 7):
        pytest.skip("3.6 has these functions under names of its own")
    traced = trace_code(some_interpreter, TRACK_UNSAMPLED, TRACEMALLOC_SAMPLE="1M")
    assert traced.result.returncode == 0, traced.result.stderr
    assert ours.json("stats", traced.dump)["total"]["size"] < 64 * MIB


def test_what_modules_report_is_sampled_too(some_interpreter, trace_code, ours):
    if some_interpreter.version < (3, 7):
        pytest.skip("3.6 has these functions under names of its own")
    traced = trace_code(some_interpreter, TRACK, TRACEMALLOC_SAMPLE="64K")
    assert traced.result.returncode == 0, traced.result.stderr
    total = ours.json("stats", "--domain", "77", traced.dump)["total"]
    assert is_near(total, 20000 * 1000) and total["sampled_blocks"] < 1000


# Three threads allocate while the main thread switches between both kinds of tracing.
SWITCHES = """
import ctypes, os, threading, time
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.realloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.sigqueue.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
end = time.time() + 2
def work():
    while time.time() < end:
        kept = []
        for _ in range(300):
            block = libc.realloc(libc.malloc(1 << 20), 2 << 20)
            kept.append(bytearray(5000))
            libc.free(block)
def request(kind, nframe=0, sample=0):
    value = sample << 32 | 0xa7 << 24 | kind << 16 | nframe
    libc.sigqueue(os.getpid(), 53, value)
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
while time.time() < end:
    for sample in (0xffffffff, 1 << 20):
        request(1)
        request(2, 3, sample)
    time.sleep(0.001)
for thread in threads:
    thread.join()
"""


def test_switching_between_exact_and_sampled(some_interpreter, trace_code):
    traced = trace_code(some_interpreter, SWITCHES, TRACEMALLOC_SAMPLE="1M")
    assert traced.result.returncode == 0, traced.result.stderr
    dumps = [dump_file.DumpFile(dump) for dump in traced.dumps]
    assert {dump.sample_distance for dump in dumps} == {0, MIB}
    # What was counted once and taken away with its weight leaves less than nothing.
    for dump in dumps:
        assert dump.python_bytes < 1 << 40 and dump.native_bytes < 1 << 40
