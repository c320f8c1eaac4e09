# SPDX-License-Identifier: MIT
"""Exports of one dump agree with its snapshot, each read by a reader of others."""

import collections
import csv
import gzip
import json
import os
import shutil
import subprocess
import tracemalloc

import pytest

from conftest import clean_environment, run

FORMATS = ("collapsed", "csv", "json", "otlp", "pprof", "snapshot", "speedscope")

PROGRAM = r"""
import threading

kept = []

def keep(name, size):
    code = "def odd():\n    kept.append(bytearray(%d))\nodd()\n" % size
    exec(compile(code, name, "exec"), {"kept": kept})

def work():
    kept.append(bytearray(333333))

keep('semi;colon, "quotes" 100%.py', 100001)
keep("line\nbreak \xe9.py", 100002)
keep("a\udc80b.py", 100003)
keep("space 42", 100004)
thread = threading.Thread(target=work)
thread.start()
thread.join()
kept.append([bytes(5000 + i) for i in range(100)])
[bytes(1000000) for i in range(20)]
"""

PROCESSES = """
import os
kept = [bytearray(100000 + os.getpid() % 7)]
child = os.fork()
kept.append(bytearray(250001 if child else 250002))
if child:
    os.waitpid(child, 0)
"""


@pytest.fixture
def dump(some_interpreter, trace_code):
    traced = trace_code(some_interpreter, PROGRAM)
    assert traced.result.returncode == 0, traced.result.stderr
    return traced.dump


@pytest.fixture
def export(ours, tmp_path):
    """export(FORMAT, ARGS...): the path of the output."""

    def write(form, *arguments):
        out = tmp_path / ("out." + form)
        result = ours("export", "--format", form, "-o", out, *arguments)
        assert result.returncode == 0, result.stderr
        assert result.stdout == "" and result.stderr == ""
        return str(out)

    return write


def totals(snapshot, dump):
    traces = snapshot(dump).traces._traces
    return {"size": sum(t[1] for t in traces), "count": len(traces)}


def by_leaf(snapshot, dump):
    """(domain, filename, line) -> [bytes, blocks]"""
    leaves = collections.defaultdict(lambda: [0, 0])
    for domain, size, frames, _ in snapshot(dump).traces._traces:
        leaf = leaves[(domain,) + tuple(frames[0])]
        leaf[0] += size
        leaf[1] += 1
    return leaves


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def read_collapsed(path):
    """(stack, bytes) of each line."""
    with open(path, encoding="utf-8", newline="\n") as file:
        lines = file.read().split("\n")
    assert lines.pop() == ""
    return [(s.split(";"), int(n)) for s, _, n in (li.rpartition(" ") for li in lines)]


@pytest.mark.parametrize("form", FORMATS)
def test_twice_gives_the_same_bytes(dump, export, form):
    with open(export(form, dump), "rb") as file:
        first = file.read()
    with open(export(form, dump), "rb") as file:
        assert file.read() == first


def test_json_has_the_blocks_of_the_snapshot(dump, export, snapshot, ours):
    data = read_json(export("json", dump))
    assert data["version"] == 1 and data["complete"] is True
    assert data["pid"] == ours.json("info", dump)["pid"]
    assert data["total"] == totals(snapshot, dump)
    frames = [(f["filename"], f["lineno"]) for f in data["frames"]]
    leaves = collections.defaultdict(lambda: [0, 0])
    for trace in data["traces"]:
        leaf = leaves[(trace["domain"],) + frames[trace["stack"][-1]]]
        leaf[0] += trace["size"]
        leaf[1] += trace["count"]
    assert leaves == by_leaf(snapshot, dump)
    assert "a\udc80b.py" in {filename for filename, _ in frames}


def test_a_snapshot_of_the_peak_has_its_blocks(dump, export, ours):
    """The program drops its largest blocks, so that the peak is over at the end."""
    selection = ("--at", "peak", "--no-native")
    snapshot = tracemalloc.Snapshot.load(export("snapshot", dump, *selection[:2]))
    statistics = ours.json("stats", dump, "-g", "lineno", *selection)
    sizes = [trace[1] for trace in snapshot.traces._traces]
    assert statistics["total"] == {"size": sum(sizes), "count": len(sizes)}
    assert sizes.count(1000033) == 20


def test_csv_has_the_lines_of_the_snapshot(dump, export, snapshot):
    with open(export("csv", dump), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    leaves = collections.defaultdict(lambda: [0, 0])
    for row in rows:
        name = row["filename"].replace("\\udc80", "\udc80")
        leaf = leaves[(int(row["domain"]), name, int(row["lineno"]))]
        leaf[0] += int(row["size"])
        leaf[1] += int(row["count"])
    assert leaves == by_leaf(snapshot, dump)
    odd = {row["filename"] for row in rows if row["function"] == "odd"}
    assert {'semi;colon, "quotes" 100%.py', "line\nbreak \xe9.py", "space 42"} <= odd


def test_collapsed_stacks_sum_to_the_total(dump, export, snapshot):
    lines = read_collapsed(export("collapsed", dump))
    assert sum(size for _, size in lines) == totals(snapshot, dump)["size"]
    assert len({tuple(stack) for stack, _ in lines}) == len(lines)
    leaves = {stack[-1] for stack, _ in lines}
    assert 'odd (semi%3Bcolon, "quotes" 100%25.py:2)' in leaves
    assert "odd (line%0Abreak \xe9.py:2)" in leaves


def test_speedscope_has_bytes_and_blocks(dump, export, snapshot):
    data = read_json(export("speedscope", dump))
    total = totals(snapshot, dump)
    names = [frame["name"] for frame in data["shared"]["frames"]]
    for profile, measure in zip(data["profiles"], ("size", "count")):
        assert sum(profile["weights"]) == profile["endValue"] == total[measure]
        assert len(profile["weights"]) == len(profile["samples"])
    planted = [s for s in data["profiles"][0]["samples"] if names[s[-1]] == "odd"]
    assert planted and all(names[s[0]] == "<module>" for s in planted)


def google_pprof(*arguments):
    """pprof's output; skips the test where there is none."""
    command = ["pprof"] if shutil.which("pprof") else ["go", "tool", "pprof"]
    try:
        probe = run(command + ["-h"])
    except FileNotFoundError:
        pytest.skip("neither pprof nor go is here")
    if "-sample_index" not in probe.stdout + probe.stderr:
        pytest.skip("this go has no pprof")
    result = run(command + list(arguments))
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_pprof_reads_what_is_in_use(dump, export, snapshot):
    path = export("pprof", dump)
    text = google_pprof("-top", "-unit=B", "-nodecount=1", path)
    assert " of %dB total" % totals(snapshot, dump)["size"] in text


def test_pprof_reads_the_peak(dump, export, ours):
    path = export("pprof", dump)
    peak = ours.json("stats", dump, "--at", "peak")["total"]["size"]
    options = ("-top", "-unit=B", "-nodecount=1", "-sample_index=peak_space")
    assert " of %dB total" % peak in google_pprof(*options, path)


def test_pprof_says_how_far_samples_are_apart(some_interpreter, trace_code, ours):
    text = "kept = [bytes(991) for _ in range(8 << 10)]\n"
    for distance, said in ("64K", "PeriodType: space bytes\nPeriod: 65536\n"), (
        "0",
        "Period: 0\n",
    ):
        dump = trace_code(some_interpreter, text, TRACEMALLOC_SAMPLE=distance).dump
        path = str(dump) + ".pb.gz"
        assert ours("export", "--format=pprof", "-o", path, dump).returncode == 0
        assert said in google_pprof("-raw", path)


def test_pprof_labels_threads(dump, export):
    path = export("pprof", dump)
    options = ("-top", "-unit=B", "-lines", "-tagfocus=thread=^work$")
    text = google_pprof(*options, path)
    assert "program.py:11" in text and "<module>" not in text


def test_pprof_has_no_time_of_its_own(dump, export):
    with open(export("pprof", dump), "rb") as file:
        data = file.read()
    assert data[:8] == b"\x1f\x8b\x08\0\0\0\0\0"
    assert gzip.decompress(data)


@pytest.mark.parametrize("form", ["json", "csv"])
def test_the_limit_keeps_the_total(dump, export, snapshot, form):
    path = export(form, dump, "-l", "2", "--domain", "python")
    if form == "json":
        data = read_json(path)
        sizes = [trace["size"] for trace in data["traces"]]
        assert data["frames"][data["traces"][2]["stack"][0]]["filename"] == "<other>"
    else:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        sizes = [int(row["size"]) for row in rows]
        assert rows[2]["filename"] == "<other>"
    assert len(sizes) == 3 and sizes[0] >= sizes[1]
    python = sum(t[1] for t in snapshot(dump).traces._traces if t[0] == 0)
    assert sum(sizes) == python


def test_filters_are_those_of_stats(dump, export, ours):
    selection = ("--at", "peak", "--exclude", "space*", "--domain", "0")
    total = read_json(export("json", dump, *selection))["total"]
    assert total == ours.json("stats", dump, *selection)["total"]
    narrowed = ("--include", "space*")
    total = read_json(export("json", dump, *narrowed))["total"]
    assert total["size"] > 100004 and total["count"] < 10


def test_processes_are_summed_or_told_apart(
    some_interpreter, trace_code, export, snapshot, ours
):
    dumps = trace_code(some_interpreter, PROCESSES).dumps
    assert len(dumps) == 2
    pids = {ours.json("info", dump)["pid"] for dump in dumps}
    size = sum(totals(snapshot, dump)["size"] for dump in dumps)
    together = read_json(export("json", *dumps))
    assert set(together["pids"]) == pids and together["total"]["size"] == size
    apart = read_json(export("json", "--by", "process", *dumps))
    assert {trace["pid"] for trace in apart["traces"]} == pids
    assert sum(trace["size"] for trace in apart["traces"]) == size
    stacks = read_collapsed(export("collapsed", "--by", "process", *dumps))
    assert {stack[0] for stack, _ in stacks} == {"process %d" % pid for pid in pids}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--format", "nonsense"),
        ("--format", "snapshot", "-l", "3"),
        ("--format", "snapshot", "--by", "process"),
        ("--format", "json", "-l", "some"),
        ("--format", "json", "--at", "noon"),
    ],
)
def test_usage_errors_write_nothing(dump, ours, tmp_path, arguments):
    out = tmp_path / "out"
    result = ours("export", *arguments, dump, "-o", out)
    assert result.returncode == 2
    assert result.stdout == "" and result.stderr != ""
    assert not out.exists()


@pytest.mark.parametrize("form", FORMATS)
def test_garbage_writes_nothing(dump, ours, tmp_path, form):
    garbage = tmp_path / "garbage"
    garbage.write_text("not a dump")
    result = ours("export", "--format", form, dump, garbage, "-o", tmp_path / "out")
    assert result.returncode == 1
    assert result.stderr == "tracemalloc: %s: not a dump of libtracemalloc\n" % garbage
    assert not (tmp_path / "out").exists()


def test_the_standard_output_is_a_file_like_others(dump, command, export, tmp_path):
    """Through a pipe, and behind what a file holds already."""
    arguments = [command, "export", "--format", "csv", str(dump), "-o", "/dev/stdout"]
    with open(export("csv", dump), "rb") as file:
        expected = file.read()
    assert subprocess.check_output(arguments) == expected
    with open(str(tmp_path / "log"), "wb") as log:
        log.write(b"before\n")
        log.flush()
        subprocess.run(arguments, stdout=log, check=True)
    assert (tmp_path / "log").read_bytes() == b"before\n" + expected
    assert os.path.islink("/dev/stdout")


LIVE = """
kept = []
print("ready", flush=True)
while True:
    kept.append(bytes(len(kept) % 99))
    kept = kept[-5000:]
"""


def test_a_live_dump_can_be_exported(
    some_interpreter, traced_environment, ours, tmp_path
):
    """While it is written to, its parts still fit together."""
    dump, out = tmp_path / "live.dump", tmp_path / "out"
    environment = dict(clean_environment())
    environment.update(traced_environment(TRACEMALLOC_OUTPUT=str(dump)))
    child = subprocess.Popen(
        [some_interpreter.path, "-c", LIVE], env=environment, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout.readline() == b"ready\n"
        for form in FORMATS * 3:
            result = ours("export", "--format", form, dump, "-o", out)
            assert result.returncode == 0, result.stderr
    finally:
        child.kill()
        child.communicate()
