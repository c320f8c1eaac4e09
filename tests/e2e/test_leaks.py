# SPDX-License-Identifier: MIT
"""Lines that leak are named, from one dump of a process that runs or was killed."""

import concurrent.futures
import json
import re
import signal
import subprocess
import time

import conftest
import leak_programs
import pytest

SECONDS = 5

# What each program does a hundred times a second; the line to be named has a mark.
PRELUDE = """
import collections, os, random, signal, sys, time
random.seed(1)
def rounds(seconds=%d):
    begin, n = time.monotonic(), 0
    while time.monotonic() - begin < seconds:
        yield n
        n += 1
        time.sleep(max(0, begin + n / 100 - time.monotonic()))
""" % SECONDS
KILL = "\nos.kill(os.getpid(), signal.SIGKILL)\n"

SERVER = """
class Session:
    def __init__(self, number):
        self.name = "session-%d" % number
        self.data = bytearray(600)  # LEAK
SESSIONS, RECENT = {}, collections.deque(maxlen=100)
def handle(n):
    RECENT.append([n] * 50)
    if n % 4 == 0:
        SESSIONS[n] = Session(n)
for n in rounds():
    handle(n)
"""

CACHE = """
RECENT = collections.OrderedDict()
def handle(n):
    RECENT[n] = bytearray(500)
    while len(RECENT) > 80:
        RECENT.popitem(last=False)
for n in rounds():
    handle(n)
"""


def marked_line(code, mark="# LEAK"):
    lines = (PRELUDE + code).split("\n")
    return [n for n, line in enumerate(lines, 1) if line.endswith(mark)]


@pytest.fixture
def dump_of(trace_code, some_interpreter):
    def dump(code):
        traced = trace_code(some_interpreter, PRELUDE + code + KILL)
        assert traced.result.returncode == -signal.SIGKILL
        return traced.dump

    return dump


def run_program(name, interpreter, environment, folder):
    folder.mkdir()
    (folder / "program.py").write_text(leak_programs.text(name))
    environment["TRACEMALLOC_OUTPUT"] = str(folder / "dump")
    command = [interpreter.path, folder / "program.py", str(SECONDS)]
    assert conftest.run(command, env=environment).returncode == -signal.SIGKILL
    return folder / "dump"


def mistake(name, leaks):
    """What is wrong with the entries, or None."""
    marked = leak_programs.marked_lines(name)
    if not marked:
        return [entry["line"] for entry in leaks if entry["verdict"]] or None
    first = leaks[0] if leaks else {"line": None, "verdict": False}
    right = first["line"] in marked and first["verdict"]
    return None if right else [(e["line"], e["word"]) for e in leaks]


def test_leaks_are_told_from_what_seems_one(
    some_interpreter, traced_environment, ours, tmp_path
):
    def check(name):
        folder = tmp_path / name.replace(" ", "_")
        dump = run_program(name, some_interpreter, traced_environment(), folder)
        return name, mistake(name, ours.json("leaks", dump)["leaks"])

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(check, leak_programs.PROGRAMS))
    assert [result for result in results if result[1]] == []


def test_a_killed_server_names_its_leak(dump_of, ours):
    dump = dump_of(SERVER)
    document = ours.json("leaks", dump)
    first = document["leaks"][0]
    assert [first["line"]] == marked_line(SERVER)
    assert first["verdict"] and first["word"] == "leak"
    assert first["function"].endswith("__init__")
    assert first["traceback"][-1]["lineno"] == first["line"]
    assert first["live_blocks"] > 50 and first["freed_late_share"] < 0.1
    # 25 sessions a second; a busy machine makes fewer.
    assert 2000 < first["growth_bytes_per_second"] < 30000
    assert SECONDS / 2 < document["watched_seconds"] < SECONDS * 4
    text = ours("leaks", dump).stdout
    assert "LEAK" in text and "bytearray(600)" in text and "freed" in text
    rest = document["not_explained"]
    parts = rest["traced_bytes_per_second"] + rest["untraced_bytes_per_second"]
    # The document has six digits of each.
    assert parts == pytest.approx(rest["rss_bytes_per_second"], rel=1e-4, abs=1)
    assert ours.json("summary", dump)["leak"] == first
    line = [n for n in ours("summary", dump).stdout.split("\n") if n[:4] == "leak"][0]
    assert ":%d, " % first["line"] in line and "see tracemalloc leaks" in line
    assert ours("leaks", "--fail", dump).returncode == 3
    assert ours("leaks", "--fail", "--exclude", "*", dump).returncode == 0


def test_a_full_cache_is_not_accused(dump_of, ours):
    dump = dump_of(CACHE)
    assert not any(entry["verdict"] for entry in ours.json("leaks", dump)["leaks"])
    assert ours("leaks", "--fail", dump).returncode == 0
    leak = ours.json("summary", dump)["leak"]
    assert leak is None or not leak["verdict"]


def test_the_page_shows_the_survival_of_what_grows(dump_of, ours, tmp_path):
    dump, page = dump_of(SERVER), tmp_path / "page.html"
    result = ours("flamegraph", dump, "-o", page)
    if "built without Node" in result.stderr:
        pytest.skip("this build has no page")
    data = page.read_text().split('<script type="application/json" id="data">')[1]
    growing = json.loads(data.split("</script>")[0])["growing"]
    assert [g["entry"] for g in growing] == ours.json("leaks", dump)["leaks"]
    assert [growing[0]["entry"]["line"]] == marked_line(SERVER)
    times, alive = growing[0]["times"], growing[0]["alive"]
    assert len(times) == len(alive) + 1 and times == sorted(times)
    assert SECONDS * 900 < times[-1] - times[0] < SECONDS * 4000
    # Sessions of all times live, but for the start of the program.
    late = alive[len(alive) // 3 :]
    assert sum(count > 0 for count in late) > 0.7 * len(late)


def test_several_workers_are_reported_by_line(dump_of, ours):
    dumps = [dump_of(SERVER), dump_of(CACHE)]
    document = ours.json("leaks", *dumps)
    assert document["processes"] == 2
    assert [document["leaks"][0]["line"]] == marked_line(SERVER)
    assert document["leaks"][0]["processes"] == 1
    rates = [p["growth_bytes_per_second"] for p in document["leaks"][0]["by_process"]]
    assert rates[0] > 0 and rates[1] == 0
    pid = document["leaks"][0]["by_process"][1]["pid"]
    text = ours("leaks", *dumps).stdout
    assert "grows in 1 of 2 processes; but %d not" % pid in text


WORKERS = (
    SERVER.split("for n in rounds")[0]
    + """
for number in range(3):
    if os.fork() == 0:
        for n in rounds():
            handle(4 * n + (number != 1))
        os.kill(os.getpid(), signal.SIGKILL)
for number in range(3):
    os.wait()
"""
)


def test_of_three_workers_the_one_that_leaks_is_named(
    some_interpreter, traced_environment, ours, tmp_path
):
    program = tmp_path / "workers.py"
    program.write_text(PRELUDE + WORKERS)
    environment = traced_environment(TRACEMALLOC_OUTPUT=tmp_path / "%p.dump")
    command = [some_interpreter.path, program]
    assert conftest.run(command, env=environment).returncode == 0
    dumps = list(tmp_path.glob("*.dump"))
    dumps = [dump for dump in dumps if ours.json("info", dump)["state"] == "killed"]
    assert len(dumps) == 3
    document = ours.json("leaks", *dumps)
    first = document["leaks"][0]
    assert document["processes"] == 3 and first["processes"] == 1
    assert [first["line"]] == marked_line(WORKERS) and first["word"] == "leak"
    by_process = first["by_process"]
    growing = [p["pid"] for p in by_process if p["growth_bytes_per_second"] > 0]
    assert len(growing) == 1 and len(by_process) == 3
    text = ours("leaks", *dumps).stdout
    assert "grows in 1 of 3 processes: %d +" % growing[0] in text


def test_a_short_run_has_no_rate(some_interpreter, trace_code, ours, tmp_path):
    code = "kept = [bytes(200) for n in range(200000)]\nfor n in rounds(0.5): pass\n"
    dump = trace_code(some_interpreter, PRELUDE + code).dump
    result = ours("leaks", dump)
    assert "too short for a rate" in result.stdout
    assert not re.search("iB/(s|min|h|day)|Limit reached|No line grew", result.stdout)
    document = ours.json("leaks", dump)
    assert document["watched_seconds"] < 3 and document["processes_too_short"] == 1
    assert document["rss_bytes"] > 0 and document["rss_bytes_per_second"] is None
    assert document["forecast"] is None and document["leaks"] == []
    assert set(document["not_explained"].values()) == {None}
    assert ours("leaks", "--fail", dump).returncode == 0
    assert ours.json("summary", dump)["leak"] is None
    page = tmp_path / "page.html"
    if "built without Node" not in ours("flamegraph", dump, "-o", page).stderr:
        assert '"growing":[]' in page.read_text()


def test_two_copies_of_one_run_are_compared(
    some_interpreter, traced_environment, ours, tmp_path
):
    program = tmp_path / "server.py"
    program.write_text(PRELUDE + SERVER.replace("rounds()", "rounds(60)"))
    process = subprocess.Popen(
        [some_interpreter.path, str(program)], env=traced_environment()
    )
    copies = [tmp_path / name for name in ("first", "second", "third")]
    try:
        for copy, seconds in zip(copies, (1, 1, SECONDS - 1)):
            time.sleep(seconds)
            assert ours("snapshot", "-o", copy, process.pid).returncode == 0
    finally:
        process.kill()
        process.wait()
    # The history of the first two is too short for a rate; they still differ.
    document = ours.json("leaks", copies[1], copies[0])
    (two,) = document["copies"]
    assert document["processes"] == 1 and document["leaks"] == []
    assert two["pid"] == process.pid and 0.5 < two["seconds"] < 10
    assert [two["lines"][0]["line"]] == marked_line(SERVER)
    assert two["lines"][0]["growth_blocks"] > 5
    # The history of the last one says more; of the others the first one counts.
    result = ours("leaks", *copies)
    assert "Two copies of process %d in one run" % process.pid in result.stdout
    assert "does not say that they go on" in result.stdout and result.stderr == ""
    document = ours.json("leaks", *copies)
    assert document["processes"] == 1
    assert [document["leaks"][0]["line"]] == marked_line(SERVER)
    (two,) = document["copies"]
    assert SECONDS * 0.7 < two["seconds"] < SECONDS * 3
    assert [two["lines"][0]["line"]] == marked_line(SERVER)
    # Workers are no copies.
    assert ours.json("leaks", copies[0])["copies"] == []


def test_a_running_server_is_asked_by_its_pid(
    some_interpreter, traced_environment, ours, tmp_path
):
    program = tmp_path / "server.py"
    program.write_text(PRELUDE + SERVER.replace("rounds()", "rounds(60)"))
    process = subprocess.Popen(
        [some_interpreter.path, str(program)], env=traced_environment()
    )
    try:
        time.sleep(SECONDS)
        document = ours.json("leaks", str(process.pid))
        assert [document["leaks"][0]["line"]] == marked_line(SERVER)
    finally:
        process.kill()
        process.wait()


def test_the_limit_is_the_lowest(some_interpreter, trace, ours, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PRELUDE + "for n in rounds(0.5):\n    pass\n")
    limited = ["sh", "-c", 'ulimit -v 1500000; exec "$0" "$1"']
    traced = trace(limited + [some_interpreter.path, program])
    document = ours.json("leaks", traced.dump)
    assert document["limit"]["bytes"] <= 1500000 << 10
    if document["limit"]["source"] == "RLIMIT_AS":
        assert document["limit"]["bytes"] == 1500000 << 10
        assert "limit 1465 MiB (RLIMIT_AS)" in ours("leaks", traced.dump).stdout


def test_a_process_in_two_dumps_is_counted_once(dump_of, ours, tmp_path):
    dumps = [dump_of(SERVER), dump_of(CACHE)]
    merged = tmp_path / "merged"
    assert ours("merge", "-o", merged, *dumps).returncode == 0
    for part in dumps:
        for files in ([merged, part], [part, merged]):
            result = ours("leaks", "--json", *files)
            assert result.stderr.count("is in two of the dumps") == 1
            document = json.loads(result.stdout)
            assert document["processes"] == 2
            assert [document["leaks"][0]["line"]] == marked_line(SERVER)


# The second one is 1 in 32 bits.
@pytest.mark.parametrize("pid", ["99999999", "4294967297", "9" * 30])
def test_what_is_no_process_is_reported(ours, pid):
    result = ours("leaks", pid)
    assert result.returncode == 1 and result.stderr.count("\n") == 1
    assert "there is no process " + pid in result.stderr
