# SPDX-License-Identifier: MIT
"""server.py SECONDS: the load of soak.py, the same in each second but for its names.

Each second brings a module of new functions in a file of a new name, threads and
children that end. What lives is bounded, so that what still grows is the tracer.
"""

import collections
import os
import subprocess
import sys
import threading
import time

LEVELS, OBJECTS, MODULES, THREADS, REQUESTS = 8, 200, 20, 4, 10
SPAWN_EVERY = 5


def new_module(number):
    """The function that enters a chain of calls that no earlier second has made."""
    lines = ["def path_%d_0(count):" % number]
    lines.append("    return [[at, str(at)] for at in range(count)]")
    for level in range(1, LEVELS):
        lines.append("def path_%d_%d(count):" % (number, level))
        lines.append("    return path_%d_%d(count)" % (number, level - 1))
    names = {}
    exec(compile("\n".join(lines), "path_%d.py" % number, "exec"), names)
    return names["path_%d_%d" % (number, LEVELS - 1)]


def answer(function):
    """A request: its objects live until it is answered."""
    for _ in range(REQUESTS):
        rows = function(OBJECTS)
        b"".join(str(row).encode() for row in rows)


def fork_once(function):
    child = os.fork()
    if child == 0:
        answer(function)
        os._exit(0)
    os.waitpid(child, 0)


def one_second(number, kept):
    function = new_module(number)
    kept.append((function, function(OBJECTS)))
    threads = []
    for _ in range(THREADS):
        threads.append(threading.Thread(target=answer, args=(function,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    fork_once(function)
    if number % SPAWN_EVERY == 0:
        subprocess.check_call([sys.executable, "-c", "pass"])


def main(seconds):
    kept = collections.deque(maxlen=MODULES)
    start = time.monotonic()
    for number in range(seconds):
        one_second(number, kept)
        time.sleep(max(0, start + number + 1 - time.monotonic()))


if __name__ == "__main__":
    main(int(sys.argv[1]))
