# SPDX-License-Identifier: MIT
"""Random sequences of what allocators do, and of what they tell tracemalloc.

usage: track_steps.py SEED STEPS

Blocks are allocated, resized and freed by Python's families and by libc, in this
thread, in another one of Python's and in one that it does not know.
PyTraceMalloc_Track and PyTraceMalloc_Untrack are called on them, beside them and on
what is no block, in any domain. After each step the traced memory must be what a model
of CPython's own tracer says, which is a dict: (domain, address) to size. Sizes that
matter are multiples of a mebibyte; what the program itself takes is far less.
"""

import collections
import ctypes
import mmap
import random
import sys
import threading
import tracemalloc

MIB = 1 << 20
SMALL = 64
DOMAINS = [0, 0, 0, 1, 2, 7, 389047, 2**32 - 1]
MOST_BLOCKS = 24
CHUNK = 500  # steps of one thread in a row
CLEAR_EVERY, SNAPSHOT_EVERY = 9001, 2003
TOO_LARGE = 1 << 60
M_MMAP_THRESHOLD = -3

POINTER, SIZE = ctypes.c_void_p, ctypes.c_size_t
# The same functions called with the GIL, and without it.
HOLDING, RELEASING = ctypes.PyDLL(None), ctypes.CDLL(None)

Family = collections.namedtuple("Family", "malloc calloc realloc free is_python")
Block = collections.namedtuple("Block", "address size family")


def get(library, name, result, *arguments):
    function = getattr(library, name)
    function.restype, function.argtypes = result, arguments
    return function


def family(library, prefix, names):
    malloc, calloc, realloc, free = (prefix + name for name in names.split())
    return Family(
        get(library, malloc, POINTER, SIZE),
        get(library, calloc, POINTER, SIZE, SIZE),
        get(library, realloc, POINTER, POINTER, SIZE),
        get(library, free, None, POINTER),
        prefix != "",
    )


PYTHON_NAMES = "Malloc Calloc Realloc Free"
RAW = family(RELEASING, "PyMem_Raw", PYTHON_NAMES)
RAW_WITH_GIL = family(HOLDING, "PyMem_Raw", PYTHON_NAMES)
MEM = family(HOLDING, "PyMem_", PYTHON_NAMES)
OBJ = family(HOLDING, "PyObject_", PYTHON_NAMES)
LIBC = family(RELEASING, "", PYTHON_NAMES.lower())
FAMILIES = [RAW, RAW_WITH_GIL, MEM, OBJ, LIBC, LIBC]

# With an underscore in 3.6.
PREFIX = "" if hasattr(HOLDING, "PyTraceMalloc_Track") else "_"
PREFIX += "PyTraceMalloc_"
TRACK = get(HOLDING, PREFIX + "Track", ctypes.c_int, ctypes.c_uint, SIZE, SIZE)
UNTRACK = get(HOLDING, PREFIX + "Untrack", ctypes.c_int, ctypes.c_uint, SIZE)

CREATE = get(RELEASING, "pthread_create", ctypes.c_int, *[POINTER] * 4)
JOIN = get(RELEASING, "pthread_join", ctypes.c_int, SIZE, POINTER)


def elsewhere(function, argument):
    """Calls a function of C in a thread of its own; what it returns."""
    thread, result = SIZE(), SIZE()
    entry = ctypes.cast(function, POINTER)
    assert CREATE(ctypes.byref(thread), None, entry, argument) == 0
    assert JOIN(thread, ctypes.byref(result)) == 0
    return result.value


class Steps:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.traces = {}  # the model
        self.blocks = []
        self.old = [0] * 32  # addresses that were blocks of a mebibyte or more
        self.nothing = mmap.mmap(-1, MIB)
        self.nowhere = ctypes.addressof(ctypes.c_char.from_buffer(self.nothing))
        self.rebase()

    def rebase(self):
        """All that is traced now is the program's own."""
        self.traces.clear()
        self.base = tracemalloc.get_traced_memory()[0]

    # What the allocators do.

    def size(self):
        return SMALL if self.random.random() < 0.3 else self.random.randint(1, 3) * MIB

    def allocated(self, address, size, family):
        assert address
        self.blocks.append(Block(address, size, family))
        if family.is_python:
            self.traces[0, address] = size

    def allocate(self):
        family, size = self.random.choice(FAMILIES), self.size()
        way = self.random.random()
        if len(self.blocks) >= MOST_BLOCKS:
            return self.free()
        if way < 0.02 and family in (RAW, LIBC):
            address = elsewhere(family.malloc, size)
        elif way < 0.3:
            address = family.calloc(1, size)
        elif way < 0.4:
            address = family.realloc(None, size)
        else:
            address = family.malloc(size)
        self.allocated(address, size, family)

    def take(self):
        at = self.random.randrange(len(self.blocks))
        self.blocks[at], self.blocks[-1] = self.blocks[-1], self.blocks[at]
        block = self.blocks.pop()
        if block.size >= MIB:
            self.old[self.random.randrange(len(self.old))] = block.address
        elif not block.family.is_python:
            # The program itself gets such a block next.
            self.untrack(0, block.address)
        return block

    def free(self):
        if not self.blocks:
            return
        block = self.take()
        address, family = block.address, block.family
        way = self.random.random()
        if family.is_python:
            self.traces.pop((0, address), None)
            # Blocks of this size are raw ones below, whatever the family.
            if block.size >= MIB:
                family = self.random.choice([RAW, RAW_WITH_GIL, MEM, OBJ])
        if way < 0.03 and family in (RAW, LIBC):
            elsewhere(family.free, address)
        elif way < 0.05 and family is RAW:
            LIBC.free(address)
            UNTRACK(0, address)
        else:
            family.free(address)

    def resize(self):
        if not self.blocks:
            return
        if self.random.random() < 0.1:
            block = self.random.choice(self.blocks)
            assert block.family.realloc(block.address, TOO_LARGE) is None
            return
        block, size = self.take(), self.size()
        address = block.family.realloc(block.address, size)
        if block.family.is_python:
            self.traces.pop((0, block.address), None)
        self.allocated(address, size, block.family)

    # What they tell.

    def place(self):
        """An address, and whether the program itself may get a block there."""
        way = self.random.random()
        if way < 0.65 and self.blocks:
            return self.random.choice(self.blocks).address, False
        if way < 0.75 and self.blocks:
            block = self.random.choice(self.blocks)
            beside = self.random.choice([1, 4, 8, 16])
            return block.address + beside, block.size < MIB
        if way < 0.85:
            return self.random.choice(self.old), False
        if way < 0.95:
            return self.nowhere + self.random.randrange(64), False
        far = self.random.choice([0, 1 << 12, 1 << 40, (1 << 47) - 64, 1 << 63])
        return far + self.random.randrange(64), False

    def track(self):
        address, is_shared = self.place()
        domain = self.random.choice(DOMAINS[3 if is_shared else 0 :])
        size = self.random.randint(1, 50) * MIB
        assert TRACK(domain, address, size) == 0
        self.traces[domain, address] = size

    def untrack(self, domain, address):
        assert UNTRACK(domain, address) == 0
        self.traces.pop((domain, address), None)

    def untrack_any(self):
        if self.traces and self.random.random() < 0.6:
            self.untrack(*self.random.choice(list(self.traces)))
        else:
            address, is_shared = self.place()
            domain = self.random.choice(DOMAINS[3 if is_shared else 0 :])
            self.untrack(domain, address)

    # The comparison.

    def check(self, what):
        traced = tracemalloc.get_traced_memory()[0] - self.base
        expected = sum(self.traces.values())
        if abs(traced - expected) >= MIB // 2:
            text = "step %s: traced %.1f MiB, expected %.1f"
            sys.exit(text % (what, traced / MIB, expected / MIB))

    def check_snapshot(self):
        # The program's own large lists may get addresses where blocks were.
        live = {block.address for block in self.blocks}
        for address in set(self.old) - live:
            self.untrack(0, address)
        traces = tracemalloc.take_snapshot().traces
        found = sorted((t.domain, t.size) for t in traces if t.size >= MIB)
        expected = ((domain, size) for (domain, _), size in self.traces.items())
        assert found == sorted(pair for pair in expected if pair[1] >= MIB)

    def step(self, number):
        way = self.random.random()
        actions = [self.allocate, self.free, self.resize, self.track, self.untrack_any]
        action = actions[int(way * len(actions))]
        action()
        self.check("%d, %s" % (number, action.__name__))
        if number % SNAPSHOT_EVERY == 0:
            self.check_snapshot()
        if number % CLEAR_EVERY == 0:
            if self.random.random() < 0.5:
                tracemalloc.clear_traces()
            else:
                tracemalloc.stop()
                assert TRACK(7, 4096, 1) == UNTRACK(7, 4096) == -2
                tracemalloc.start()
            self.rebase()

    def run(self, first, last, failures):
        try:
            for number in range(first, last):
                self.step(number)
        except BaseException as error:
            failures.append(error)


def main(seed, count):
    RELEASING.mallopt(M_MMAP_THRESHOLD, 1 << 17)  # and it stays so
    tracemalloc.start()
    steps, failures = Steps(seed), []
    for first in range(1, count + 1, CHUNK):
        arguments = (first, min(first + CHUNK, count + 1), failures)
        if steps.random.random() < 0.3:
            thread = threading.Thread(target=steps.run, args=arguments)
            thread.start()
            thread.join()
        else:
            steps.run(*arguments)
        if failures:
            raise failures[0]
    print("%d steps" % count)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
