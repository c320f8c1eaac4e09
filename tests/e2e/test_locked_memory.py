# SPDX-License-Identifier: MIT
"""A program that locks its memory can do so under the library, and what the library
adds to it is little.

mlockall(2) compares all addresses that are mapped with RLIMIT_MEMLOCK, and brings all
of them into memory.
"""

import os
import resource

import pytest

from dump_file import DumpFile

MORE = 8 << 20

PROGRAM = """
import ctypes, os, resource, sys
libc, raw = ctypes.CDLL(None), ctypes.CDLL("libc.so.6")
CURRENT, FUTURE, ON_FAULT = 1, 2, 4
ways = {
    "libc": lambda: libc.mlockall(CURRENT | FUTURE),
    "libc, current": lambda: libc.mlockall(CURRENT),
    "libc, on fault": lambda: libc.mlockall(CURRENT | FUTURE | ON_FAULT),
    "raw": lambda: raw.mlockall(CURRENT | FUTURE),
    "system call": lambda: raw.syscall(151, CURRENT | FUTURE),
}
limit = int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit))
    os.setuid(65534)
result = ways[sys.argv[1]]()
def make(count):
    return [bytes(777) for _ in range(count)]
kept = make(1000)
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(result, len(kept), file=sys.stderr, flush=True)
print(int(status["VmLck"].split()[0]) * 1024, flush=True)
os._exit(0)
"""

WAYS = ["libc", "libc, current", "libc, on fault", "raw", "system call"]


@pytest.fixture(autouse=True)
def only_root():
    if os.geteuid() != 0:
        pytest.skip("only root can lock all memory, and become another user")


def locked_bytes(result):
    assert (result.returncode, result.stderr) == (0, "0 1000\n")
    return int(result.stdout)


def expect_complete(path):
    dump = DumpFile(path)
    assert dump.growth == 0 and not any(dump.lost.values()), dump.lost
    live = [bucket.live for bucket in dump.buckets if bucket.size == 777 + 33]
    assert sum(live) >= 1000


@pytest.mark.parametrize("way", WAYS)
def test_little_more_is_locked(some_interpreter, trace, way):
    program = ["-c", PROGRAM, way, "0"]
    untraced = locked_bytes(some_interpreter.run(*program))
    traced = trace([some_interpreter.path] + program)
    assert locked_bytes(traced.result) <= untraced + MORE
    expect_complete(traced.dump)


@pytest.mark.parametrize("way", WAYS)
def test_a_limit_that_is_enough_stays_enough(some_interpreter, trace, way):
    untraced = locked_bytes(some_interpreter.run("-c", PROGRAM, "libc", "0"))
    hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]
    if hard != resource.RLIM_INFINITY and hard < untraced + MORE:
        pytest.skip("RLIMIT_MEMLOCK is %d bytes for all" % hard)
    program = ["-c", PROGRAM, way, str(untraced + MORE)]
    locked_bytes(some_interpreter.run(*program))
    traced = trace([some_interpreter.path] + program)
    locked_bytes(traced.result)
    expect_complete(traced.dump)


def test_addresses_are_mapped_as_they_are_needed(some_interpreter, trace_code):
    text = "print([l for l in open('/proc/self/status') if 'VmSize' in l][0])"
    untraced = some_interpreter.run("-c", text).stdout
    traced = trace_code(some_interpreter, text).result.stdout
    more = int(traced.split()[1]) - int(untraced.split()[1])
    assert more * 1024 <= MORE
