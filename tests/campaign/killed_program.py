# SPDX-License-Identifier: MIT
"""killed_program.py FOLDER SEED THREADS FORKS: runs until it is killed.

Threads allocate and free as a model says; the first one also forks (children do the
same, and some end by themselves), makes new code and drops it, and starts threads that
end at once.
"""

import os
import random
import signal
import sys
import threading

from model import THREADS, Model
from mutator import Mutator

DEEPEST_FORK = 2
MOST_CHILDREN = 2
LIFETIME = 60  # seconds, should nobody kill it


def new_code(number):
    """A function of its own name and line, which allocates, and dies."""
    names = {}
    text = "\n" * (number % 50) + "def function_%d(n):\n    return [bytes(n)] * 3\n"
    exec(text % number, names)
    return names["function_%d" % number](number % 3000)


def run_thread(model, thread, seed, stop):
    mutator = Mutator(model, thread, random.Random(seed))
    while not stop.is_set():
        mutator.steps(50)


def short_thread():
    return [object() for _ in range(20)]


class Program:
    def __init__(self, folder, seed, threads, forks):
        self.random = random.Random(seed)
        self.model = Model(folder)
        self.threads = threads
        self.forks = forks
        self.depth = 0
        self.children = 0
        self.mutator = Mutator(self.model, 0, self.random)

    def start_threads(self):
        self.stop = threading.Event()
        for thread in range(1, self.threads):
            arguments = (self.model, thread, self.random.random(), self.stop)
            started = threading.Thread(target=run_thread, args=arguments)
            started.daemon = True
            started.start()

    def fork(self):
        child = os.fork()
        self.children += 1
        if child == 0:
            # A parent that is killed leaves nobody who waits.
            signal.alarm(LIFETIME)
            self.model.create()
            self.depth += 1
            self.children = 0
            self.random.seed(os.getpid())
            if self.random.random() < 0.3:
                self.mutator.steps(self.random.randrange(2000))
                os._exit(0)

    def reap(self):
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                self.children -= 1
        except ChildProcessError:
            pass

    def step(self):
        chance = self.random.random()
        if chance < 0.90:
            self.mutator.steps(20)
        elif chance < 0.95:
            new_code(self.random.randrange(1 << 20))
        elif chance < 0.97:
            thread = threading.Thread(target=short_thread)
            thread.start()
            thread.join()
        else:
            self.reap()
            if self.may_fork():
                self.fork()

    def may_fork(self):
        return (
            self.forks and self.depth < DEEPEST_FORK and self.children < MOST_CHILDREN
        )

    def run(self):
        signal.alarm(LIFETIME)
        self.start_threads()
        os.write(1, b"runs\n")
        while True:
            self.step()


def main(folder, seed, threads, forks):
    assert 1 <= int(threads) <= THREADS
    Program(folder, int(seed), int(threads), forks == "1").run()


if __name__ == "__main__":
    main(*sys.argv[1:])
