# SPDX-License-Identifier: MIT
"""The command on dumps of real programs: what it prints, and how it ends."""

import os
import re
import resource
import signal
import subprocess
import tracemalloc

import pytest

from conftest import ROOT, TIMEOUT, clean_environment, run

PROGRAM = """
import sys

def strings(number):
    return [str(i) * 10 for i in range(number)]

def holder(number):
    return {i: strings(3) for i in range(number)}

kept = strings(int(sys.argv[1])), holder(100), bytearray(3 << 20)
"""

INFO_KEYS = {
    "pid": int,
    "ppid": int,
    "argv": list,
    "implementation": str,
    "python_version": str,
    "nframe": int,
    "state": str,
    "exit_status": int,
    "signal": type(None),
    "start_time": (str, int, float),
    "end_time": (str, int, float),
    "traced_bytes": int,
    "traced_blocks": int,
    "peak_bytes": int,
    "domains": list,
    "tracer_bytes": int,
    "mapped_resident_bytes": int,
    "complete": bool,
    "incomplete_reasons": list,
}
SUBCOMMANDS = """run attach detach ps stop start snapshot clear info stats compare
export push merge tree summary top flamegraph resolve leaks check watch""".split()
# Each of these names every command.
DOCUMENTS = ["README.md", "man/tracemalloc.1", "scripts/completion/_tracemalloc"]
DOCUMENTS += ["scripts/completion/tracemalloc.%s" % shell for shell in ("bash", "fish")]


@pytest.fixture
def dump(some_interpreter, trace_code):
    traced = trace_code(some_interpreter, PROGRAM, "1000")
    assert traced.result.returncode == 0, traced.result.stderr
    return traced.dump


def test_info(some_interpreter, dump, ours):
    info = ours.json("info", dump)
    for key, kind in INFO_KEYS.items():
        assert isinstance(info[key], kind), key
    assert "oom_killed" in info
    assert info["state"] == "exited" and info["exit_status"] == 0
    assert info["argv"][0] == some_interpreter.path and info["argv"][-1] == "1000"
    version = ".".join(map(str, some_interpreter.version))
    assert info["python_version"].startswith(version + ".")
    assert info["implementation"].lower() == "cpython"
    assert info["nframe"] == 25
    assert info["peak_bytes"] >= info["traced_bytes"]
    for domain in info["domains"]:
        assert set(domain) >= {"domain", "name", "bytes", "blocks"}
    assert 0 in [domain["domain"] for domain in info["domains"]]
    assert ours("info", dump).stdout


@pytest.mark.parametrize("group_by", ["filename", "lineno", "traceback"])
def test_stats_are_those_of_the_standard_library(dump, ours, snapshot, group_by):
    theirs = snapshot(dump).statistics(group_by)
    mine = ours.json("stats", dump, "-g", group_by, "-l", "all")
    assert mine["group_by"] == group_by and mine["at"] in ("now", "exit")
    told = [(s["size"], s["count"], len(s["traceback"])) for s in mine["statistics"]]
    assert sorted(told) == sorted((s.size, s.count, len(s.traceback)) for s in theirs)
    assert [s["size"] for s in mine["statistics"]] == [s.size for s in theirs]
    assert mine["total"]["size"] == sum(s.size for s in theirs)
    assert mine["total"]["count"] == sum(s.count for s in theirs)


def test_cumulative(dump, ours, snapshot):
    theirs = snapshot(dump).statistics("lineno", cumulative=True)
    mine = ours.json("stats", dump, "-g", "lineno", "--cumulative", "-l", "all")
    told = [(s["size"], s["count"]) for s in mine["statistics"]]
    assert sorted(told) == sorted((s.size, s.count) for s in theirs)


def test_lines_are_those_of_the_standard_library(dump, ours, snapshot):
    lines = ours("stats", dump, "-l", "5", "--all-frames").stdout.splitlines()
    theirs = [str(s) for s in snapshot(dump).statistics("lineno")[:3]]
    theirs = [line for line in theirs if not line.startswith("<unknown>")]
    assert [line for line in lines if line in theirs] == theirs
    assert any("bytearray(3 << 20)" in line for line in lines)
    assert re.search(r"(?i)other", "\n".join(lines))
    assert re.search(r"(?i)total", "\n".join(lines))


def test_moments(dump, ours):
    totals = {
        at: ours.json("stats", dump, "--at", at)["total"]["size"]
        for at in ("now", "peak", "exit", "end")
    }
    assert totals["now"] == totals["exit"]
    assert totals["peak"] >= totals["exit"] > totals["end"]
    assert ours.json("info", dump)["peak_bytes"] == totals["peak"]


def test_filters(dump, ours, tmp_path):
    program = str(tmp_path / "program.py")
    only = ours.json("stats", dump, "--include", program, "-l", "all")["statistics"]
    assert {s["traceback"][-1]["filename"] for s in only} == {program}
    rest = ours.json("stats", dump, "--exclude", program, "-l", "all")["statistics"]
    assert program not in {s["traceback"][-1]["filename"] for s in rest}
    everything = ours.json("stats", dump, "-l", "all")["statistics"]
    assert len(only) + len(rest) == len(everything)


def test_compare(some_interpreter, trace_code, ours, snapshot):
    old = trace_code(some_interpreter, PROGRAM, "1000").dump
    new = trace_code(some_interpreter, PROGRAM, "3000").dump
    theirs = snapshot(new).compare_to(snapshot(old), "lineno")
    mine = ours.json("compare", old, new, "-l", "all")["statistics"]
    told = [(s["size"], s["size_diff"], s["count"], s["count_diff"]) for s in mine]
    wanted = [(s.size, s.size_diff, s.count, s.count_diff) for s in theirs]
    assert sorted(told) == sorted(wanted)
    assert str(theirs[0]) in ours("compare", old, new).stdout.splitlines()
    assert theirs[0].size_diff > 100000


def test_export_reads_on_the_traced_interpreter(
    interpreter, trace_code, ours, tmp_path
):
    dump = trace_code(interpreter, PROGRAM, "1000").dump
    out = tmp_path / "x.snapshot"
    assert ours("export", "--format", "snapshot", dump, "-o", out).returncode == 0
    code = """if True:
        import sys, tracemalloc
        snapshot = tracemalloc.Snapshot.load(sys.argv[1])
        assert all(len(t) == int(sys.argv[2]) for t in snapshot.traces._traces)
        print(sum(t.size for t in snapshot.traces), len(snapshot.traces))"""
    fields = 4 if interpreter.version >= (3, 9) else 3
    loaded = interpreter.run("-c", code, out, str(fields))
    assert loaded.returncode == 0, loaded.stderr
    total = ours.json("stats", dump)["total"]
    assert loaded.stdout.split() == [str(total["size"]), str(total["count"])]


def test_export_for_another_version(dump, ours, tmp_path):
    for version, fields in (("3.8", 3), ("3.12", 4)):
        out = tmp_path / version
        args = ("export", "--format", "snapshot", dump, "-o", out, "--python", version)
        assert ours(*args).returncode == 0
        traces = tracemalloc.Snapshot.load(str(out)).traces._traces
        assert {len(t) for t in traces} == {fields}


def test_run(some_interpreter, ours, tmp_path):
    program = [some_interpreter.path, "-c", "print('out'); raise SystemExit(7)"]
    result = ours("run", "-n", "4", "-o", tmp_path / "x.dump", "--", *program)
    assert (result.returncode, result.stdout) == (7, "out\n")
    assert len(result.stderr.splitlines()) == 1
    assert str(tmp_path / "x.dump") in result.stderr
    assert ours.json("info", tmp_path / "x.dump")["nframe"] == 4


def test_run_says_nothing_when_quiet(some_interpreter, ours, tmp_path):
    program = [some_interpreter.path, "-c", "pass"]
    out = tmp_path / "x.dump"
    assert ours("run", "-q", "-o", out, *program).stderr == ""
    variables = {"TRACEMALLOC_QUIET": "1"}
    assert ours("run", "-o", out, *program, env=variables).stderr == ""


def test_run_passes_a_signal_on(some_interpreter, command, ours, tmp_path):
    """A program that a signal ends ends the command in the same way."""
    dump = tmp_path / "x.dump"
    code = "import time; print('ready', flush=True); time.sleep(60)"
    process = subprocess.Popen(
        [command, "run", "-q", "-o", str(dump), some_interpreter.path, "-c", code],
        stdout=subprocess.PIPE,
        env=clean_environment(),
    )
    assert process.stdout.readline() == b"ready\n"
    process.send_signal(signal.SIGTERM)
    status = process.wait(TIMEOUT)
    process.stdout.close()
    assert status in (-signal.SIGTERM, 128 + signal.SIGTERM)
    info = ours.json("info", dump)
    assert (info["state"], info["signal"]) == ("signal", signal.SIGTERM)


def start_sleeper(interpreter, environment):
    code = "kept = [str(i) for i in range(9999)]; print(1, flush=True); input()"
    process = subprocess.Popen(
        [interpreter.path, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=dict(clean_environment(), **environment),
    )
    assert process.stdout.readline() == b"1\n"
    return process


def test_live_then_killed(interpreter, traced_environment, dumps_folder, ours):
    with start_sleeper(interpreter, traced_environment()) as process:
        (dump,) = dumps_folder.iterdir()
        # Held, it allocates no more before it is killed.
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        live = ours.json("info", dump)
        listing = ours("ps").stdout
        process.kill()
    assert live["state"] == "tracing" and live["traced_blocks"] > 9999
    assert re.search(r"\b%d\b" % process.pid, listing)
    assert dump.name in listing
    killed = ours.json("info", dump)
    assert killed["state"] == "killed"
    assert killed["traced_blocks"] == live["traced_blocks"]
    top = ours.json("stats", dump, "-g", "filename", "--include", "<string>")
    assert top["statistics"][0]["count"] >= 9999
    assert not re.search(r"\b%d\b" % process.pid, ours("ps").stdout)


@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_help(ours, subcommand):
    result = ours(subcommand, "--help")
    assert result.returncode == 0 and subcommand in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["nonsense"],
        ["info"],
        ["stats", "--at", "noon", "x"],
        ["compare", "x"],
        ["run"],
    ],
    ids=str,
)
def test_usage(ours, args):
    result = ours(*args)
    assert result.returncode == 2
    assert result.stdout == "" and result.stderr


@pytest.mark.parametrize("content", [None, b"", b"text", b"\x89TMDUMP\n" * 999])
@pytest.mark.parametrize("subcommand", ["info", "stats"])
def test_no_dump(ours, tmp_path, subcommand, content):
    path = tmp_path / "bad.dump"
    if content is not None:
        path.write_bytes(content)
    result = ours(subcommand, path)
    assert result.returncode == 1 and result.stdout == ""
    assert re.fullmatch(r"tracemalloc: .*\n", result.stderr)


def test_no_colour_in_a_pipe(dump, ours):
    assert "\x1b" not in ours("stats", dump).stdout


def test_stats_of_a_large_dump_are_quick(some_interpreter, trace_code, ours):
    text = "kept = []\nfor i in range(200000):\n    kept.append(bytes(i % 5000))\n"
    dump = trace_code(some_interpreter, text).dump
    # Of a processor, which other programs do not prolong.
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert ours("stats", dump).returncode == 0
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 5


def test_listing_has_every_command(ours):
    listing = ours("--help").stdout.partition("Commands:\n")[2]
    assert re.findall(r"^  (\S+) +\S", listing, re.MULTILINE) == list(SUBCOMMANDS)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_document_names_every_command(document):
    text = (ROOT / document).read_text(encoding="utf-8")
    for subcommand in SUBCOMMANDS:
        assert re.search(r"(?<![\w-])%s(?![\w-])" % subcommand, text), subcommand


def synopsis(page):
    text = page.read_text(encoding="utf-8")
    return text[text.index(".SH SYNOPSIS") : text.index(".SH DESCRIPTION")]


@pytest.mark.parametrize("subcommand", SUBCOMMANDS)
def test_manual_describes_every_option(ours, subcommand):
    named = re.compile(r"^\.B[RI]* \"?tracemalloc %s\b" % subcommand, re.MULTILINE)
    pages = [
        page
        for page in (ROOT / "man").glob("tracemalloc-*.1")
        if page.name != "tracemalloc-detach.1" and named.search(synopsis(page))
    ]
    assert len(pages) == 1
    manual = pages[0].read_text(encoding="utf-8").replace("\\-", "-")
    options = set(re.findall(r"--([a-z-]+)", ours(subcommand, "--help").stdout))
    for option in options - {"help", "usage", "version"}:
        assert "--" + option in manual, option
