#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random trials of the library: programs that are killed, and programs that do what
breaks tracers, whose outcome is compared with that of an untraced run.

Each trial draws everything from the campaign's seed and its own number, so that any one
can be repeated. Every 30 seconds a line says how far the campaign is. The last line is
the sum. The exit status is 1 if any trial failed; its files are kept, and the command
that repeats it is printed. Ctrl-C ends with the sum as well.
"""

import argparse
import concurrent.futures
import itertools
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

import conftest  # noqa: E402
from kill_trial import KillTrial  # noqa: E402
from sequence_trial import SequenceTrial  # noqa: E402
from trial import DIRECTORY, Setup  # noqa: E402

EVERY = 30  # seconds
LEAST_TRIALS = 10  # so many compare something, or none of them works
BUILD = conftest.ROOT / "build" / "test" / "src"
TRIALS = {"kill": KillTrial, "sequence": SequenceTrial}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    add("--library", default=str(BUILD / "preload" / "libtracemalloc.so"))
    add("--command", default=str(BUILD / "cli" / "tracemalloc"))
    add("--minutes", type=float, default=5, help="how long (default 5)")
    add("--python", action="append", help="an interpreter; repeatable (default: three)")
    add("--seed", default=str(random.SystemRandom().randrange(1 << 32)))
    add("--trial", type=int, help="repeat this one alone")
    add("--kind", choices=sorted(TRIALS), help="trials of this kind alone")
    add("--without", action="append", help="a step that is left out; repeatable")
    add("--jobs", type=int, default=max(1, (os.cpu_count() or 1)), help="at once")
    add("--keep", help="where the directory of failed trials is made (default: /tmp)")
    return parser.parse_args()


def sample_of_interpreters():
    """The oldest, a middle and the newest one."""
    found = [interpreter.path for interpreter in conftest.interpreters()]
    return list(dict.fromkeys([found[0], found[len(found) // 2], found[-1]]))


def build_native(directory):
    out = os.path.join(directory, "native.so")
    options = ["-std=gnu11", "-O1", "-shared", "-fPIC", "-pthread"]
    subprocess.check_call(["cc"] + options + ["-o", out, str(DIRECTORY / "native.c")])
    return out


class Campaign:
    def __init__(self, options, setup):
        self.options = options
        self.setup = setup
        self.pythons = options.python or sample_of_interpreters()
        self.started = time.monotonic()
        self.trials = self.kills = self.dumps = self.counters = self.wrong = 0
        self.failed = 0

    def trial(self, number):
        """The trial of this number: kinds and interpreters take turns."""
        kinds = [self.options.kind] if self.options.kind else sorted(TRIALS)
        kind = kinds[number % len(kinds)]
        python = self.pythons[number // len(kinds) % len(self.pythons)]
        return TRIALS[kind](self.setup, number, python)

    def count(self, trial):
        self.trials += 1
        for name in "kills", "dumps", "counters", "wrong":
            setattr(self, name, getattr(self, name) + getattr(trial, name))
        if trial.problems:
            self.failed += 1
            self.report(trial)

    def report(self, trial):
        print(
            "FAILED trial %d: %s on %s" % (trial.number, trial.kind, trial.interpreter)
        )
        print("  " + ", ".join(filter(None, trial.notes)))
        for problem in trial.problems[:10]:
            print("  " + problem.replace("\n", "\n  "))
        print("  files: " + trial.directory)
        print("  again: " + self.command_of(trial), flush=True)

    def command_of(self, trial):
        parts = [sys.argv[0], "--seed", self.setup.seed, "--trial", str(trial.number)]
        parts += itertools.chain(*(["--python", path] for path in self.pythons))
        parts += itertools.chain(*(["--without", name] for name in self.setup.without))
        if self.options.kind:
            parts += ["--kind", self.options.kind]
        parts += ["--library", self.setup.library, "--command", self.setup.command]
        return " ".join(parts)

    def figures(self):
        return "%d trials, %d kills, %d dumps read, %d counters compared, %d wrong" % (
            self.trials,
            self.kills,
            self.dumps,
            self.counters,
            self.wrong,
        )

    def tell(self):
        seconds = time.monotonic() - self.started
        print(
            "%5.0f s: %s, %d failed" % (seconds, self.figures(), self.failed),
            flush=True,
        )

    def run(self):
        until = self.started + self.options.minutes * 60
        numbers = itertools.count()
        told = self.started
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            waiting = set()
            try:
                while True:
                    while len(waiting) < self.options.jobs and time.monotonic() < until:
                        waiting.add(pool.submit(self.trial(next(numbers)).run))
                    if not waiting:
                        return
                    waiting = self.collect(waiting)
                    if time.monotonic() - told >= EVERY:
                        told = time.monotonic()
                        self.tell()
            except KeyboardInterrupt:
                print("interrupted")
                self.collect(waiting, concurrent.futures.ALL_COMPLETED)

    def collect(self, waiting, which=concurrent.futures.FIRST_COMPLETED):
        done, waiting = concurrent.futures.wait(waiting, EVERY, return_when=which)
        for future in done:
            self.count(future.result())
        return waiting


def main():
    options = arguments()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if options.keep:
        os.makedirs(options.keep, exist_ok=True)
    # Absolute, for programs that run elsewhere; new, for it is removed if none failed.
    directory = os.path.abspath(
        tempfile.mkdtemp(prefix="tracemalloc-campaign-", dir=options.keep)
    )
    os.chmod(directory, 0o755)
    setup = Setup(options, build_native(directory), directory)
    campaign = Campaign(options, setup)
    print("seed %s, %s" % (options.seed, " ".join(campaign.pythons)), flush=True)
    if options.trial is None:
        campaign.run()
    else:
        campaign.count(campaign.trial(options.trial).run())
    if not campaign.failed:
        shutil.rmtree(directory, ignore_errors=True)
    print(campaign.figures())
    if campaign.trials >= LEAST_TRIALS and campaign.counters == 0:
        print("nothing was compared")
        return 1
    return 1 if campaign.failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(main())
