# SPDX-License-Identifier: MIT
"""attach and detach, on processes that were started without the library."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from attach_server import LATER, blocks_of, line_of, running
from conftest import TIMEOUT, clean_environment, run
from dump_file import DumpFile
from test_greenlets import pip

HEADER = sys.getsizeof(b"")


@pytest.mark.parametrize("work", ["idle", "busy", "malloc", "c", "asleep"])
def test_what_is_allocated_afterwards_is_seen(serve, attach, detach, work):
    server = serve(work)
    dump = attach(server.pid)
    server.ask("keep", 70001)
    server.ask("malloc", 80001)
    server.ask("drop")
    first = server.ask("keep", 70002)
    assert detach(server.pid) == dump
    second = server.ask("keep", 70003)
    keep = line_of("bytes(number))")
    malloc = line_of("libc.malloc(number)")
    assert blocks_of(dump, 70000, 70100) == [
        (70001 + HEADER, 0, keep),
        (70002 + HEADER, 0, keep),
    ]
    assert blocks_of(dump, 80000, 80100) == [(80001, 1, malloc)]
    assert blocks_of(dump, 90000, 90100) == []
    if work == "busy":
        assert second > first


def test_the_lines_that_allocate_meanwhile_are_named(serve, attach, detach, ours):
    server = serve("busy")
    dump = attach(server.pid)
    for _ in range(20):
        server.ask("keep", 70001)
        server.ask("malloc", 80001)
    detach(server.pid)
    rows = ours.json("stats", dump)["statistics"]
    found = {row["traceback"][-1]["lineno"]: row for row in rows}
    assert found[line_of("bytes(number))")]["size"] >= 20 * (70001 + HEADER)
    assert found[line_of("libc.malloc(number)")]["size"] >= 20 * 80001
    (native,) = [
        row
        for row in ours.json("stats", "--domain", "libc", dump)["statistics"]
        if row["traceback"][-1]["lineno"] == line_of("libc.malloc(number)")
    ]
    assert (native["size"], native["count"]) == (20 * 80001, 20)
    assert server.ask("keep", 70001) > 0


def test_it_is_said_that_it_was_loaded_late(serve, attach, detach, ours):
    server = serve()
    dump = attach(server.pid, "-n", "3")
    server.ask("keep", 70001)
    assert ours("ps").stdout.count(dump) == 1
    detach(server.pid)
    said = "loaded late, at "
    info = ours.json("info", dump)
    assert not info["complete"] and said in info["incomplete_reasons"][0]
    assert abs(info["loaded_late"] - time.time()) < 100 and info["nframe"] == 3
    assert said in ours("info", dump).stdout
    for report in ("stats", "tree", "summary", "leaks"):
        result = ours(report, dump)
        assert said in result.stdout + result.stderr, report
    for report in ("stats", "leaks"):
        assert said in ours.json(report, dump)["incomplete_reasons"][0], report
    assert ours.json("info", dump)["state"] == "stopped"


def test_again_and_again(serve, attach, detach):
    server = serve("busy")
    times = int(os.environ.get("TRACEMALLOC_TEST_ATTACHMENTS", "10"))
    for number in range(times):
        dump = attach(server.pid)
        before = server.ask("keep", 70001)
        detach(server.pid)
        assert server.ask("keep", 70002) >= before
        assert len(blocks_of(dump, 70000, 70100)) == 1
        os.unlink(dump)


def test_stop_start_and_clear(serve, attach, detach, ours):
    server = serve()
    first = attach(server.pid)
    assert ours("stop", server.pid).stdout == first + "\n"
    second = ours("start", server.pid).stdout.rstrip("\n")
    server.ask("keep", 70001)
    assert ours("clear", server.pid).returncode == 0
    server.ask("malloc", 80001)
    assert detach(server.pid) == second
    assert blocks_of(second, 70000, 70100) == []
    assert len(blocks_of(second, 80000, 80100)) == 1


def test_requests_use_the_signal_of_the_command_that_attached(
    some_interpreter, command, ours, detach, dumps_folder
):
    handler = "import signal\nsignal.signal(53, lambda *args: 1 / 0)\n"
    program = [some_interpreter.path, "-c", handler + LATER]
    with running(
        program, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        for _ in range(2):
            attached = run(
                [command, "attach", process.pid, "-o", str(dumps_folder / "%p.dump")],
                env={"TRACEMALLOC_SIGNAL": "50"},
            )
            assert (attached.returncode, attached.stderr) == (0, "")
            assert ours("stop", process.pid).stdout == attached.stdout
            started = ours("start", process.pid)
            assert (started.returncode, started.stderr) == (0, "")
            assert ours("stop", process.pid).stdout == started.stdout
            assert ours("detach", process.pid).returncode == 0
            result = ours("start", process.pid)
            assert (result.returncode, result.stdout) == (1, "")
            assert "tracemalloc attach %d" % process.pid in result.stderr
        process.kill()
        assert process.stderr.read() == b""


def test_the_program_sees_its_own_signals(serve, attach, detach):
    server = serve()
    for number in (53, signal.SIGBUS):
        attach(server.pid)
        server.ask("action", number)
        detach(server.pid)
        server.ask("action", number)
    with open("/proc/%d/status" % server.pid) as status:
        caught = next(line for line in status if line.startswith("SigCgt"))
    masks = 1 << 52 | 1 << signal.SIGBUS - 1
    assert int(caught.split()[1], 16) & masks == 0


def test_forked_children_have_a_dump_of_their_own(serve, attach, detach, dumps_folder):
    server = serve()
    dump = attach(server.pid)
    server.ask("fork", 60001)
    detach(server.pid)
    (child,) = set(dumps_folder.iterdir()) - {dumps_folder / os.path.basename(dump)}
    own = DumpFile(child)
    assert (own.state, own.exit_status, own.ppid) == ("exited", 3, server.pid)
    assert own.loaded_late > 0
    assert len(blocks_of(child, 60000, 60100)) >= 200
    assert blocks_of(dump, 60000, 60100) == []


def slots_of_the_library(pid):
    """How many words of writable memory of files lead into the library."""
    ranges, count = [], 0
    with open("/proc/%d/maps" % pid) as maps:
        lines = [line.split() for line in maps]
    for line in lines:
        if len(line) == 6 and line[5].endswith("libtracemalloc.so"):
            ranges.append([int(text, 16) for text in line[0].split("-")])
    low, high = min(at[0] for at in ranges), max(at[1] for at in ranges)
    with open("/proc/%d/mem" % pid, "rb") as memory:
        for line in lines:
            start, end = (int(text, 16) for text in line[0].split("-"))
            if len(line) < 6 or not line[5].startswith("/") or low <= start < high:
                continue
            if ".dump" in line[5] or "x" in line[1] or "/ld-" in line[5]:
                continue
            if "libpthread-" in line[5]:  # it has the destructors of keys
                continue
            memory.seek(start)
            words = memoryview(memory.read(end - start)).cast("Q")
            count += sum(low <= word < high for word in words)
    return count


def protections_of(pid):
    with open("/proc/%d/maps" % pid) as maps:
        lines = [line.split() for line in maps]
    return {
        (line[5], line[2]): line[1]
        for line in lines
        if len(line) == 6
        and line[5].endswith((".so", ".so.6", ".so.1.0"))
        and "libtracemalloc" not in line[5]
    }


def test_detach_leaves_nothing_in_front_of_libc(serve, attach, detach):
    server = serve()
    before = protections_of(server.pid)
    attach(server.pid)
    server.ask("keep", 70001)
    during = slots_of_the_library(server.pid)
    assert protections_of(server.pid) == before
    detach(server.pid)
    server.ask("malloc", 80001)
    assert during > 50
    assert slots_of_the_library(server.pid) == 0
    assert protections_of(server.pid) == before


def attach_calls(command, pid, output, tmp_path):
    """Attaches, and returns how many system calls of ptrace(2) that took."""
    log = tmp_path / "calls"
    attaching = [command, "attach", str(pid), "-o", output]
    done = run(["strace", "-f", "-e", "trace=ptrace", "-o", log] + attaching)
    assert (done.returncode, done.stderr) == (0, "")
    return log.read_text().count("ptrace(")


@pytest.mark.skipif(not shutil.which("strace"), reason="needs strace")
@pytest.mark.parametrize("listens", [True, False])
def test_the_interpreters_own_interface(
    some_interpreter, command, tmp_path, detach, listens
):
    if some_interpreter.version < (3, 14):
        pytest.skip("an interface of 3.14 and later")
    options = [] if listens else ["-X", "disable-remote-debug"]
    dump = str(tmp_path / "a.dump")
    program = [some_interpreter.path] + options + ["-c", LATER]
    with running(
        program, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"ready\n"
        for _ in range(2):
            calls = attach_calls(command, process.pid, dump, tmp_path)
            assert (calls == 0) == listens
            time.sleep(0.3)
            detach(process.pid)
            assert len(blocks_of(dump, 70000, 70100)) > 10
            os.unlink(dump)
        process.kill()
        assert process.stderr.read() == b""


def test_a_process_in_another_pid_namespace(serve, attach, detach):
    wrapper = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if subprocess.call(wrapper + ["true"], stderr=subprocess.DEVNULL) != 0:
        pytest.skip("no new PID namespaces here")
    server = serve("busy", wrapper)
    with open("/proc/%d/task/%d/children" % (server.pid, server.pid)) as children:
        pid = int(children.read())
    dump = attach(pid)
    server.ask("keep", 70001)
    server.ask("malloc", 80001)
    assert detach(pid) == dump
    assert len(blocks_of(dump, 70000, 70100)) == 1
    assert len(blocks_of(dump, 80000, 80100)) == 1


GEVENT = """
import gevent.monkey
gevent.monkey.patch_all()
import collections, gevent, gevent.server, gevent.socket, sys

kept = collections.deque(maxlen=100)

def answer(connection, address):
    for line in connection.makefile("rb"):
        kept.append(bytes(70001))
        connection.sendall(line.upper())

server = gevent.server.StreamServer(("127.0.0.1", 0), answer)
server.start()
counts = [0] * 8

def ask(number):
    connection = gevent.socket.create_connection(("127.0.0.1", server.server_port))
    stream = connection.makefile("rb")
    while True:
        text = b"text %d of %d\\n" % (counts[number], number)
        connection.sendall(text)
        assert stream.readline() == text.upper()
        counts[number] += 1
        gevent.sleep(0.001)

asking = [gevent.spawn(ask, number) for number in range(8)]
gevent.sleep(0.2)
print("ready", flush=True)
gevent.sleep(float(sys.argv[1]))
assert not any(each.ready() for each in asking)
print(min(counts), flush=True)
"""


def test_gevent(some_interpreter, tmp_path, attach, detach):
    packages = str(tmp_path / "packages")
    version = "%d.%d" % some_interpreter.version
    bring = ["install", "--only-binary", ":all:", "--retries", "0"]
    bring += ["--implementation", "cp", "--python-version", version]
    if pip() is None or (
        run(pip() + bring + ["--target", packages, "gevent"]).returncode != 0
    ):
        pytest.skip("pip brings no gevent")
    program = [some_interpreter.path, "-c", GEVENT, "6"]
    with running(
        program,
        env=dict(clean_environment(), PYTHONPATH=packages),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
    ) as process:
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        for _ in range(5):
            dump = attach(process.pid)
            time.sleep(0.3)
            detach(process.pid)
            assert blocks_of(dump, 70000, 70100) != []
            os.unlink(dump)
        assert int(process.stdout.readline()) > 100
        assert (process.wait(TIMEOUT), process.stderr.read()) == (0, "")


LATE_LIBRARY = """
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
void *table[] = {malloc, free};
void *direct(size_t size) { return malloc(size); }
void *by_pointer(size_t size) { return ((void *(*)(size_t))table[0])(size); }
void *by_libc(size_t size) {
    char *text = malloc(size), *copy;
    memset(text, 'x', size - 1);
    text[size - 1] = 0;
    copy = strdup(text);
    free(text);
    return copy;
}
void *mapped(size_t size) {
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
void *grown(size_t size) { return realloc(malloc(100), size); }
"""

LATE_CALLS = """
import ctypes, sys
functions = "direct by_pointer by_libc mapped grown".split()
print("ready", flush=True)
sys.stdin.readline()
library = ctypes.CDLL(sys.argv[1])
for number, name in enumerate(functions):
    function = getattr(library, name)
    function.restype, function.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    assert function(2000001 + number)
print("done", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("binding", ["lazy", "now"])
@pytest.mark.parametrize("name", ["path", "name"])
def test_libraries_that_come_later(
    some_interpreter, tmp_path, attach, detach, binding, name
):
    source, library = tmp_path / "late.c", tmp_path / "liblatecomer.so"
    source.write_text(LATE_LIBRARY)
    options = ["-shared", "-fPIC", "-fno-builtin", "-Wl,-z," + binding]
    assert run(["cc"] + options + ["-o", library, source]).returncode == 0
    argument = str(library) if name == "path" else library.name
    with running(
        [some_interpreter.path, "-c", LATE_CALLS, argument],
        env=dict(clean_environment(), LD_LIBRARY_PATH=str(tmp_path)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        universal_newlines=True,
    ) as process:
        assert process.stdout.readline() == "ready\n"
        dump = attach(process.pid)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "done\n"
        detach(process.pid)
        process.stdin.write("\n")
        process.stdin.close()
        assert process.wait(TIMEOUT) == 0
    seen = [(size, domain) for size, domain, _ in blocks_of(dump, 2000000, 2009999)]
    # Mappings count in whole pages.
    pages = -(-2000004 // 4096) * 4096
    assert seen == [(2000001 + at, 1) for at in (0, 1, 2, 4)] + [(pages, 2)]


def test_children_are_left_alone_if_the_environment_says_so(
    serve, command, detach, dumps_folder
):
    server = serve()
    result = run(
        [command, "attach", server.pid],
        env={"TRACEMALLOC_FOLLOW_FORK": "0"},
        cwd=str(dumps_folder),
    )
    assert result.returncode == 0
    server.ask("fork", 60001)
    detach(server.pid)
    assert len(list(dumps_folder.iterdir())) == 1


@pytest.mark.parametrize("work", ["idle", "busy"])
def test_a_sample_of_the_blocks(serve, attach, detach, ours, work):
    server = serve(work)
    dump = attach(server.pid, "--sample=4K")
    for _ in range(30):
        server.ask("keep", 70001)  # at this distance all of them are recorded
        server.ask("malloc", 80001)
    assert detach(server.pid) == dump
    info = ours.json("info", dump)
    assert info["sample_distance"] == 4096
    assert len(blocks_of(dump, 70000, 70100)) == 30
    assert len(blocks_of(dump, 80000, 80100)) == 30
