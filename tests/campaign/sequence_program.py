# SPDX-License-Identifier: MIT
"""sequence_program.py FOLDER SEED COUNT NATIVE [FORBIDDEN...]: steps drawn by a seed.

What it prints and how it ends must not depend on whether it is traced. Each step's
result is a line; errors of the system are results as well.
"""

import ctypes
import os
import random
import sys
import threading

import step_descriptors
import step_forks
import step_limits
import step_memory
import step_privileges
import step_signals
from model import Model
from mutator import Mutator

OUTPUT = 200  # the descriptor of the results, which no step closes
DEEPEST = 2
STEPS = {}
kept = []  # what is alive until the interpreter ends
for module in (
    step_descriptors,
    step_forks,
    step_limits,
    step_memory,
    step_privileges,
    step_signals,
):
    STEPS.update(module.STEPS)


class Context:
    """What a step may use."""

    def __init__(self, folder, seed, native, forbidden):
        self.folder = folder
        self.random = random.Random(seed)
        self.names = sorted(set(STEPS) - set(forbidden))
        self.native = ctypes.CDLL(native)
        # Forks that tell nobody want the lock of the interpreter in the child too.
        self.holding = ctypes.PyDLL(native)
        self.native.campaign_disposition.restype = ctypes.c_long
        self.native.campaign_jit.argtypes = [ctypes.c_uint64] * 2
        self.native.campaign_alternate_stack.argtypes = [ctypes.c_size_t]
        self.depth = 0
        self.files = 0
        self.model = Model(folder)
        self.mutator = Mutator(self.model, 0, random.Random(seed))

    def tell(self, text):
        os.write(OUTPUT, ("%s%s\n" % ("  " * self.depth, text)).encode())

    def path(self):
        """A name of a new file."""
        self.files += 1
        name = "file.%d.%d" % (os.getpid(), self.files)
        return os.path.join(self.folder, name)

    def is_deep(self):
        return self.depth >= DEEPEST

    def enter_child(self):
        """In a forked child, before anything else."""
        self.depth += 1
        self.model.create()

    def allocate(self):
        """Ordinary work: events that the model knows, and new stacks."""
        self.mutator.steps(self.random.randrange(400))

    def run_steps(self, count):
        for _ in range(count):
            self.run_step(self.random.choice(self.names))

    def run_step(self, name):
        self.allocate()
        seed = self.random.random()
        saved = self.random.getstate()
        self.random.seed(seed)
        try:
            result = STEPS[name](self)
        except OSError as error:
            result = "%s %s" % (type(error).__name__, error.errno)
        except (MemoryError, RuntimeError, ValueError) as error:
            result = type(error).__name__
        # Whatever a step drew, the next one begins alike.
        self.random.setstate(saved)
        self.tell("%s: %s" % (name, result))


def end(context):
    """One of the ways to end."""
    way = context.random.choice(("exit", "_exit", "exception", "thread", "return"))
    status = context.random.randrange(100)
    context.tell("ends by %s" % way)
    if way == "exit":
        sys.exit(status)
    if way == "_exit":
        os._exit(status)
    if way == "exception":
        raise KeyError("the end")
    if way == "thread":
        threading.Thread(target=sys.exit, args=(1,)).start()


def main(folder, seed, count, native, *forbidden):
    os.dup2(1, OUTPUT)
    # Before 3.7 a thread that ends loads this one, and libc aborts if it cannot, as
    # when few files may be open: whether the process has ended by then is a race.
    ctypes.CDLL("libgcc_s.so.1")
    context = Context(folder, int(seed), native, forbidden)
    kept.append(context)
    context.run_steps(int(count))
    context.allocate()
    end(context)


if __name__ == "__main__":
    main(*sys.argv[1:])
