# SPDX-License-Identifier: MIT
"""watch: the dumps of many processes in one directory."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

from conftest import TIMEOUT, clean_environment, run
from test_reports import SEQUENCE, on_terminal
from test_top import Screen

# Holds what its arguments say until its input ends, and exits with 3.
HOLDER = """
import sys
kept = bytearray(1 << 20)
print("ready", flush=True)
sys.stdin.read()
sys.exit(3)
"""

LEAKS = """
import sys, time
kept = []

def leak():
    kept.append(bytearray(5000))

print("ready", flush=True)
while True:
    leak()
    time.sleep(0.005)
"""


@pytest.fixture
def start(some_interpreter, traced_environment, tmp_path):
    """start(TEXT): a traced process that has printed its line."""
    children = []

    def run_text(text):
        program = tmp_path / ("program%d.py" % len(children))
        program.write_text(text)
        environment = dict(clean_environment(), **traced_environment())
        child = subprocess.Popen(
            [some_interpreter.path, str(program)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        children.append(child)
        assert child.stdout.readline() == b"ready\n"
        return child

    yield run_text
    for child in children:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()


class Follower:
    """`tracemalloc watch` in a pipe."""

    def __init__(self, arguments):
        self.lines = []
        self.process = subprocess.Popen(
            [str(argument) for argument in arguments],
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )

    def waits_for(self, *words):
        """The first line with all of the words from here on."""
        while True:
            line = self.process.stdout.readline()
            assert line, self.process.stderr.read()
            self.lines.append(line)
            if all(word in line for word in words):
                return line

    def ends(self, number):
        self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, errors


@pytest.fixture
def follow(command, dumps_folder):
    """follow(OPTION...): a Follower of the directory."""
    followers = []

    def watch(*options):
        arguments = (command, "watch", "--every", "1s", dumps_folder) + options
        followers.append(Follower(arguments))
        return followers[-1]

    yield watch
    for follower in followers:
        follower.process.kill()
        follower.process.communicate()


def wait_for_leak(ours, dumps_folder):
    """Until `leaks` says so too: it needs some seconds of the program's time."""
    end = time.monotonic() + TIMEOUT
    (dump,) = dumps_folder.iterdir()
    while "leak" not in [entry["word"] for entry in ours.json("leaks", dump)["leaks"]]:
        assert time.monotonic() < end
        time.sleep(0.5)


def test_each_state(start, ours, dumps_folder):
    running, exited, killed = [start(HOLDER) for _ in range(3)]
    exited.stdin.close()
    assert exited.wait(TIMEOUT) == 3
    killed.kill()
    killed.wait(TIMEOUT)
    (dumps_folder / "notes.txt").write_text("no dump" * 1000)
    (dumps_folder / "link").symlink_to("%d.dump" % running.pid)
    result = ours("watch", "--once", dumps_folder)
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].endswith(
        "1 running, 0 with a leak; 2 ended, 2 killed or with an error"
    )
    assert len(lines) == 5
    assert "running" in lines[2] and "%d: " % running.pid in lines[2]
    ended = {line.split(".dump")[0].split()[-1]: line for line in lines[3:]}
    assert "exited with status 3" in ended[str(exited.pid)]
    assert "killed by an unknown signal" in ended[str(killed.pid)]
    limited = ours("watch", "--once", "-l", "1", dumps_folder).stdout.splitlines()
    assert limited[2:] == [lines[2], "... and 2 more"]


def test_the_signal_that_run_adds(some_interpreter, ours, dumps_folder):
    program = [some_interpreter.path, "-c", "import os; os.kill(os.getpid(), 9)"]
    assert ours("run", "-o", dumps_folder / "%p.dump", *program).returncode == 137
    assert "killed by SIGKILL (9)" in ours("watch", "--once", dumps_folder).stdout


def test_documents_say_what_info_says(start, ours, dumps_folder):
    child = start(HOLDER)
    child.stdin.close()
    child.wait(TIMEOUT)
    start(HOLDER)
    result = ours("watch", "--once", "--json", dumps_folder)
    documents = {d["pid"]: d for d in map(json.loads, result.stdout.splitlines())}
    assert len(documents) == 2
    for document in documents.values():
        info = ours.json("info", dumps_folder / document["dump"])
        same = set(info) & set(document) - {"traced_bytes"}
        assert {"argv", "state", "exit_status", "signal", "complete"} <= same
        for key in same:
            assert document[key] == info[key], key
        assert document["traced_bytes"] >= 1 << 20 and document["rss_bytes"] > 0
    ended = documents[child.pid]
    info = ours.json("info", dumps_folder / ended["dump"])
    assert ended["traced_bytes"] == info["traced_bytes"]
    assert not ended["running"] and ended["ending"] == "exited with status 3"


def test_the_line_that_leaks(start, ours, dumps_folder, tmp_path):
    start(LEAKS)
    wait_for_leak(ours, dumps_folder)
    (document,) = ours("watch", "--once", "--json", dumps_folder).stdout.splitlines()
    grows = json.loads(document)["grows"]
    assert grows["word"] == "leak" and grows["file"].endswith("program0.py")
    assert (grows["line"], grows["function"]) == (6, "leak")
    assert grows["growth_bytes_per_second"] > 0
    table = ours("watch", "--once", dumps_folder).stdout
    assert "1 with a leak" in table and "running; leak at " in table
    assert "program0.py:6" in table


def test_follows_what_comes_and_ends(start, follow, dumps_folder):
    first = start(HOLDER)
    follower = follow()
    follower.waits_for("%d.dump: running;" % first.pid)
    second = start(HOLDER)
    follower.waits_for("%d.dump: running;" % second.pid)
    first.stdin.close()
    follower.waits_for("%d.dump: exited with status 3;" % first.pid)
    second.kill()
    follower.waits_for("%d.dump: killed by" % second.pid)
    assert len(follower.lines) == 4
    assert follower.ends(signal.SIGTERM) == (0, "")


def test_follows_in_documents(start, follow):
    child = start(HOLDER)
    follower = follow("--json")
    for _ in range(2):  # again, as long as it runs
        assert json.loads(follower.waits_for('"pid":%d' % child.pid))["running"]
    child.stdin.close()
    last = json.loads(follower.waits_for('"running":false'))
    assert last["exit_status"] == 3
    assert follower.ends(signal.SIGINT) == (0, "")


def test_waits_for_the_first_dump(start, follow, ours, dumps_folder):
    for options in ([], ["--once"], ["--json"]):
        result = ours("watch", dumps_folder, *options)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr == "tracemalloc: there is no dump in %s\n" % dumps_folder
    follower = follow("--wait")
    child = start(HOLDER)
    follower.waits_for("%d.dump: running;" % child.pid)


def test_what_it_cannot_watch(ours, command, tmp_path):
    (tmp_path / "file").write_text("")
    for name, reason in (("file", "Not a directory"), ("none", "No such file")):
        result = ours("watch", tmp_path / name)
        assert result.returncode == 1 and result.stdout == ""
        assert result.stderr.count("\n") == 1 and reason in result.stderr
    for arguments in ([], [tmp_path, tmp_path], [tmp_path, "--every", "0.1s"]):
        assert ours("watch", *arguments).returncode == 2


def test_without_the_rights(start, command, dumps_folder):
    def as_nobody(*arguments):
        options = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        return run(options + [command] + list(arguments))

    if os.getuid() != 0:
        pytest.skip("not root")
    if as_nobody("--version").returncode != 0:
        pytest.skip("nobody cannot run the command")
    child = start(HOLDER)
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        (dump,) = dumps_folder.iterdir()
        shutil.copy(str(dump), directory)
        result = as_nobody("watch", directory)
        assert result.returncode == 1 and result.stdout == ""
        assert result.stderr == (
            "tracemalloc: there is no dump in %s (cannot read %d.dump: Permission "
            "denied)\n" % (directory, child.pid)
        )
        os.chmod(directory, 0o700)
        result = as_nobody("watch", directory)
        expected = "tracemalloc: %s: Permission denied\n" % directory
        assert (result.returncode, result.stderr) == (1, expected)


def test_a_damaged_dump_is_one_of_the_rows(start, ours, dumps_folder):
    child = start(HOLDER)
    child.kill()
    child.wait(TIMEOUT)
    (dump,) = dumps_folder.iterdir()
    (dumps_folder / "cut.dump").write_bytes(dump.read_bytes()[:16384])
    result = ours("watch", "--once", dumps_folder)
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) == 4 and "cut.dump" in result.stdout


def test_on_a_terminal(start, command, dumps_folder):
    child = start(HOLDER)
    screen = Screen([command, "watch", "--every", "1s", dumps_folder])
    screen.shows(r"1 running, 0 with a leak")
    screen.shows(r"%d\.dump" % child.pid)
    child.stdin.close()
    screen.shows(r"exited with status 3")
    screen.press("q")
    assert screen.ended() == 0


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 0), (signal.SIGTERM, -15)])
def test_signals_give_the_terminal_back(start, command, dumps_folder, number, status):
    start(HOLDER)
    screen = Screen([command, "watch", dumps_folder])
    screen.shows(r"1 running")
    screen.process.send_signal(number)
    assert screen.ended() == status


def test_lines_fit_the_terminal(start, command, dumps_folder):
    start(HOLDER)
    for columns in (40, 80, 200):
        lines = on_terminal(columns, [command, "watch", "--once", dumps_folder])
        assert any("running" in line for line in lines)
        assert max(len(SEQUENCE.sub("", line)) for line in lines) <= columns
