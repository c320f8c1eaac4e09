# SPDX-License-Identifier: MIT
"""What the resident memory of a process consists of, while it runs and after a kill."""

import subprocess
import time

import pytest

from dump_file import DumpFile

MIB = 1 << 20
PARTS = (
    "python arenas_free libc libc_free overhead mmap shared files stacks tracer rest"
).split()

PRELUDE = """
import ctypes, mmap, os, sys, threading, time
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
def allocate(count):
    blocks = [libc.malloc(3000) for i in range(count)]
    for block in blocks:
        ctypes.memset(block, 1, 3000)
    return blocks
"""
WAIT = """
print("ready", flush=True)
while True:
    [bytes(100) for i in range(100)]
    time.sleep(0.05)
"""

# Of each: the part that grows, by how many MiB, and what the advice says.
PROGRAMS = {
    "objects": (
        "kept = [(i, str(i)) for i in range(400000)]",
        "python",
        58,
        "One line",
    ),
    "room in arenas": (
        "kept = [b'%090d' % i for i in range(800000)][::700]",
        "arenas_free",
        100,
        "free room in the interpreter's arenas",
    ),
    "libc's blocks": ("kept = allocate(30000)", "libc", 85, "One line"),
    "libc's free memory": (
        "for i, block in enumerate(allocate(30000)):\n    i % 50 and libc.free(block)",
        "libc_free",
        75,
        "malloc_trim",
    ),
    "heaps of threads": (
        """
def work():
    for i, block in enumerate(allocate(6000)):
        i % 50 and libc.free(block)
    done.release()
    time.sleep(1000)
done = threading.Semaphore(0)
for i in range(5):
    threading.Thread(target=work, daemon=True).start()
for i in range(5):
    done.acquire()
""",
        "libc_free",
        85,
        "MALLOC_ARENA_MAX",
    ),
    "shared memory": (
        "fd = os.memfd_create('m') if hasattr(os, 'memfd_create') else "
        "os.open('/dev/shm/resident.%d' % os.getpid(), os.O_RDWR | os.O_CREAT)\n"
        "os.path.exists('/dev/shm/resident.%d' % os.getpid()) and "
        "os.unlink('/dev/shm/resident.%d' % os.getpid())\n"
        "os.ftruncate(fd, 60 << 20)\n"
        "kept = mmap.mmap(fd, 60 << 20)\nkept.write(b'x' * (60 << 20))",
        "shared",
        60,
        "shared memory",
    ),
    "a mapping of which a part was touched": (
        "kept = mmap.mmap(-1, 1 << 30, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)\n"
        "kept.write(b'x' * (70 << 20))",
        "mmap",
        70,
        "",
    ),
}


@pytest.fixture(params=sorted(PROGRAMS))
def kind(request):
    return PROGRAMS[request.param]


def resident(pid):
    with open("/proc/%d/statm" % pid) as file:
        return int(file.read().split()[1]) * 4096


def ck_sum(rss):
    """The parts are the whole; what is not resident is named."""
    assert sum(rss[part] or 0 for part in PARTS) == rss["bytes"] + rss["not_resident"]
    assert rss["not_resident"] < 0.05 * rss["bytes"] + 2 * MIB


def ck_named(rss, part, size):
    assert size * MIB * 0.9 < rss[part] < (size * 1.15 + 8) * MIB, rss


def wait_for_sample(ours, dump, pid):
    """What `info` says once the timeline has a sample of what the process holds."""
    for _ in range(60):
        time.sleep(0.5)
        rss = ours.json("info", dump)["rss"]
        if abs(rss["bytes"] - resident(pid)) < 0.05 * rss["bytes"]:
            break
    return rss


def test_resident_memory_is_explained(
    some_interpreter, traced_environment, dumps_folder, ours, tmp_path, kind
):
    code, part, size, advice = kind
    program = tmp_path / "program.py"
    program.write_text(PRELUDE + code + WAIT)
    process = subprocess.Popen(
        [some_interpreter.path, str(program)],
        env=traced_environment(),
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout.readline() == b"ready\n"
        (dump,) = dumps_folder.glob("*")
        live = wait_for_sample(ours, dump, process.pid)
        summary = ours.json("summary", dump)
        assert live["live"] is True
        assert abs(live["bytes"] - resident(process.pid)) < 0.05 * live["bytes"]
        ck_sum(live)
        ck_named(live, part, size)
        assert live["rest"] < 0.05 * live["bytes"]
        assert advice in summary["next"], summary["next"]
        text = ours("summary", dump).stdout
        assert "code, files" in text and "the tracer" in text
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    dead = ours.json("info", dump)["rss"]
    assert dead["live"] is False and dead["stacks"] is None
    assert abs(dead["bytes"] - live["bytes"]) < 0.05 * live["bytes"]
    ck_sum(dead)
    # What the kernel alone knows is in one part.
    if part == "libc_free":
        assert dead[part] is None
        part = "rest"
    ck_named(dead, "files" if part == "shared" else part, size)
    if part == "rest":
        assert "freed memory that libc keeps" in ours.json("summary", dump)["next"]


ARENAS = """
import sys
step = lambda: (print(flush=True), sys.stdin.readline())
for again in range(2):
    kept = [(i, str(i)) for i in range(400000)]
    step()
    del kept
    step()
"""


@pytest.mark.parametrize("distance", [None, "64K"])
def test_arenas_that_are_returned_do_not_count(
    some_interpreter, traced_environment, dumps_folder, distance
):
    process = subprocess.Popen(
        [some_interpreter.path, "-c", ARENAS],
        env=traced_environment(TRACEMALLOC_SAMPLE=distance),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        held = []
        for i in range(4):
            assert process.stdout.readline() == b"\n"
            (dump,) = dumps_folder.glob("*")
            held.append(DumpFile(dump).arena_bytes)
            process.stdin.write(b"\n")
            process.stdin.flush()
    finally:
        process.kill()
        process.communicate()
    full, freed, full_again, freed_again = held
    assert min(full, full_again) > 40 * MIB
    assert max(freed, freed_again) < full // 4
