# SPDX-License-Identifier: MIT
"""Several dumps as one."""

import collections
import os
import re
import stat

import pytest

PROGRAM = """
import os, sys
kept = [bytearray(1 << 20) for _ in range(3)]
pid = os.fork()
if pid == 0:
    kept.extend(bytearray(1 << 20) for _ in range(4))
    sys.exit(0)
os.waitpid(pid, 0)
"""


@pytest.fixture
def dumps(some_interpreter, trace_code):
    traced = trace_code(some_interpreter, PROGRAM)
    assert traced.result.returncode == 0, traced.result.stderr
    assert len(traced.dumps) == 2
    return traced.dumps


@pytest.fixture
def merged(dumps, ours, tmp_path):
    out = tmp_path / "merged.dump"
    result = ours("merge", "-o", out, *dumps)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    return out


def blocks(snapshot):
    traces = snapshot.traces._traces
    return collections.Counter((t[0], t[1], tuple(map(tuple, t[2]))) for t in traces)


def test_the_blocks_are_those_of_the_parts(dumps, merged, snapshot):
    parts = sum((blocks(snapshot(dump)) for dump in dumps), collections.Counter())
    assert blocks(snapshot(merged)) == parts


def without_file_size(text):
    return [x for x in text.split("\n") if not re.search("^dump | the tracer ", x)]


def test_several_files_are_as_good_as_a_merged_one(dumps, merged, ours):
    for report in (["stats", "-g", "traceback"], ["tree"], ["info"], ["summary"]):
        several, one = ours(*report, *dumps), ours(*report, merged)
        assert several.returncode == 0, several.stderr
        assert without_file_size(several.stdout) == without_file_size(one.stdout)


def test_merging_again_changes_nothing(merged, ours, tmp_path):
    again = tmp_path / "again.dump"
    assert ours("merge", "-o", again, merged).returncode == 0
    assert again.read_bytes() == merged.read_bytes()


def test_processes_stay_apart(dumps, merged, ours):
    infos = [ours.json("info", dump) for dump in dumps]
    for files in (dumps, [merged]):
        document = ours.json("stats", "--by", "process", *files)
        seen = {p["pid"]: p["total"]["size"] for p in document["processes"]}
        assert seen == {info["pid"]: info["traced_bytes"] for info in infos}
        assert document["total"]["size"] == sum(seen.values())
        for report in ("stats", "tree"):
            text = ours(report, "--by", "process", *files).stdout
            assert all("Process %d:" % info["pid"] in text for info in infos)
    processes = ours.json("info", merged)["processes"]
    assert [p["pid"] for p in processes] == [info["pid"] for info in infos]
    assert {p["state"] for p in processes} == {"exited"}


def test_nothing_is_overwritten(dumps, merged, ours):
    before = merged.read_bytes()
    result = ours("merge", "-o", merged, dumps[0])
    assert result.returncode == 1
    assert "not overwritten" in result.stderr
    assert merged.read_bytes() == before
    assert stat.S_IMODE(os.stat(merged).st_mode) == 0o600


def test_garbage_leaves_no_file(dumps, ours, tmp_path):
    garbage = tmp_path / "garbage"
    garbage.write_text("not a dump")
    out = tmp_path / "out.dump"
    result = ours("merge", "-o", out, dumps[0], garbage)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert not out.exists()


# One after the other: never more than one of the children lives.
IN_TURN = """
import os, time
for _ in range(4):
    pid = os.fork()
    if pid == 0:
        kept = bytearray(11 << 20)
        time.sleep(0.2)
        os._exit(0)
    os.waitpid(pid, 0)
"""


def test_the_peak_is_that_of_one_time(some_interpreter, trace_code, ours):
    traced = trace_code(some_interpreter, IN_TURN)
    assert traced.result.returncode == 0, traced.result.stderr
    dumps = traced.dumps
    assert len(dumps) == 5
    summary = ours.json("summary", *dumps)
    drawn = max(p["python_bytes"] + p["native_bytes"] for p in summary["timeline"])
    own = [ours.json("info", dump)["peak_bytes"] for dump in dumps]
    assert summary["peak_bytes"] == max([drawn] + own) < 16 << 20
    assert ours.json("info", *dumps)["peak_bytes"] == summary["peak_bytes"]
    text = ours("summary", *dumps).stdout
    (headline,) = re.findall(r"(?m)^peak +([\d.]+) MiB, of all processes", text)
    assert abs(float(headline) - summary["peak_bytes"] / 2**20) < 0.1
    # What is not known is not 0.
    assert summary["rss"]["bytes"] is None and summary["rss"]["rest"] is None
    assert "the rest" not in text and "Resident memory" not in text
