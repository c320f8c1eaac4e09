# SPDX-License-Identifier: MIT
"""Allocates, moves and frees blocks at random in a traced program, as its model says.

Runs on any interpreter from 3.6 on, in one thread for each object.
"""

import ctypes
import mmap

from model import KINDS, LIBC, MMAP, PYTHON

libc = ctypes.CDLL(None)
libc.malloc.restype = libc.realloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
libc.free.restype = None

MOST_BLOCKS = 300
DEEPEST = 40


def of(function):
    return [number for number, kind in enumerate(KINDS) if kind.function == function]


MADE = {name: of(name) for name in ("make_bytes", "make_libc", "make_mapping")}
MOVED = of("move_libc")


def make_bytes(size):
    return bytes(size - 33)


def make_libc(size):
    address = libc.malloc(size)
    if address is None:
        raise MemoryError
    return address


def move_libc(block, size):
    address = libc.realloc(block, size)
    if address is None:
        raise MemoryError
    return address


def make_mapping(size):
    return mmap.mmap(-1, size)


def deeper(levels, function, *arguments):
    """The call at the end of so many frames more."""
    if levels == 0:
        return function(*arguments)
    return deeper(levels - 1, function, *arguments)


class Mutator:
    def __init__(self, model, thread, random):
        self.model = model
        self.thread = thread
        self.random = random
        self.blocks = []

    def step(self):
        """One event."""
        random = self.random
        if len(self.blocks) >= MOST_BLOCKS or (self.blocks and random.random() < 0.4):
            self.take()
        else:
            self.make()

    def steps(self, count):
        for _ in range(count):
            self.step()

    def make(self):
        random = self.random
        name = random.choice(("make_bytes", "make_bytes", "make_libc", "make_mapping"))
        kind = random.choice(MADE[name])
        function = globals()[name]
        levels = random.randrange(DEEPEST) if random.random() < 0.3 else 0
        self.model.announce(self.thread, kind, 1)
        try:
            block = deeper(levels, function, KINDS[kind].size)
        except (MemoryError, OSError):
            self.model.undone(self.thread)
            raise
        # While the change is announced: in a child that is forked meanwhile CPython 3.6
        # frees what the innermost frame of another thread alone holds.
        self.blocks.append((kind, block))
        self.model.done(self.thread)

    def take(self):
        """Frees a block, or moves it if it is of a kind that can be moved."""
        at = self.random.randrange(len(self.blocks))
        kind, block = self.blocks[at]
        if KINDS[kind].domain == LIBC and self.random.random() < 0.5:
            self.move(at, kind, block)
            return
        self.model.announce(self.thread, kind, -1)
        self.blocks[at] = self.blocks[-1]
        self.blocks.pop()
        if KINDS[kind].domain == LIBC:
            libc.free(block)
        elif KINDS[kind].domain == MMAP:
            block.close()
        elif KINDS[kind].domain == PYTHON:
            del block
        self.model.done(self.thread)

    def move(self, at, kind, block):
        other = self.random.choice([new for new in MOVED if new != kind])
        self.model.announce(self.thread, kind, -1, other, 1)
        try:
            moved = move_libc(block, KINDS[other].size)
        except MemoryError:
            self.model.undone(self.thread)
            raise
        self.model.done(self.thread)
        self.blocks[at] = (other, moved)
