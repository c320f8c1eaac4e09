# SPDX-License-Identifier: MIT
"""Children that no handler of pthread_atfork is told of: of _Fork and of system calls.

They would write into their parent's dump. They are not traced unless they ask for it,
they run on, and the parent's dump stays exact.
"""

import platform

import pytest

from dump_file import DumpFile

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64",
    reason="the numbers of the system calls are x86-64's",
)

WAYS = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
SIGCHLD = 17

def system_call():
    return libc.syscall(57)

def clone():
    return libc.syscall(56, SIGCHLD, None, None, None, None)

def clone3():
    arguments = (ctypes.c_uint64 * 8)(0, 0, 0, 0, SIGCHLD, 0, 0, 0)
    return libc.syscall(435, arguments, ctypes.sizeof(arguments))

def _Fork():
    return libc._Fork()

fork = globals()[sys.argv[1]]
inherited = [bytes(1000 + i) for i in range(300)]
"""

PROGRAM = (
    WAYS
    + """
import threading
before = bytes(1000003)
pid = fork()
if pid == 0:
    del before
    inherited.clear()
    kept = [bytearray(60000 + i) for i in range(2000)]
    grown = [object() for _ in range(100000)]
    # Code that the parent does not know, threads, and memory of libc's own.
    exec("def new():\\n    return [[i] for i in range(1000)]\\nlists = new()")
    threads = [threading.Thread(target=bytes, args=(1 << 20,)) for _ in range(3)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    block = libc.malloc(5000011)
    if os.fork() == 0:
        os._exit(7 if len(kept) == 2000 else 8)
    status = os.wait()[1]
    os._exit(os.WEXITSTATUS(status))
status = os.waitpid(pid, 0)[1]
after = bytes(2000003)
print(os.WEXITSTATUS(status), os.WIFSIGNALED(status))
"""
)


def has_fork(way):
    import ctypes

    return way != "_Fork" or hasattr(ctypes.CDLL(None), "_Fork")


def ever(dump, first, last):
    """How many blocks of these sizes Python allocated."""
    buckets = [bucket for bucket in dump.buckets if bucket.domain == 0]
    return sum(bucket.total for bucket in buckets if first <= bucket.size <= last)


@pytest.mark.parametrize("native", [None, "20"], ids=["python", "native"])
@pytest.mark.parametrize("way", ["system_call", "clone", "clone3", "_Fork"])
def test_the_parents_dump_stays_exact(some_interpreter, trace_code, ours, way, native):
    if not has_fork(way):
        pytest.skip("this libc has no _Fork")
    traced = trace_code(
        some_interpreter, PROGRAM, way, TRACEMALLOC_NATIVE_FRAMES=native
    )
    assert traced.result.returncode == 0, traced.result.stderr
    assert traced.result.stdout == "7 False\n"
    dump = DumpFile(traced.dump)
    dump.check()
    assert ever(dump, 60000, 70000) < 10, "2000 are the child's"
    assert ever(dump, 1000000, 2900000) == 2
    assert ever(dump, 1033, 1332) >= 300
    info = ours.json("info", traced.dump)
    assert (info["state"], info["complete"]) == ("exited", True)


STARTED = (
    WAYS
    + """
import tracemalloc
pid = fork()
if pid == 0:
    if tracemalloc.is_tracing():
        os._exit(9)
    tracemalloc.start(3)
    own = bytes(2000003)
    bytes(3)
    os._exit(0)
status = os.waitpid(pid, 0)[1]
print(pid, os.WEXITSTATUS(status))
"""
)


def test_a_child_may_start_its_own(some_interpreter, trace_code, ours):
    traced = trace_code(some_interpreter, STARTED, "system_call")
    assert traced.result.returncode == 0, traced.result.stderr
    pid, status = map(int, traced.result.stdout.split())
    assert status == 0
    dumps = {DumpFile(path).pid: path for path in traced.dumps}
    assert len(dumps) == 2
    child = dumps.pop(pid)
    assert ours.json("info", child)["nframe"] == 3
    assert ever(DumpFile(child), 2000000, 2100000) == 1
    (parent,) = dumps.values()
    assert ever(DumpFile(parent), 2000000, 2100000) == 0
    DumpFile(parent).check()
