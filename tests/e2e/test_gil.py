# SPDX-License-Identifier: MIT
"""The GIL as the lock: exact counts where threads with and without it allocate at once,
and no crash of an extension that uses Python's allocators without it."""

from dump_file import DumpFile

PYTHON, LIBC = 0, 1
BYTES_HEADER = 33
SIZE = 70001
KEPT = 700

# A CDLL gives the GIL up around each call: the blocks that it makes and frees are
# libc's, and then Python's own, of threads that do not hold the GIL.
PROGRAM = """
import ctypes, os, sys, threading
size, kept_each, domain = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
library = ctypes.CDLL(None)
make = getattr(library, "PyMem_Malloc" if domain == "0" else "malloc")
take = getattr(library, "PyMem_Free" if domain == "0" else "free")
make.restype, make.argtypes, take.argtypes = (
    ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
)
kept = [[] for _ in range(7)]

def objects(number):
    for at in range(60 * kept_each):
        block = bytes(size + number)
        short = [at, (at, number), {}, float(at), object()]
        if at % 60 == 0:
            kept[number].append(block)

def blocks(number):
    for at in range(10 * kept_each):
        block = make(size + number)
        if at % 10 == 0:
            kept[number].append(block)
        else:
            take(block)

threads = [threading.Thread(target=objects, args=(number,)) for number in range(4)]
threads += [threading.Thread(target=blocks, args=(number,)) for number in range(4, 7)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sum(map(len, kept)), flush=True)
os._exit(0)
"""


def expect_exact(traced, domain):
    assert traced.result.returncode == 0, traced.result.stderr
    assert traced.result.stdout.split() == [str(7 * KEPT)]
    dump = DumpFile(traced.dump)
    dump.check()
    first = SIZE + BYTES_HEADER
    assert dump.live(PYTHON, first, first + 3) == {first + at: KEPT for at in range(4)}
    assert dump.live(domain, SIZE + 4, SIZE + 6) == {
        SIZE + at: KEPT for at in range(4, 7)
    }


def test_blocks_of_libc_without_the_gil(interpreter, trace_code):
    arguments = [str(number) for number in (SIZE, KEPT, LIBC)]
    traced = trace_code(interpreter, PROGRAM, *arguments)
    expect_exact(traced, LIBC)


def test_blocks_of_python_without_the_gil(interpreter, trace_code):
    """With libc's allocator below, which allows it."""
    arguments = [str(number) for number in (SIZE, KEPT, PYTHON)]
    traced = trace_code(interpreter, PROGRAM, *arguments, PYTHONMALLOC="malloc")
    expect_exact(traced, PYTHON)
