# SPDX-License-Identifier: MIT
"""One trial of the campaign: what it runs with, what it counts, what was wrong."""

import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile

import checked_dump
import model

DIRECTORY = pathlib.Path(__file__).resolve().parent
TIMEOUT = 60  # seconds until a program counts as hung


class Setup:
    """What all trials share."""

    def __init__(self, options, native, directory):
        self.library = os.path.abspath(options.library)
        self.command = os.path.abspath(options.command)
        self.seed = options.seed
        self.without = options.without or []  # steps that no sequence has
        self.native = native  # the shared object of native.c
        self.directory = directory  # where trials have their folders


class Trial:
    """One trial and its figures. What it draws depends on the seed and its number."""

    kind = None
    may_lose = set()  # reasons for which any of its dumps may be incomplete

    def __init__(self, setup, number, interpreter):
        self.setup = setup
        self.number = number
        self.interpreter = interpreter
        self.random = random.Random("%s/%d" % (setup.seed, number))
        self.native_frames = self.random.choice((0, 0, 30))
        self.kills = self.dumps = self.counters = self.wrong = 0
        self.problems = []
        self.notes = []  # what was drawn, for who reads a failure

    def run(self):
        """Runs it in a directory of its own, which stays if something was wrong."""
        prefix = "%s-%d-" % (self.kind, self.number)
        self.directory = tempfile.mkdtemp(prefix=prefix, dir=self.setup.directory)
        # Programs that drop their privileges write there too.
        os.chmod(self.directory, 0o777)
        try:
            self.play()
        except checked_dump.WrongDump as error:
            self.fail(str(error))
        except subprocess.TimeoutExpired:
            self.fail("hung for %d s" % TIMEOUT)
        if not self.problems:
            shutil.rmtree(self.directory, ignore_errors=True)
        return self

    def fail(self, text):
        self.problems.append(text)

    def environment(self, **changes):
        unwanted = ("PYTHON", "TRACEMALLOC_", "LD_PRELOAD")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
        kept.update(PYTHONDONTWRITEBYTECODE="1", PYTHONHASHSEED="0")
        return dict(kept, **changes)

    def traced_environment(self):
        return self.environment(
            LD_PRELOAD=self.setup.library,
            PYTHONTRACEMALLOC=str(self.random.choice((1, 5, 25, 100))),
            TRACEMALLOC_OUTPUT=os.path.join(self.directory, "%p.dump"),
            TRACEMALLOC_FREE_LISTS=self.random.choice("01"),
            TRACEMALLOC_NATIVE_FRAMES=str(self.native_frames),
        )

    def start(self, program, **options):
        """A process that leads a group of its own."""
        return subprocess.Popen(
            [self.interpreter, "-B"] + [str(part) for part in program],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            cwd=self.directory,
            **options,
        )

    def files(self, pattern):
        return sorted(pathlib.Path(self.directory).glob(pattern))

    def read_dump(self, path, threads):
        """The dump; its sums were compared."""
        dump = checked_dump.CheckedDump(path)
        self.dumps += 1
        dump.check_sums(threads)
        return dump

    def compare(self, path, threads, steered=False):
        """Reads a dump, and compares it with the model of its process.

        A program that was steered has blocks that no dump is to know of, but for one
        that only was copied.
        """
        recorded = self.model_of(path)
        try:
            dump = self.read_dump(path, threads)
        except checked_dump.WrongDump as error:
            if recorded is None or recorded.comparable:
                self.wrong += 1
                self.fail("%s: %s" % (path.name, error))
            return None
        lost = {reason: count for reason, count in dump.lost.items() if count}
        if lost.keys() - self.may_lose and not self.is_excused(path, recorded):
            self.fail("%s: lost %s" % (path.name, lost))
        stopped = dump.state == "stopped" or dump.cleared
        untouched = not stopped and not (steered and dump.generation)
        whole = not lost.keys() - {"native", "cramped"}  # no block less
        if recorded and recorded.comparable and whole and untouched:
            self.compare_counts(path, dump, recorded)
        return dump

    def is_excused(self, path, recorded):
        """Whether a process, or the one that it has its limits from, may lose events.

        A child that was made by a bare system call has no model of its own."""
        if recorded is not None:
            return recorded.excused
        others = path.parent.glob("model.*")
        return any(model.Recorded(other).excused for other in others)

    def compare_counts(self, path, dump, recorded):
        wrong = dump.differences(recorded.low, recorded.high)
        self.counters += len(model.KINDS)
        self.wrong += len(wrong)
        for line in wrong:
            self.fail("%s: %s" % (path.name, line))

    def model_of(self, dump):
        """What the process of a dump recorded, by the file's name."""
        path = dump.parent / ("model." + dump.name.split(".")[0])
        return model.Recorded(path) if path.exists() else None

    def ask(self, *arguments):
        """The command's result; it is never killed by a signal, and never hangs."""
        done = subprocess.run(
            [self.setup.command] + [str(part) for part in arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=TIMEOUT,
        )
        if done.returncode not in (0, 1):
            self.fail("tracemalloc %s: status %d" % (arguments[0], done.returncode))
        return done


def kill_group(process):
    """SIGKILL for the process and all its children, at once; waits for it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def without_addresses(text):
    return re.sub(r"\b0x[0-9a-f]+", "0x?", text)
