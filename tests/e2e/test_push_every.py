# SPDX-License-Identifier: MIT
"""`tracemalloc push --every`: each process and each allocation is sent, and once."""

import os
import signal
import subprocess
import time

import pytest

from conftest import clean_environment
from otlp_file import Profiles
from profile_server import REQUEST, listen, live, run_push  # noqa: F401

# Does what the lines of its input say, and answers each.
PROGRAM = """
import os, sys, time
kept = [bytearray(100001)]

def child(seconds):
    kept.append(bytearray(700001))
    time.sleep(seconds)

def fork(seconds):
    pid = os.fork()
    if pid == 0:
        child(seconds)
        os._exit(0)
    return pid

print("ready", flush=True)
for line in sys.stdin:
    word, _, number = line.partition(" ")
    if word == "keep":
        kept.append(bytearray(int(number)))
    elif word == "pass":
        bytearray(int(number))
    elif word == "fork":
        print(fork(float(number)), flush=True)
        continue
    elif word == "wait":
        os.waitpid(-1, 0)
    print("done", flush=True)
"""


def do(process, line):
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def wait_for(condition, seconds=20):
    end = time.time() + seconds
    while not condition():
        assert time.time() < end
        time.sleep(0.05)


@pytest.fixture
def watch(command, run_push):
    """watch(SERVER, ARGUMENT...): the command, which sends every second."""
    run_push("--url", "http://127.0.0.1:1", "1")  # skips without libcurl
    watchers = []

    def start(server, *arguments):
        options = [command, "push", "--every", "1s", "--url", server.url]
        watcher = subprocess.Popen(
            options + [str(argument) for argument in arguments],
            env=dict(clean_environment(), no_proxy="*"),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        watchers.append(watcher)
        return watcher

    yield start
    for watcher in watchers:
        watcher.kill()
        watcher.communicate()


def profiles_of(requests, pid):
    """The profiles of a process, of each request that has some."""
    found = []
    for request in requests:
        for attributes, profiles, _ in Profiles(request["body"], REQUEST).resources():
            if attributes["process.pid"] == pid:
                found.append(profiles)
    return found


def total(profiles, name):
    return sum(value for value, _, _ in profiles[name])


def allocated(all_profiles, size):
    """How many bytes were sent of traces that allocated so many at once."""
    sums = [total(profiles, "alloc_space") for profiles in all_profiles]
    return sum(sums) // size


def ended(watcher):
    output, errors = watcher.communicate(timeout=20)
    return watcher.returncode, output, errors


def test_each_allocation_is_sent_once(
    watch, listen, live, ours, tmp_path, dumps_folder
):
    server = listen()
    process = live(PROGRAM)
    watcher = watch(server, process.pid)
    wait_for(lambda: len(server.requests) >= 2)
    for _ in range(3):
        assert do(process, "pass 50000001") == "done"
        count = len(server.requests)
        wait_for(lambda: len(server.requests) > count + 1)
    process.stdin.close()
    assert process.wait(20) == 0
    assert ended(watcher) == (0, "", "")
    sent = profiles_of(server.requests, process.pid)
    out = tmp_path / "whole.otlp"
    (dump,) = dumps_folder.iterdir()
    assert ours("export", "--format", "otlp", dump, "-o", out).returncode == 0
    ((_, whole, _),) = Profiles(out.read_bytes()).resources()
    for name in ("alloc_space", "alloc_objects"):
        assert sum(total(profiles, name) for profiles in sent) == total(whole, name)
    assert total(sent[-1], "inuse_space") == total(whole, "inuse_space")
    assert total(sent[0], "alloc_space") < 50000001 < total(whole, "alloc_space")


def test_children_that_come_and_what_died(watch, listen, live):
    server = listen()
    process = live(PROGRAM)
    watcher = watch(server, process.pid)
    wait_for(lambda: server.requests)
    lives, dies = int(do(process, "fork 60")), int(do(process, "fork 0"))
    wait_for(lambda: profiles_of(server.requests, lives))
    os.kill(lives, signal.SIGKILL)
    assert do(process, "wait 0") == do(process, "wait 0") == "done"
    count = len(server.requests)
    wait_for(lambda: len(server.requests) > count + 2)
    process.kill()
    process.wait()
    assert ended(watcher) == (0, "", "")
    (dead,) = profiles_of(server.requests, dies)
    assert total(dead, "inuse_space") > 700001
    last = profiles_of(server.requests[-2:], lives)
    assert last == [] and profiles_of(server.requests, lives)
    assert profiles_of(server.requests[-1:], process.pid)


def test_an_interrupt_sends_once_more(watch, listen, live):
    server = listen()
    process = live(PROGRAM)
    for number in (signal.SIGINT, signal.SIGTERM):
        watcher = watch(server, process.pid)
        before = len(server.requests)
        wait_for(lambda: len(server.requests) > before)
        assert do(process, "keep 3000001") == "done"
        watcher.send_signal(number)
        assert ended(watcher) == (0, "", "")
        (last,) = profiles_of(server.requests[-1:], process.pid)
        assert total(last, "inuse_space") > 3000001
    assert process.poll() is None


def test_nothing_is_lost_while_the_server_is_away(watch, listen, live):
    server = listen()
    process = live(PROGRAM)
    watcher = watch(server, process.pid)
    wait_for(lambda: server.requests)
    server.answers += [{"status": 500}] * 3
    assert do(process, "pass 50000001") == "done"
    dies = int(do(process, "fork 0"))
    assert do(process, "wait 0") == "done"
    wait_for(lambda: not server.answers)
    count = len(server.requests)
    wait_for(lambda: len(server.requests) > count)
    watcher.send_signal(signal.SIGINT)
    status, _, errors = ended(watcher)
    assert status == 0
    line = "tracemalloc: %s: refused: HTTP 500\n" % server.url
    assert errors == line * 3
    sent = profiles_of(server.accepted(), process.pid)
    assert allocated(sent, 50000001) == 1
    assert len(profiles_of(server.accepted(), dies)) == 1


def test_a_first_failure_ends_it(watch, listen, live):
    server = listen({"status": 401})
    process = live(PROGRAM)
    status, output, errors = ended(watch(server, process.pid))
    assert (status, output) == (1, "")
    assert errors == "tracemalloc: %s: refused: HTTP 401\n" % server.url
    assert process.poll() is None


def test_dumps_that_have_ended_are_sent_once(watch, listen, live, dumps_folder):
    server = listen()
    process = live(PROGRAM)
    process.kill()
    process.wait()
    assert ended(watch(server, next(dumps_folder.iterdir()))) == (0, "", "")
    assert len(profiles_of(server.requests, process.pid)) == len(server.requests) == 1


@pytest.mark.parametrize("text", ["", "0", "0.5", "x", "60x", "-1", "2d", "1e3"])
def test_a_bad_interval_sends_nothing(run_push, listen, text):
    server = listen()
    result = run_push("--url", server.url, "--every", text, "1")
    assert result.returncode == 2 and "is not an interval" in result.stderr
    assert not server.requests
