# SPDX-License-Identifier: MIT
"""The loops whose instructions instructions.py counts.

usage: loops.py THREADS DEPTHS NUMBERS LOOPS

The last three are comma-separated. Each loop runs at each depth with each number of
rounds, between two calls of getppid(), at which callgrind writes what it counted.
THREADS is 1, or 2 for an idle thread beside. Runs on CPython 3.6 and later.
"""

import ctypes
import gc
import os
import sys
import threading
import time
from itertools import product, repeat

LIBC = ctypes.CDLL(None)
LIBC.malloc.argtypes, LIBC.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
LIBC.free.argtypes, LIBC.free.restype = [ctypes.c_void_p], None
KEPT = []


class Plain:
    __slots__ = ()


def make():
    return Plain()


def object_freed(rounds):
    for _ in repeat(None, rounds):
        object()


def object_kept(rounds):
    keep = KEPT.append
    for _ in repeat(None, rounds):
        keep(object())


def list_of_two(rounds):
    for _ in repeat(None, rounds):
        [None, None]


def float_sum(rounds):
    one, other = 1.5, 2.5
    for _ in repeat(None, rounds):
        one + other


def call(rounds):
    for _ in repeat(None, rounds):
        make()


def dictionary(rounds):
    for _ in repeat(None, rounds):
        {"key": None}


def concatenation(rounds):
    one, other = "o" * 20, "t" * 20
    for _ in repeat(None, rounds):
        one + other


def libc_malloc(rounds):
    malloc, free = LIBC.malloc, LIBC.free
    for _ in repeat(None, rounds):
        free(malloc(100))


# name: the function, and the blocks that a round allocates
LOOPS = {
    "object() freed": (object_freed, 1),
    "object() kept": (object_kept, 1),
    "list of two": (list_of_two, 2),
    "float + float": (float_sum, 1),
    "call that makes an object": (call, 1),
    "dict of one": (dictionary, 1),
    "str + str": (concatenation, 1),
    "malloc by ctypes": (libc_malloc, 1),
}


def nested(calls, function, rounds):
    return nested(calls - 1, function, rounds) if calls else function(rounds)


def measure(name, depth, rounds):
    """The module calls this, so the loop's frame is the third, or further in."""
    function = LOOPS[name][0]
    os.getppid()
    if depth > 3:
        nested(depth - 4, function, rounds)
    else:
        function(rounds)
    os.getppid()
    KEPT.clear()


def plan(threads, depths, numbers, names):
    if threads == "2":
        lock = threading.Lock()
        lock.acquire()
        threading.Thread(target=lock.acquire, daemon=True).start()
        time.sleep(0.1)  # until it waits
    gc.disable()
    depths, numbers = map(int, depths.split(",")), map(int, numbers.split(","))
    return product(names.split(","), list(depths), list(numbers))


if __name__ == "__main__":
    for step in plan(*sys.argv[1:]):
        measure(*step)
