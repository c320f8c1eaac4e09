# SPDX-License-Identifier: MIT
"""A program does what breaks tracers, in random order, untraced and traced.

How it ends and what it prints must be the same; each dump must be readable and, unless
it says what it lost, agree with the model of its process.
"""

import os
import pathlib
import re
import shutil
import subprocess

from trial import DIRECTORY, TIMEOUT, Trial, kill_group, without_addresses

MOST_STEPS = 12


class SequenceTrial(Trial):
    kind = "sequence"
    # Native frames: of code that no table describes, and on small signal stacks.
    may_lose = {"native", "cramped"}

    def play(self):
        random = self.random
        count, seed = random.randrange(1, MOST_STEPS + 1), random.randrange(1 << 30)
        self.steps = [str(seed), str(count), self.setup.native]
        self.steps += self.setup.without
        self.notes = ["native frames %d" % self.native_frames]
        plain = self.outcome("plain", self.environment)
        traced = self.outcome("traced", self.traced_environment)
        if plain != traced:
            self.explain(plain, traced)
        for path in self.files("*.dump*"):
            self.read_one(path)

    def outcome(self, name, environment):
        """How the program ended, and what it said; its files are gone afterwards."""
        outer, self.directory = self.directory, os.path.join(self.directory, name)
        os.mkdir(self.directory)
        os.chmod(self.directory, 0o777)
        try:
            return self.run_program(environment())
        finally:
            self.directory = outer

    def run_program(self, environment):
        program = [DIRECTORY / "sequence_program.py", self.directory] + self.steps
        process = self.start(
            program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        )
        try:
            out, errors = process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            out, errors = b"hung", b""
        finally:
            kill_group(process)
        self.keep("output", out)
        self.keep("errors", errors)
        return process.returncode, self.normal(out), self.normal(errors)

    def keep(self, name, text):
        """For who looks into a failure."""
        (pathlib.Path(self.directory) / name).write_bytes(text)

    def normal(self, text):
        """Without addresses, process ids, the directory, and the library's notices."""
        text = without_addresses(text.decode(errors="replace"))
        text = text.replace(self.directory, "DIRECTORY")
        text = re.sub(r"pid=\d+", "pid=?", text)
        lines = text.split("\n")
        # What a program says that may open no file any more, when it executes another;
        # and when its threads end, each or only one of them.
        ours = (
            "tracemalloc: ",
            "ERROR: ld.so: object '%s'" % self.setup.library,
            "libgcc_s.so.1 must be installed",
        )
        return "\n".join(line for line in lines if not line.startswith(ours))

    def explain(self, plain, traced):
        """The first difference, with the step before it."""
        for name, one, other in zip(("status", "output", "errors"), plain, traced):
            if one == other:
                continue
            if name == "status":
                self.fail("status %s, traced %s" % (one, other))
                continue
            old, new = one.split("\n"), other.split("\n")
            at = next(
                (n for n, pair in enumerate(zip(old, new)) if pair[0] != pair[1]),
                min(len(old), len(new)),
            )
            self.fail(
                "%s: line %d\n  plain:  %s\n  traced: %s"
                % (
                    name,
                    at + 1,
                    old[max(0, at - 1) : at + 2],
                    new[max(0, at - 1) : at + 2],
                )
            )

    def files(self, pattern):
        return sorted((pathlib.Path(self.directory) / "traced").glob(pattern))

    def read_one(self, path):
        """The dump by both readers. One that was cut off need not be readable."""
        dump = self.compare(path, 1)
        self.ask("info", path)
        if dump is not None and dump.state == "exited" and dump.complete:
            dump.check_sums(0)
