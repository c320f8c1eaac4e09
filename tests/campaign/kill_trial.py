# SPDX-License-Identifier: MIT
"""A program and its children are killed at a random instant; each dump must be right.

In some trials the command meanwhile copies the dump, and stops, starts or clears the
tracing.
"""

import subprocess
import time

from trial import DIRECTORY, TIMEOUT, Trial, kill_group

LONGEST = 1.5  # seconds until the kill
REQUESTS = 4


class KillTrial(Trial):
    kind = "kill"

    def play(self):
        random = self.random
        self.threads = random.choice((1, 1, 2, 4))
        forks = random.choice("001")
        requests = random.choice(("", "", "", "snapshot", "all"))
        self.notes = ["%d threads" % self.threads, "forks " + forks, requests]
        process = self.start(
            [DIRECTORY / "killed_program.py", self.directory]
            + [random.randrange(1 << 30), self.threads, forks],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.traced_environment(),
        )
        try:
            self.wait_and_kill(process, requests)
        finally:
            kill_group(process)
        self.kills += 1
        said = process.stderr.read().decode(errors="replace")
        process.stdout.close()
        process.stderr.close()
        if process.returncode != -9:
            self.fail("ended before the kill: %d\n%s" % (process.returncode, said))
        self.read_all(requests == "all")

    def wait_and_kill(self, process, requests):
        """One kill in five comes while the interpreter starts."""
        random = self.random
        if random.random() < 0.2:
            time.sleep(random.random() * 0.2)
            return
        process.stdout.readline()
        until = time.monotonic() + random.random() * random.choice((0.05, LONGEST))
        for number in range(REQUESTS if requests else 0):
            time.sleep(max(0, until - time.monotonic()) / REQUESTS * random.random())
            self.request(process, requests, number)
        time.sleep(max(0, until - time.monotonic()))

    def request(self, process, requests, number):
        name = "snapshot"
        if requests == "all":
            name = self.random.choice(("snapshot", "stop", "start", "clear"))
        out = "%s/snapshot.%d.copy" % (self.directory, number)
        self.ask(name, *(["-o", out] if name == "snapshot" else []), process.pid)

    def read_all(self, requested):
        dumps = self.files("*.dump*")
        for path in dumps:
            if self.is_not_begun(path):
                continue
            dump = self.compare(path, self.threads, requested)
            if dump is not None:
                self.expect_state(path, dump, requested)
        for path in self.files("*.copy"):
            self.read_dump(path, self.threads * 64)

    def is_not_begun(self, path):
        """Whether the process was killed before its dump had a header, which was before
        its program began or went on after a fork."""
        with open(str(path), "rb") as file:
            magic = file.read(8)
        return not any(magic) and self.model_of(path) is None

    def expect_state(self, path, dump, requested):
        allowed = {"tracing", "exited"} | ({"stopped"} if requested else set())
        if dump.state not in allowed:
            self.fail("%s: state %s" % (path.name, dump.state))


assert LONGEST < TIMEOUT
