# SPDX-License-Identifier: MIT
"""A program that gives up rights goes on being traced whole; a dump that cannot grow
says the true reason.

Each case leaves the dump out of the program's reach by its name, in one of the ways in
which daemons and sandboxes do, and then makes many new stacks.
"""

import os
import socket
import stat

import pytest

from conftest import run
from dump_file import OVERFLOW, DumpFile

FUNCTIONS = 3000

START = """
import ctypes, os, resource, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
raw = ctypes.CDLL("libc.so.6", use_errno=True)
empty = sys.argv[1]

def seccomp(library, action=0x50001, by_number=False):
    \"\"\"openat fails with EPERM from here on: a filter of five instructions.\"\"\"
    code = [(0x20, 0, 0, 0), (0x15, 0, 1, 257), (0x06, 0, 0, action),
            (0x06, 0, 0, 0x7FFF0000)]
    text = b"".join(struct.pack("HBBI", *one) for one in code)
    kept = ctypes.create_string_buffer(text, len(text))
    program = struct.pack("HxxxxxxP", len(code), ctypes.addressof(kept))
    assert library.prctl(38, 1, 0, 0, 0) == 0
    if by_number:
        assert library.syscall(317, 1, 0, program) == 0, ctypes.get_errno()
        return
    assert library.prctl(22, 2, program, 0, 0) == 0, ctypes.get_errno()

def grow():
    kept = []
    for number in range(%d):
        names = {}
        exec("def function_with_a_long_name_%%d(size):\\n return bytes(size)" %% number,
             names)
        for size in range(500, 508):
            kept.append(names["function_with_a_long_name_%%d" %% number](size))
    return kept
""" % FUNCTIONS

# By libc's names, and by libc's own functions behind the library's back.
CASES = {
    "setuid": "os.setuid(65534)",
    "setuid, raw": "assert raw.setuid(65534) == 0",
    "setresuid": "os.setgroups([]); os.setresgid(1, 1, 1); os.setresuid(1, 1, 1)",
    "seteuid": "os.seteuid(65534)",
    "system call": "assert raw.syscall(117, 65534, 65534, 65534) == 0",
    "chroot": "os.chroot(empty); os.chdir('/')",
    "descriptors": "resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))",
    "descriptors, raw": """
limit = struct.pack("QQ", 0, 0)
assert raw.setrlimit(7, limit) == 0""",
    "seccomp": "seccomp(libc)",
    "seccomp, raw": "seccomp(raw)",
    "seccomp that kills": "seccomp(libc, 0x80000000)",
    "seccomp that kills, by number": "seccomp(libc, 0x80000000, by_number=True)",
    "fork and setuid": """
if os.fork():
    os.wait()
    os._exit(0)
os.setsid()
os.setuid(65534)""",
}


@pytest.fixture
def private(tmp_path):
    """A directory that only root may enter, and an empty one."""
    if os.geteuid() != 0:
        pytest.skip("only root can give up rights")
    folder, empty = tmp_path / "private", tmp_path / "empty"
    folder.mkdir(mode=0o700)
    empty.mkdir()
    return folder, empty


@pytest.mark.parametrize("case", CASES)
def test_a_program_without_its_rights(some_interpreter, trace, ours, private, case):
    folder, empty = private
    program = START + CASES[case] + "\nkept = grow()\nos._exit(len(kept) % 251)"
    traced = trace(
        [some_interpreter.path, "-c", program, empty],
        TRACEMALLOC_OUTPUT=str(folder / "%p.dump"),
    )
    expected = 0 if case.startswith("fork") else FUNCTIONS * 8 % 251
    assert (traced.result.returncode, traced.result.stderr) == (expected, "")
    found = [DumpFile(path) for path in folder.iterdir()]
    dump = max(found, key=lambda dump: len(dump.buckets))
    assert not any(dump.lost.values()), dump.lost
    assert dump.growth == 0
    held = sum(s.live for s in dump.buckets if s.domain == 0 and 500 <= s.size < 600)
    assert held >= FUNCTIONS * 8
    assert not any(bucket.stack == OVERFLOW for bucket in dump.buckets)


def test_killed_without_its_rights(some_interpreter, trace, private):
    folder, empty = private
    program = START + CASES["setuid"] + "\nkept = grow()\nos.kill(os.getpid(), 9)"
    traced = trace(
        [some_interpreter.path, "-c", program, empty],
        TRACEMALLOC_OUTPUT=str(folder / "%p.dump"),
    )
    assert traced.result.returncode == -9
    (path,) = folder.iterdir()
    dump = DumpFile(path)
    assert not any(dump.lost.values())
    # What is ahead of it is a hole.
    assert os.stat(str(path)).st_blocks * 512 < dump.file_size + (1 << 20)


def test_the_file_ends_with_the_dump(some_interpreter, trace_code):
    dump = trace_code(some_interpreter, "kept = [bytes(100) for _ in range(1000)]").dump
    assert os.stat(str(dump)).st_size == DumpFile(dump).file_size


# What keeps a dump from growing, and how it is said.
REASONS = {
    "bound": ("", {"TRACEMALLOC_MAX_FILE": "1M"}, "the file reached its maximum size"),
    "limit": (
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))",
        {},
        "RLIMIT_FSIZE",
    ),
}


@pytest.mark.parametrize("case", REASONS)
def test_the_reason_is_named(some_interpreter, trace, ours, tmp_path, case):
    text, variables, said = REASONS[case]
    program = START + text + "\nkept = grow()"
    traced = trace([some_interpreter.path, "-c", program, tmp_path], **variables)
    assert traced.result.returncode == 0, traced.result.stderr
    reasons = ours.json("info", traced.dump)["incomplete_reasons"]
    assert reasons and any(said in reason for reason in reasons), reasons
    assert "was full" not in " ".join(reasons)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of little more than a mebibyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = run(["mount", "-t", "tmpfs", "-o", "size=1200k", "none", folder])
    if mounted.returncode != 0:
        pytest.skip("a full disk: mounting one needs root")
    yield folder
    run(["umount", "-l", folder])


@pytest.mark.parametrize("rights", ["", "os.setuid(65534)"])
def test_a_full_disk_is_named(some_interpreter, trace, ours, small_disk, rights):
    program = START + rights + "\nkept = grow()\nprint(len(kept))"
    traced = trace(
        [some_interpreter.path, "-c", program, small_disk],
        TRACEMALLOC_OUTPUT=str(small_disk / "x.dump"),
    )
    assert traced.result.returncode == 0, traced.result.stderr
    assert traced.result.stdout == "%d\n" % (FUNCTIONS * 8)
    dump = small_disk / "x.dump"
    reasons = ours.json("info", dump)["incomplete_reasons"]
    assert any("the disk was full" in reason for reason in reasons), reasons
    shown = ours("stats", dump).stdout + ours("tree", dump).stdout
    assert not any(line.startswith(":") for line in shown.splitlines())


def plant(kind, path):
    if kind == "fifo":
        os.mkfifo(str(path))
    elif kind == "directory":
        path.mkdir()
    elif kind == "link":
        path.symlink_to("/dev/full")
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
    elif os.geteuid() != 0:
        pytest.skip("only root can make a device")
    else:
        os.mknod(str(path), 0o600 | stat.S_IFCHR, os.makedev(1, 7))


@pytest.mark.parametrize("kind", ["fifo", "directory", "link", "socket", "device"])
def test_what_is_planted_is_passed_by(some_interpreter, trace, tmp_path, kind):
    folder = tmp_path / "x"
    folder.mkdir()
    plant(kind, folder / "x.dump")
    program = [some_interpreter.path, "-c", "print(1)"]
    traced = trace(program, TRACEMALLOC_OUTPUT=str(folder / "x.dump"))
    assert (traced.result.returncode, traced.result.stdout) == (0, "1\n")
    assert DumpFile(folder / "x.dump.1").state == "exited"


LEASED = """
import fcntl, os, signal, sys
path = sys.argv[2]
signal.signal(signal.SIGIO, signal.SIG_IGN)
os.rename(path, path + ".moved")
file = open(path, "w+")
os.close(os.dup(file.fileno()))
file.close()
file = open(path)
fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
kept = grow()
print(len(kept))
"""


def test_no_open_waits_for_a_lease(some_interpreter, trace, tmp_path):
    dump = tmp_path / "x.dump"
    traced = trace(
        [some_interpreter.path, "-c", START + LEASED, tmp_path, dump],
        TRACEMALLOC_OUTPUT=str(dump),
    )
    assert traced.result.returncode == 0, traced.result.stderr
    grown = DumpFile(str(dump) + ".moved")
    assert not any(grown.lost.values())
    assert dump.stat().st_size == 0
