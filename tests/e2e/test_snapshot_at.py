# SPDX-License-Identifier: MIT
"""Copies of the dump before memory runs out: TRACEMALLOC_SNAPSHOT_AT."""

import contextlib
import os
import resource
import signal
import subprocess
import time

import pytest

from conftest import TIMEOUT, clean_environment, run
from dump_file import DumpFile

MIB = 1 << 20

# Memory that is touched.
LEAK = """
import sys, time
letter = b"x"
class Order:
    def __init__(self, number):
        self.number = number
        self.text = letter * 3000
kept = []
def grow(mib):
    for number in range(mib * 330):
        kept.append(Order(number))
"""

# 4 MiB each, of addresses: calloc does not touch them.
ADDRESSES = """
kept = []
def keep():
    kept.append(bytes(4 << 20))
try:
    while True:
        keep()
except MemoryError:
    del kept
    print("MemoryError")
"""


def limited(which, size):
    return lambda: resource.setrlimit(which, (size, resource.RLIM_INFINITY))


def names(folder):
    return sorted(path.name for path in folder.iterdir() if ".dump" in path.name)


def run_code(command, interpreter, folder, text, *options, **settings):
    program = folder / "program.py"
    program.write_text(text)
    return run(
        [command, "run", *options, interpreter.path, str(program)],
        cwd=folder,
        **settings
    )


def ck_copy(path, percent=0, size=0):
    """The copy is one, with a census of types."""
    dump = DumpFile(path)
    if dump.sample_distance == 0:
        dump.check()
    assert dump.state == "snapshot"
    assert (dump.reached_percent, dump.reached_bytes) == (percent, size)
    assert dump.census_time != 0 and dump.types()
    return dump


@pytest.mark.parametrize(
    "which, size", [("RLIMIT_AS", 1200 * MIB), ("RLIMIT_DATA", 400 * MIB)]
)
def test_a_limit_of_the_process(
    command, some_interpreter, tmp_path, ours, which, size
):
    result = run_code(
        command, some_interpreter, tmp_path, ADDRESSES,
        "--snapshot-at=70%,90%", "-o", "a.dump",
        preexec_fn=limited(getattr(resource, which), size),
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (0, "MemoryError\n"), result.stderr
    copies = ["a.dump", "a.dump.at-70", "a.dump.at-90"]
    assert names(tmp_path) == copies, result.stderr
    last = "wrote a.dump.at-70, a.dump.at-90 when so much memory was in use\n"
    assert result.stderr.endswith(last)
    first = ck_copy(tmp_path / "a.dump.at-70", percent=70)
    second = ck_copy(tmp_path / "a.dump.at-90", percent=90)
    assert first.nearest_limit == second.nearest_limit == size
    assert 0.7 * size <= first.nearest_used < 0.9 * size <= second.nearest_used < size
    grown = second.native_bytes + second.python_bytes
    grown -= first.native_bytes + first.python_bytes
    in_use = second.nearest_used - first.nearest_used  # the tracer's part, too
    assert 0.7 * in_use < grown < in_use + 8 * MIB
    text = ours("stats", "-l", "1", tmp_path / "a.dump.at-90").stdout
    assert "program.py:4: " in text


@pytest.mark.parametrize("sample", [None, "16K"])
def test_resident_memory(command, some_interpreter, tmp_path, sample):
    options = ["--sample=" + sample] if sample else []
    result = run_code(
        command, some_interpreter, tmp_path, LEAK + "grow(180)",
        "--snapshot-at=90M,150m,1G", "-o", "%p.dump", *options
    )  # fmt: skip
    assert result.returncode == 0
    name = names(tmp_path)[0]
    assert names(tmp_path) == [name, name + ".at-150M", name + ".at-90M"]
    assert "%s.at-90M, %s.at-150M" % (name, name) in result.stderr
    ck_copy(tmp_path / (name + ".at-90M"), size=90 * MIB)
    larger = ck_copy(tmp_path / (name + ".at-150M"), size=150 * MIB)
    assert "__main__.Order" in larger.types()


def test_nothing_is_written_below(command, some_interpreter, tmp_path, trace_code):
    result = run_code(
        command, some_interpreter, tmp_path, LEAK, "--snapshot-at=2T", "-o", "a.dump"
    )
    assert names(tmp_path) == ["a.dump"]
    assert result.stderr.endswith("tracemalloc: wrote no snapshot\n")
    dump = DumpFile(trace_code(some_interpreter, LEAK + "grow(20)").dump)
    assert dump.nearest_limit == dump.nearest_used == 0


@pytest.mark.parametrize("value", ["80", "0%", "100%", "80%,", "80%;95%", "1K", "x"])
def test_wrong_amounts(command, some_interpreter, tmp_path, trace_code, value):
    wrong = {"TRACEMALLOC_SNAPSHOT_AT": value}
    done = trace_code(some_interpreter, "print(1)", TRACEMALLOC_QUIET=None, **wrong)
    assert (done.result.returncode, done.result.stdout) == (0, "1\n")
    (line,) = done.result.stderr.splitlines()
    assert line.startswith("tracemalloc: TRACEMALLOC_SNAPSHOT_AT must be a list of")
    assert line.endswith("separated by commas; tracing without it")
    assert DumpFile(done.dump).state == "exited"
    for options, settings in (["--snapshot-at=" + value], {}), ([], {"env": wrong}):
        result = run_code(
            command, some_interpreter, tmp_path, "print(1)", *options, **settings
        )
        assert result.returncode != 0 and result.stdout == ""
        assert "percentages from 1% to 99%" in result.stderr


def test_a_child_copies_its_own_dump(command, some_interpreter, tmp_path):
    text = LEAK + """
import os
grow(80)
if os.fork() == 0:
    grow(120)
    os._exit(0)
os.wait()
"""
    run_code(
        command, some_interpreter, tmp_path, text,
        "--snapshot-at=70M,160M", "-o", "%p.dump"
    )  # fmt: skip
    copies = [name for name in names(tmp_path) if ".at-" in name]
    small, large = sorted(copies, key=lambda name: name.endswith("160M"))
    assert small.endswith(".dump.at-70M") and large.endswith(".dump.at-160M")
    parent, child = small[: -len(".at-70M")], large[: -len(".at-160M")]
    assert parent != child and {parent, child} < set(names(tmp_path))
    assert str(ck_copy(tmp_path / large, size=160 * MIB).pid) + ".dump" == child


def test_names_that_are_taken(command, some_interpreter, tmp_path):
    (tmp_path / "a.dump.at-80M").write_text("kept")
    text = "import os\nos.chdir('/')\n" + LEAK + "grow(80)"
    run_code(
        command, some_interpreter, tmp_path, text, "--snapshot-at=80M", "-o", "a.dump"
    )
    assert names(tmp_path) == ["a.dump", "a.dump.at-80M", "a.dump.at-80M.1"]
    assert (tmp_path / "a.dump.at-80M").read_text() == "kept"
    ck_copy(tmp_path / "a.dump.at-80M.1", size=80 * MIB)


def test_after_exec(command, some_interpreter, tmp_path):
    text = """
import os, sys
if len(sys.argv) == 1:
    os.execv(sys.executable, [sys.executable, __file__, "again"])
""" + LEAK + "grow(80)"
    run_code(
        command, some_interpreter, tmp_path, text, "--snapshot-at=80M", "-o", "a.dump"
    )
    assert "a.dump.1.at-80M" in names(tmp_path)
    assert "a.dump.at-80M" not in names(tmp_path)


def test_a_copy_that_cannot_be_written_is_reported(
    some_interpreter, trace_code, dumps_folder
):
    folder = dumps_folder / "gone"
    folder.mkdir()
    text = "import shutil\nshutil.rmtree(%r)\n" % str(folder) + LEAK + "grow(80)"
    done = trace_code(
        some_interpreter,
        text + "\nprint(len(kept))",
        TRACEMALLOC_QUIET=None,
        TRACEMALLOC_OUTPUT=str(folder / "a.dump"),
        TRACEMALLOC_SNAPSHOT_AT="80M",
    )
    result = done.result
    assert (result.returncode, result.stdout) == (0, "%d\n" % (80 * 330))
    lines = [line for line in result.stderr.splitlines() if "no snapshot" in line]
    assert len(lines) == 1
    assert lines[0].startswith("tracemalloc: no snapshot at 80M: ")


def test_attach(some_interpreter, tmp_path, ours, dumps_folder):
    process = subprocess.Popen(
        [some_interpreter.path, "-c", LEAK + """
print("ready", flush=True)
sys.stdin.readline()
grow(90)
print("done", flush=True)
sys.stdin.readline()
"""],
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout.readline() == b"ready\n"
        output = str(dumps_folder / "a.dump")
        done = ours("attach", "--snapshot-at=80M", "-o", output, process.pid)
        if done.returncode != 0:
            pytest.skip("cannot attach: " + done.stderr)
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"done\n"
        ck_copy(dumps_folder / "a.dump.at-80M", size=80 * MIB)
    finally:
        process.kill()
        process.communicate()


def own_group():
    """The directory of this process's memory cgroup, and the names of its files."""
    for line in open("/proc/self/cgroup").read().splitlines():
        _, controllers, group = line.split(":", 2)
        if "memory" in controllers.split(","):
            root, limit = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
        elif controllers == "":
            root, limit = "/sys/fs/cgroup", "memory.max"
        else:
            continue
        for folder in root + group.rstrip("/"), root:
            if os.path.exists(folder + "/cgroup.procs") and (
                limit == "memory.limit_in_bytes" or has_controller(folder)
            ):
                return folder, limit
    pytest.skip("no memory cgroup")


def has_controller(folder):
    with open(folder + "/cgroup.subtree_control") as file:
        return "memory" in file.read().split()


def end_group(folder):
    """Ends the processes of a group that this test made, and removes it."""
    for _ in range(1000):
        with open(folder + "/cgroup.procs") as file:
            for pid in file.read().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)
        with contextlib.suppress(OSError):
            return os.rmdir(folder)
        time.sleep(0.01)


@contextlib.contextmanager
def cgroup(size):
    """A new group with that limit; a function for a child to enter it."""
    outer, limit = own_group()
    folder = outer + "/snapshot-at.%d" % os.getpid()
    try:
        os.mkdir(folder)
        for name in limit, "memory.swap.max", "memory.memsw.limit_in_bytes":
            if os.path.exists(os.path.join(folder, name)):
                value = "0" if name == "memory.swap.max" else str(size)
                with open(os.path.join(folder, name), "w") as file:
                    file.write(value)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.rmdir(folder)
        pytest.skip("no cgroup can be made: %s" % error)

    def enter():
        with open(folder + "/cgroup.procs", "w") as file:
            file.write(str(os.getpid()))

    try:
        yield enter
    finally:
        end_group(folder)


# 25 MiB a second, so that there is a history, also where it is slow.
SERVER = LEAK + """
def handle(number):
    answer = [Order(number) for i in range(10)]
    kept.append(answer[0])
start = time.time()
while True:
    while len(kept) < (time.time() - start) * 8000:
        handle(len(kept))
    time.sleep(0.005)
"""


def test_a_server_is_killed_by_the_limit_of_its_cgroup(
    command, some_interpreter, tmp_path, ours
):
    with cgroup(150 * MIB) as enter:
        result = run_code(
            command, some_interpreter, tmp_path, SERVER,
            "--snapshot-at=80%,95%", "-o", "a.dump", preexec_fn=enter,
        )  # fmt: skip
    assert result.returncode == 128 + signal.SIGKILL
    assert names(tmp_path) == ["a.dump", "a.dump.at-80", "a.dump.at-95"]
    for percent in 80, 95:
        dump = ck_copy(tmp_path / ("a.dump.at-%d" % percent), percent=percent)
        assert dump.nearest_limit == 150 * MIB
        assert percent * 1.5 * MIB <= dump.nearest_used <= 150 * MIB
        assert dump.types()["__main__.Order"][0] > 10000
    killed = tmp_path / "a.dump"
    limit = ours.json("info", killed)["memory_limit"]
    assert (limit["bytes"], limit["source"]) == (150 * MIB, "cgroup")
    assert limit["used_is_rss"] is False
    assert 140 * MIB < limit["used_bytes"] <= 150 * MIB
    assert "limit       150 MiB (cgroup), in use 1" in ours("info", killed).stdout
    for report in "stats", "leaks":
        text = ours(report, killed).stdout
        assert "\nKilled, out of memory: limit 150 MiB (cgroup), in use 1" in text
    copy = ours("info", tmp_path / "a.dump.at-95").stdout
    assert "snapshot: when 95% of its memory limit were in use" in copy
    # At its limit the process may stand still for long before the kernel kills it.
    found = ours.json("leaks", tmp_path / "a.dump.at-95")["leaks"][0]
    assert found["file"].endswith("program.py")
    lines = {found["line"]} | {entry["lineno"] for entry in found["lines"]}
    text = SERVER.splitlines()
    allocating = "self.text = letter * 3000", "answer = [Order(number) for"
    assert lines & {text.index(next(t for t in text if a in t)) + 1 for a in allocating}
