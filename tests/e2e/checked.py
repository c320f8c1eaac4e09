# SPDX-License-Identifier: MIT
"""The program of test_checkers.py: it goes where the tracer has code of its own.

checked.py PLANTED STRESS ROUNDS GUEST...: the libraries, and the rounds of stress.
"""

import ctypes
import json
import os
import sys
import threading

planted, stress = ctypes.CDLL(sys.argv[1]), ctypes.CDLL(sys.argv[2])
rounds, guests = int(sys.argv[3]), [os.fsencode(path) for path in sys.argv[4:]]
size = ctypes.c_size_t
kept = []


def native_frames():
    callback = ctypes.CFUNCTYPE(None)(lambda: planted.leaf(size(70001)))
    planted.call_back(callback)
    planted.recurse(40, size(70002))
    planted.in_thread(size(70003))
    planted.in_handler(size(70004), 0)
    planted.in_handler(size(70005), 1)
    planted.in_new_code(size(70006))


def produce(count):
    for number in range(count):
        yield [number] * 10


def delegate(count):
    yield from produce(count)


async def wait(number):
    return str(number) * 5


async def gather(count):
    return [await wait(number) for number in range(count)]


def drive(coroutine):
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value


def descend(depth):
    text = "x" * depth
    if depth % 10 == 9:
        return sorted([depth], key=lambda x: descend(depth - 1))[0]
    return descend(depth - 1) + len(text) if depth else 0


def new_code(count):
    total = 0
    for number in range(count):
        names = {}
        text = "def made(n):\n    return [str(i + %d) for i in range(n)]\n" % number
        exec(compile(text, "made_%d" % number, "exec"), names)
        total += len(names["made"](20))
    return total


def work():
    kept.append(list(delegate(200)))
    kept.append(drive(gather(200)))
    text = json.dumps({str(n): [n, {"deep": [None] * 3}] for n in range(200)})
    kept.append(json.loads(text))
    return descend(300), new_code(50), len(text)


def in_child():
    child = os.fork()
    if child == 0:
        planted.middle(size(70007))
        print("child", work(), flush=True)
        os._exit(5)
    return os.waitpid(child, 0)[1]


native_frames()
results = []
threads = [threading.Thread(target=lambda: results.append(work())) for _ in range(4)]
for thread in threads:
    thread.start()
visits = stress.stress((ctypes.c_char_p * len(guests))(*guests), len(guests), rounds)
for thread in threads:
    thread.join()
print(visits, results, len(kept), flush=True)
print("child's status", in_child())
sys.exit(3)
