# SPDX-License-Identifier: MIT
"""Blocks that were freed before their thread allocated another one, by line."""

import json
import re
import signal

import pytest

ROUNDS = 20000

PROGRAM = """
import os, signal, sys, threading
def churn(rounds):
    for _ in range(rounds):
        object()  # CHURN
def keep(rounds):
    return [object() for _ in range(rounds)]  # KEEP
def outlive(rounds):
    for _ in range(rounds):
        first = object(); second = object(); del first, second  # HALF
rounds = int(sys.argv[1])
churn(rounds)
kept = keep(rounds)
outlive(rounds)
if len(sys.argv) > 2:
    threads = [threading.Thread(target=churn, args=(rounds,)) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
os.kill(os.getpid(), signal.SIGKILL)
"""


def line_of(mark):
    lines = PROGRAM.split("\n")
    return next(n for n, line in enumerate(lines, 1) if line.endswith("# " + mark))


@pytest.fixture
def traced(trace_code, some_interpreter):
    def run(*args, **changes):
        done = trace_code(some_interpreter, PROGRAM, str(ROUNDS), *args, **changes)
        assert done.result.returncode == -signal.SIGKILL, done.result.stderr
        return done.dump

    return run


def blocks_of(document):
    own = {}
    for entry in document["statistics"]:
        frame = entry["traceback"][-1]
        if frame["filename"].endswith("program.py"):
            own[frame["lineno"]] = (entry["count"], entry["size"])
    return own


def test_the_line_that_churns(traced, ours):
    dump = traced()
    document = ours.json("stats", "-l", "all", "--temporary", dump)
    assert document["at"] == "temporary"
    blocks = blocks_of(document)
    # The first round may find an object in a free list, or meet a new epoch.
    for mark in ("CHURN", "HALF"):
        count, size = blocks[line_of(mark)]
        assert ROUNDS <= count < 1.05 * ROUNDS and size >= 16 * count
    assert blocks.get(line_of("KEEP"), (0, 0))[0] < 0.01 * ROUNDS
    result = ours("stats", "--temporary", dump)
    assert result.stdout.startswith("Temporary blocks: freed before ")


def test_each_thread_by_itself(traced, ours):
    document = ours.json("stats", "-l", "all", "--temporary", traced("threads"))
    count = blocks_of(document)[line_of("CHURN")][0]
    assert 0.95 * 5 * ROUNDS < count < 1.05 * 5 * ROUNDS


def test_in_the_other_reports(traced, ours, tmp_path):
    dump = traced()
    whole = ours.json("stats", "--temporary", dump)["total"]["size"]
    tree = ours("tree", "--temporary", dump)
    assert "freed before their thread allocated another" in tree.stdout
    assert ":%d" % line_of("CHURN") in tree.stdout
    top = ours("top", "--once", "--temporary", dump).stdout
    assert "in temporary blocks, freed before their thread" in top
    rows = [line.split() for line in top.split("\n") if line.rstrip().find("churn") > 0]
    assert len(rows) == 1 and int(rows[0][2]) >= ROUNDS, top
    compared = ours("compare", "--temporary", dump, dump)
    assert ":%d: " % line_of("CHURN") in compared.stdout and "(+0)" in compared.stdout
    assert ours("stats", "--by=process", "--temporary", dump).returncode == 0
    merged = tmp_path / "merged.dump"
    assert ours("merge", dump, dump, "-o", merged).returncode == 0
    assert ours.json("stats", "--temporary", merged)["total"]["size"] == 2 * whole
    out = tmp_path / "out"
    for name in ("json", "csv", "collapsed", "speedscope", "pprof"):
        result = ours("export", "--format", name, "--temporary", dump, "-o", out)
        assert result.returncode == 0, result.stderr
        if name == "json":
            assert json.loads(out.read_text())["total"]["size"] == whole
        if name == "collapsed":
            assert sum(int(line.rsplit(" ", 1)[1]) for line in open(str(out))) == whole
    result = ours("flamegraph", "--temporary", dump, "-o", out)
    if "built without Node" not in result.stderr:
        assert result.returncode == 0, result.stderr
        text = out.read_text("ascii")
        page = json.loads(re.search('id="data">(.*?)</script>', text, re.S).group(1))
        assert page["moment"] == "temporary" and "temporary" in page["moments"]
        column = 2 * page["moments"].index("temporary")
        columns = 2 * len(page["moments"]) + 1
        assert sum(page["trees"]["calls"]["values"][column::columns]) == whole


def test_what_has_no_answer(traced, ours, tmp_path):
    dump = traced(TRACEMALLOC_SAMPLE="4K")
    result = ours("stats", "--temporary", dump)
    assert result.returncode == 1 and "where blocks are sampled" in result.stderr
    result = ours("top", "--once", "--temporary", dump)
    assert result.returncode == 1 and "where blocks are sampled" in result.stderr
    for command in (["stats"], ["top", "--once"]):
        result = ours(*(command + ["--temporary", "--born=..", dump]))
        assert result.returncode != 0 and "cannot be used together" in result.stderr
    out = tmp_path / "out"
    result = ours("export", "--format=snapshot", "--temporary", dump, "-o", out)
    assert result.returncode != 0 and not out.exists()
