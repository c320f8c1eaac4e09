# SPDX-License-Identifier: MIT
"""Steps of the campaign: memory, code and threads."""

import mmap
import struct
import sys
import threading
import weakref

kept = []


def new_stacks(context):
    """Functions of many names, each with a line that keeps a block."""
    first = context.random.randrange(1 << 20)
    for number in range(first, first + context.random.randrange(300)):
        names = {}
        exec("def f_%d(n):\n    return bytes(n)\n" % number, names)
        kept.append(names["f_%d" % number](number % 2000))
    return len(kept) > 0 or first


def deep(level):
    return deep(level - 1) if level else [object() for _ in range(10)]


def deep_stack(context):
    return len(deep(context.random.randrange(900)))


def threads(context):
    number = context.random.randrange(1, 12)
    each = [threading.Thread(target=deep, args=(20,)) for _ in range(number)]
    for thread in each:
        thread.start()
    for thread in each:
        thread.join()
    return number


def thread_that_stays(context):
    """A thread that ends with the process alone."""
    event = threading.Event()
    thread = threading.Thread(target=event.wait)
    thread.daemon = True
    thread.start()
    return thread.is_alive()


def mappings(context):
    """Of a file and of none, moved and cut."""
    area = mmap.mmap(-1, context.random.randrange(1, 64) * 4096)
    area[0] = 1
    area.resize(2 * len(area)) if hasattr(area, "resize") else None
    size = len(area) // 4096
    area.close()
    return size


def just_in_time(context):
    """A call of malloc from code that no table describes, with rbp at any word."""
    words = [struct.unpack("=Q", struct.pack("=d", x))[0] for x in (-1.5, 1e300, -0.0)]
    words += [0, 1, 1 << 63, (1 << 64) - 1, 0x7FFFFFFFF000, 1 << 47, id(context)]
    word = context.random.choice(words)
    return context.native.campaign_jit(word, context.random.randrange(1, 5000))


def much_at_once(context):
    block = bytearray(context.random.randrange(1, 40) << 20)
    return len(block) >> 20


def too_much(context):
    return len(bytearray(1 << 46))


def cycles(context):
    class Node:
        pass

    node = Node()
    node.itself = node
    reference = weakref.ref(node)
    del node
    import gc

    gc.collect()
    return reference() is None


def recursion(context):
    def endless(n):
        return endless(n + 1)

    limit = sys.getrecursionlimit()
    try:
        endless(0)
    except RecursionError:
        return limit


STEPS = {
    function.__name__: function
    for function in (
        new_stacks,
        deep_stack,
        threads,
        thread_that_stays,
        mappings,
        just_in_time,
        much_at_once,
        too_much,
        cycles,
        recursion,
    )
}
