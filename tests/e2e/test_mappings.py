# SPDX-License-Identifier: MIT
"""Reserved addresses count by what is resident, and the tracer's memory is known live.

PROGRAM maps as allocators and runtimes do; its names are those of the calls, so that
each test finds its own line.
"""

import os
import re
import signal
import struct
import subprocess

import pytest

from conftest import TIMEOUT, clean_environment
from dump_file import MMAP, DumpFile

MIB = 1 << 20

START = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
size_t, pointer, number = ctypes.c_size_t, ctypes.c_void_p, ctypes.c_int
libc.mmap.restype = libc.mremap.restype = pointer
libc.mmap.argtypes = [pointer, size_t, number, number, number, ctypes.c_long]
libc.mremap.argtypes = [pointer, size_t, size_t, number]
libc.mprotect.argtypes = [pointer, size_t, number]
libc.munmap.argtypes = [pointer, size_t]
NONE, RW = 0, 3
PRIVATE, FIXED, ANONYMOUS, NORESERVE, MAYMOVE = 2, 0x10, 0x20, 0x4000, 1
MIB = 1 << 20

def reserve(length, protection=NONE, flags=0, at=None):
    got = libc.mmap(at, length, protection, PRIVATE | ANONYMOUS | flags, -1, 0)
    assert got != pointer(-1).value, ctypes.get_errno()
    return got

def commit(at, length):
    assert libc.mprotect(at, length, RW) == 0
    ctypes.memset(at, 1, length)
"""

# A program, and the bytes that it holds in the mmap domain at its end.
CASES = {
    "noreserve": ("ctypes.memset(reserve(1024 * MIB, RW, NORESERVE), 1, 3 * MIB)", 3),
    "untouched": ("reserve(1024 * MIB, RW, NORESERVE)", 0),
    "terabyte": ("ctypes.memset(reserve(MIB * MIB, RW, NORESERVE), 1, 2 * MIB)", 2),
    "none": ("reserve(1024 * MIB)", 0),
    "mprotect": ("commit(reserve(1024 * MIB) + 10 * MIB, 5 * MIB)", 5),
    "munmap": (
        """
at = reserve(1024 * MIB)
commit(at, 4 * MIB)
commit(at + 500 * MIB, 6 * MIB)
libc.munmap(at + 2 * MIB, 400 * MIB)""",
        8,
    ),
    "mremap": (
        """
at = reserve(64 * MIB, RW, NORESERVE)
ctypes.memset(at, 1, 3 * MIB)
at = libc.mremap(at, 64 * MIB, 4096 * MIB, MAYMOVE)
ctypes.memset(at + 4000 * MIB, 1, 4 * MIB)""",
        7,
    ),
    "fixed": (
        """
at = reserve(1024 * MIB)
commit(at, 2 * MIB)
reserve(20 * MIB, RW, FIXED, at + 100 * MIB)
ctypes.memset(at + 100 * MIB, 1, MIB)""",
        22,
    ),
    "taken back": (
        """
at = reserve(64 * MIB, RW)
ctypes.memset(at, 1, 64 * MIB)
reserve(60 * MIB, NONE, FIXED, at)""",
        4,
    ),
    "plain": ("reserve(50 * MIB, RW)", 50),
}

BUSY = """
kept = [bytearray(500) for _ in range(50000)]
"""


def own_buckets(dump):
    """Those of what the program itself mapped; ctypes maps some pages too."""
    for bucket in dump.buckets:
        frames = dump.frames(bucket.stack)
        if bucket.domain == MMAP and frames and "program.py" in frames[-1].filename:
            yield bucket


def mapped(dump):
    return sum(bucket.size * bucket.live for bucket in own_buckets(dump))


def is_about(size, expected):
    return expected <= size <= expected + 100000


def last_native_bytes(dump):
    """Of the timeline: its last sample is time, Python's, native and resident bytes."""
    return struct.unpack("=4Q", dump.sections["timeline"][-32:])[2]


@pytest.mark.parametrize("case", CASES)
def test_reservations_count_what_is_resident(some_interpreter, trace_code, case):
    text, expected = CASES[case]
    traced = trace_code(some_interpreter, START + text)
    assert traced.result.returncode == 0, traced.result.stderr
    assert mapped(DumpFile(traced.dump)) == expected * MIB


@pytest.mark.parametrize("case", ["noreserve", "mprotect", "terabyte"])
def test_killed_in_the_midst(some_interpreter, trace_code, case):
    text, expected = CASES[case]
    end = BUSY + "import time; time.sleep(0.05)" + BUSY + "os.kill(os.getpid(), 9)"
    traced = trace_code(some_interpreter, START + text + end)
    assert traced.result.returncode == -9
    dump = DumpFile(traced.dump)
    assert mapped(dump) == expected * MIB
    assert is_about(dump.mapped_resident_bytes, expected * MIB)
    assert last_native_bytes(dump) >= expected * MIB


def test_snapshot_of_its_own(some_interpreter, trace_code, dumps_folder, tmp_path):
    copy = tmp_path / "copy.dump"
    text = CASES["noreserve"][0] + "\nlibc.tracemalloc_snapshot(%r)" % os.fsencode(copy)
    traced = trace_code(some_interpreter, START + text)
    assert traced.result.returncode == 0, traced.result.stderr
    assert mapped(DumpFile(copy)) == 3 * MIB


def test_a_reservation_was_allocated_once(some_interpreter, trace_code):
    text = """
at = reserve(1024 * MIB, RW, NORESERVE)
for step in range(40):
    ctypes.memset(at + step * MIB, 1, MIB)
    kept = [bytes(1000) for _ in range(20000)]
"""
    dump = DumpFile(trace_code(some_interpreter, START + text).dump)
    assert sum(bucket.size * bucket.total for bucket in own_buckets(dump)) == 40 * MIB


def test_untouched_memory_is_said(some_interpreter, trace_code, ours):
    text = "ctypes.memset(reserve(512 * MIB, RW), 1, 3 * MIB)"
    dump = trace_code(some_interpreter, START + text).dump
    assert is_about(DumpFile(dump).mapped_resident_bytes, 3 * MIB)
    assert mapped(DumpFile(dump)) == 512 * MIB
    said = ours("info", dump).stdout
    assert re.search(r"mmap +512 MiB in \d blocks, 30\d\d KiB of it resident", said)
    assert is_about(ours.json("info", dump)["mapped_resident_bytes"], 3 * MIB)
    assert is_about(ours.json("summary", dump)["rss"]["mmap"], 3 * MIB)


def tracer_bytes(ours, dump):
    return ours.json("info", dump)["tracer_bytes"]


def test_the_tracer_s_memory_while_it_runs(
    some_interpreter, traced_environment, dumps_folder, ours, tmp_path
):
    program = tmp_path / "program.py"
    program.write_text(BUSY + "import time; time.sleep(0.02)" + BUSY + "print(1)\n"
                       "import sys; sys.stdout.flush(); sys.stdin.read()")
    environment = clean_environment()
    environment.update(traced_environment())
    process = subprocess.Popen(
        [some_interpreter.path, str(program)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout.readline() == b"1\n"
        dump = next(dumps_folder.iterdir())
        live = tracer_bytes(ours, dump)
        assert 500000 < live < 100 * MIB
        tracer = ours.json("summary", dump)["rss"]["tracer"]
        assert tracer >= live
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=TIMEOUT)
    # It may have had a sample more while it began to wait.
    assert abs(tracer_bytes(ours, dump) - live) < MIB


def test_a_terabyte_costs_no_time(some_interpreter, trace_code):
    """The kernel is asked at each sample; a walk over all pages takes far longer."""
    text = """
import time
kept = [reserve(MIB * MIB, RW, NORESERVE) for _ in range(4)]
start, passes = time.monotonic(), 0
while time.monotonic() < start + 1:
    blocks = [bytes(100) for _ in range(1000)]
    passes += 1
print(passes)
"""
    passes = []
    for source in text, text.replace("MIB * MIB", "4096"):
        traced = trace_code(some_interpreter, START + source)
        assert traced.result.returncode == 0, traced.result.stderr
        passes.append(int(traced.result.stdout))
    assert passes[0] > passes[1] * 0.7, passes
