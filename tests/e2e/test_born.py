# SPDX-License-Identifier: MIT
"""What was allocated in a range of time, from one dump of a killed process."""

import collections
import csv
import json
import os
import re
import signal
import time

import pytest

BLOCKS, SIZE = 50, 40000

PROGRAM = """
import os, signal, time
def work(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        [[i] for i in range(10)]
        time.sleep(0.002)
def early():
    return [bytearray(%(size)d) for _ in range(%(blocks)d)]
def grow():
    return [bytearray(%(size)d) for _ in range(%(blocks)d)]
def late():
    return [bytearray(%(size)d) for _ in range(%(blocks)d)]
work(0.3)
kept = early()
work(0.8)
begin = time.time()
kept += grow()
end = time.time()
work(0.8)
kept += late()
work(0.4)
print(repr((begin, end)), flush=True)
%%s
""" % {"blocks": BLOCKS, "size": SIZE}
KILL = "os.kill(os.getpid(), signal.SIGKILL)"
EARLY, GROW, LATE = (
    PROGRAM.split("\n").index("def %s():" % name) + 2
    for name in ("early", "grow", "late")
)


class Grown:
    """A dump of the program, and when it grew."""

    def __init__(self, traced, ours):
        self.path = traced.dump
        self.begin, self.end = eval(traced.result.stdout)
        start = ours.json("info", traced.dump)["start_time"]
        # The dump's clock began a little after the time that its header says.
        begin, end = self.begin - start - 0.05, self.end - start + 0.05
        self.range = "%.6f..%.6f" % (begin, end)

    def option(self):
        return "--born=" + self.range


@pytest.fixture(params=[None, "4K"], ids=["exact", "sampled"])
def grown(request, trace_code, some_interpreter, ours):
    program, sample = PROGRAM % KILL, request.param
    traced = trace_code(some_interpreter, program, TRACEMALLOC_SAMPLE=sample)
    assert traced.result.returncode == -signal.SIGKILL, traced.result.stderr
    return Grown(traced, ours)


def lines_of(document):
    """The program's own lines, with their bytes and blocks."""
    own = {}
    for entry in document["statistics"]:
        frame = entry["traceback"][-1]
        if frame["filename"].endswith("program.py"):
            own[frame["lineno"]] = (entry["size"], entry["count"])
    return {line: own[line] for line in (EARLY, GROW, LATE) if line in own}


def test_what_grew_between_two_times(grown, ours):
    document = ours.json("stats", "-l", "all", grown.path, grown.option())
    lines = lines_of(document)
    assert list(lines) == [GROW]
    size, count = lines[GROW]
    assert size >= BLOCKS * SIZE and count >= BLOCKS
    born = document["born"]
    assert grown.begin - 0.7 < born["from"] <= grown.begin
    assert grown.end <= born["to"] < grown.end + 0.7
    assert document["total"]["size"] < 1.3 * BLOCKS * SIZE
    everything = ours.json("stats", "-l", "all", grown.path)
    assert "born" not in everything
    assert list(lines_of(everything)) == [EARLY, GROW, LATE]
    open_range = ours.json("stats", "-l", "all", grown.path, "--born=..")
    assert lines_of(open_range) == lines_of(everything)


def test_the_parts_are_the_whole(grown, ours):
    begin, end = grown.range.split("..")
    document = ours.json("stats", grown.path, grown.option())
    bounds = ours.json("info", grown.path)["start_time"]
    first = document["born"]["from"] - bounds
    last = document["born"]["to"] - bounds
    ranges = ["..%.9f" % (first - 1e-3), grown.range, "%.9f.." % (last + 1e-3)]
    documents = [ours.json("stats", grown.path, "--born", text) for text in ranges]
    parts = [part["total"]["count"] for part in documents]
    whole = ours.json("stats", grown.path)
    if whole["sample_distance"] == 0:
        assert sum(parts) == whole["total"]["count"]
    else:
        assert abs(sum(parts) - whole["total"]["count"]) <= len(parts)


def test_by_times_of_day(grown, ours):
    def clock(seconds):
        return time.strftime("%H:%M:%S", time.localtime(seconds))

    text = "%s..%s" % (clock(grown.begin - 60), clock(grown.end + 60))
    document = ours.json("stats", "-l", "all", grown.path, "--born", text)
    assert list(lines_of(document)) == [EARLY, GROW, LATE]
    day = time.strftime("%Y-%m-%dT", time.localtime(grown.begin))
    text = "%s%s..%s%s" % (day, clock(grown.begin), day, clock(grown.begin))
    document = ours.json("stats", "-l", "all", grown.path, "--born", text)
    assert document["born"]["from"] <= int(grown.begin) < document["born"]["to"]


def test_every_report_says_the_bounds(grown, ours):
    commands = ["stats"], ["tree"], ["top", "--once"], ["summary"]
    for command in commands + (["stats", "--by=process"], ["summary", "--by=process"]):
        result = ours(*command, grown.path, grown.option())
        assert result.returncode == 0, result.stderr
        first = result.stdout.split("\n")[0]
        assert "orn between " in first and "(epochs of " in first, first
        assert ":%d" % GROW in result.stdout
    document = ours.json("summary", grown.path, grown.option())
    assert document["born"]["from"] <= grown.begin and document["leak"] is None
    total = ours.json("stats", grown.path, grown.option())["total"]
    assert document["total"]["size"] == total["size"]
    assert document["rss"]["bytes"] is None and document["rss"]["tracer"] == 0
    assert "born" not in ours.json("summary", grown.path)
    bad = ("9..1", "ends before"), ("soon", "not a range"), ("9h..", "outside")
    for text, words in bad:
        result = ours("summary", grown.path, "--born=" + text)
        assert result.returncode != 0 and words in result.stderr, result.stderr
    result = ours("compare", grown.path, grown.path, grown.option())
    assert result.stdout.count("Born between ") == 2
    assert "(+0 B" in result.stdout and ":%d:" % EARLY not in result.stdout


def export(ours, grown, name, out):
    result = ours("export", "--format", name, grown.path, "-o", out, grown.option())
    assert result.returncode == 0, result.stderr
    assert "born between " in result.stderr


def test_every_export(grown, ours, tmp_path):
    out = tmp_path / "out"
    export(ours, grown, "json", out)
    document = json.loads(out.read_text())
    assert document["born"]["from"] <= grown.begin
    whole = document["total"]["size"]
    assert BLOCKS * SIZE <= whole < 1.3 * BLOCKS * SIZE
    export(ours, grown, "csv", out)
    with open(str(out)) as rows:
        sizes = collections.Counter()
        for row in csv.DictReader(rows):
            if row["filename"].endswith("program.py"):
                sizes[int(row["lineno"])] += int(row["size"])
    assert sizes[GROW] >= BLOCKS * SIZE
    assert EARLY not in sizes and LATE not in sizes
    export(ours, grown, "collapsed", out)
    assert sum(int(line.rsplit(" ", 1)[1]) for line in open(str(out))) == whole
    export(ours, grown, "speedscope", out)
    profile = json.loads(out.read_text())["profiles"][0]
    assert profile["endValue"] == whole and "born between" in profile["name"]
    for name in ("pprof", "snapshot"):
        export(ours, grown, name, out)
        assert out.stat().st_size > 0


def test_the_snapshot_has_those_blocks(grown, ours, tmp_path):
    import tracemalloc

    out = tmp_path / "out"
    export(ours, grown, "snapshot", out)
    traces = tracemalloc.Snapshot.load(str(out)).traces
    sizes = [trace.size for trace in traces if trace.size >= SIZE]
    assert len(sizes) == BLOCKS
    assert {trace.traceback[-1].lineno for trace in traces if trace.size >= SIZE} <= {
        GROW
    }


CHILD = """
pid = os.fork()
if pid == 0:
    work(0.3)
    mine = [bytearray(%d) for _ in range(7)]
    work(0.3)
os.kill(os.getpid(), signal.SIGKILL) if pid == 0 else os.waitpid(pid, 0)
""" % SIZE


def test_a_child_has_its_parents_births(trace_code, some_interpreter, ours):
    traced = trace_code(some_interpreter, PROGRAM % CHILD)
    assert traced.result.returncode == 0, traced.result.stderr
    begin, end = eval(traced.result.stdout)
    infos = {dump: ours.json("info", dump) for dump in traced.dumps}
    child = max(infos, key=lambda dump: infos[dump]["start_time"])
    start = infos[child]["start_time"]
    assert begin < start
    before = ours.json("stats", "-l", "all", child, "--born=..0")
    assert list(lines_of(before)) == [EARLY, GROW, LATE]
    after = ours.json("stats", "-l", "all", child, "--born=0.2..")
    assert lines_of(after) == {}
    assert 7 * SIZE <= after["total"]["size"] < 14 * SIZE
    day = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(begin))
    both = ours.json("stats", "-l", "all", *traced.dumps, "--born", day + ".." + day)
    assert both["born"]["from"] <= int(begin)


def test_bad_ranges_are_one_error(trace_code, some_interpreter, ours, tmp_path):
    traced = trace_code(some_interpreter, "kept = [bytearray(1000)]")
    for text, said in (
        ("1", "is not a range"),
        ("9..1", "ends before it begins"),
        ("2d..3d", "is outside the time of the dump"),
        ("2000-01-01T00:00..2000-01-02T00:00", "is outside the time of the dump"),
    ):
        for command in (["stats"], ["tree"], ["top", "--once"]):
            result = ours(*command, traced.dump, "--born", text)
            assert result.returncode != 0 and result.stdout == ""
            assert result.stderr.count(said) == 1, result.stderr


def test_a_process_that_runs(some_interpreter, traced_environment, ours, tmp_path):
    import subprocess

    program = tmp_path / "program.py"
    program.write_text(PROGRAM % "time.sleep(60)")
    process = subprocess.Popen(
        [some_interpreter.path, str(program)],
        env=traced_environment(),
        stdout=subprocess.PIPE,
        universal_newlines=True,
    )
    try:
        begin, end = eval(process.stdout.readline())
        dumps = tmp_path / "dumps"
        dump = dumps / os.listdir(str(dumps))[0]
        start = ours.json("info", dump)["start_time"]
        option = "--born=%f..%f" % (begin - start - 0.05, end - start + 0.05)
        assert list(lines_of(ours.json("stats", "-l", "all", dump, option))) == [GROW]
        shown = ours("top", "--once", str(process.pid), option).stdout
        assert "born between" in shown and ":%d" % GROW in shown
        # It sleeps; nothing was allocated since, which is no error.
        time.sleep(1)
        option = "--born=%f.." % (time.time() - start - 0.5)
        assert ours("stats", dump, option).returncode == 0
    finally:
        process.kill()
        process.wait()


def page_data(ours, dump, out, *options):
    result = ours("flamegraph", dump, "-o", out, *options)
    if "built without Node" in result.stderr:
        pytest.skip("this build has no page")
    assert result.returncode == 0, result.stderr
    return json.loads(
        re.search('id="data">(.*?)</script>', out.read_text("ascii"), re.S).group(1)
    )


def test_the_page_sums_the_births_of_a_range(grown, ours, tmp_path):
    page = page_data(ours, grown.path, tmp_path / "out.html")
    begin, end = (1000 * float(bound) for bound in grown.range.split(".."))
    starts, ends = page["epochs"][::2], page["epochs"][1::2]
    chosen = {i for i in range(len(starts)) if starts[i] < end and ends[i] > begin}
    born = ours.json("stats", grown.path, grown.option())
    for tree in page["trees"].values():
        step = 2 + 2 * len(page["moments"])
        births = [
            tree["births"][at : at + step] for at in range(0, len(tree["births"]), step)
        ]
        size = sum(birth[2] for birth in births if birth[1] in chosen)
        count = sum(birth[3] for birth in births if birth[1] in chosen)
        spare = 0 if born["sample_distance"] == 0 else 100
        assert abs(size - born["total"]["size"]) <= spare
        assert abs(count - born["total"]["count"]) <= spare
    limited = page_data(ours, grown.path, tmp_path / "out.html", grown.option())
    assert "born between" in limited["dump"]["born"] and page["dump"]["born"] is None
    values = limited["trees"]["calls"]["values"]
    columns = 2 * len(limited["moments"]) + 1
    assert sum(values[::columns]) == born["total"]["size"]
    compared = page_data(
        ours, grown.path, tmp_path / "out.html", "--diff", str(grown.path)
    )
    assert compared["epochs"] == [] and "births" not in compared["trees"]["calls"]
