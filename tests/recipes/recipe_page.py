# SPDX-License-Identifier: MIT
"""A page of doc/recipes as a program: its files, its commands and what they printed.

The first word after three backquotes is the language, as anywhere. The second one is
the name of a file that has these lines, or a role: `start`, `load` or `ask`. A third
one is the name of a variant of the page, and a block without it belongs to all.
Commands follow `$ `, and what they printed comes after them.
"""

import os
import re
import signal
import socket
import subprocess
import time

ROLES = ("start", "load", "ask")
BLOCK = re.compile(r"^```(\w+) (\S+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)
NAMED = re.compile(r"([\w-]+\.(?:py|ipynb):\d+) in (\S+) +(LEAK|backlog|watch)\b")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PORT = "8000"


class Page:
    """The blocks of one page."""

    def __init__(self, path):
        self.blocks = BLOCK.findall(path.read_text())

    def files(self):
        """{name: lines}"""
        return {name: text for _, name, _, text in self.blocks if name not in ROLES}

    def texts(self, role, variant=None):
        """The variant's blocks of that role, or those of all variants."""
        of_role = [block for block in self.blocks if block[1] == role]
        own = [text for _, _, name, text in of_role if variant and name == variant]
        return own or [text for _, _, name, text in of_role if not name]

    def commands(self, role, variant=None):
        found = []
        for text in self.texts(role, variant):
            found += re.findall(r"^\$ ((?:.*\\\n)*.*)$", text, re.M)
        return found

    def printed(self, variant=None):
        """What `ask` printed when the page was written."""
        texts = self.texts("ask", variant)
        return "".join(re.sub(r"^\$ (?:.*\\\n)*.*\n", "", t, flags=re.M) for t in texts)


def named(report):
    """{(file:line, function, verdict)} of a report of `tracemalloc leaks`"""
    return set(NAMED.findall(COLOUR.sub("", report)))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Trial:
    """A page that is tried in a directory, with its port replaced by a free one."""

    def __init__(self, page, directory, environment, variant=None, limit=100):
        self.page = page
        self.variant = variant
        self.directory = directory
        self.environment = environment
        self.port = free_port()
        self.end = time.time() + limit
        self.background = []
        for name, text in page.files().items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace(PORT, str(self.port)))

    def shell(self, command, **options):
        text = command.replace(PORT, str(self.port))
        return subprocess.Popen(
            ["bash", "-c", text],
            cwd=str(self.directory),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            universal_newlines=True,
            start_new_session=True,
            **options,
        )

    def run(self, command):
        """What a command of the page prints on standard output."""
        process = self.shell(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.background.append(process)
        out, errors = process.communicate(timeout=max(1, self.end - time.time()))
        assert process.returncode == 0, (command, out, errors, self.log())
        return out

    def start(self):
        """Runs the page's `start`; what ends with & goes on until stop()."""
        for command in self.page.commands("start", self.variant):
            if not command.endswith("&"):
                self.run(command)
                continue
            with open(str(self.directory / "background.log"), "a") as log:
                # The shell would not wait for a job of its own.
                process = self.shell("exec " + command[:-1], stdout=log, stderr=log)
            self.background.append(process)

    def log(self):
        path = self.directory / "background.log"
        return path.read_text() if path.exists() else ""

    def wait_for(self, condition):
        while not condition():
            assert time.time() < self.end, self.log()
            time.sleep(0.1)

    def wait_for_port(self):
        def answers():
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", self.port)) == 0

        self.wait_for(answers)

    def load(self):
        for command in self.page.commands("load", self.variant):
            self.run(command)

    def ask(self):
        """What the page's `ask` prints once it names what the page says.

        Until then there is more load; a page without it has a program that ends, which
        runs again.
        """
        expected = named(self.page.printed(self.variant))
        assert expected, "the page names no line"
        has_load = bool(self.page.commands("load", self.variant))
        self.load()
        while True:
            commands = self.page.commands("ask", self.variant)
            report = "".join(self.run(command) for command in commands)
            if expected <= named(report):
                return report
            assert time.time() < self.end, (expected, report, self.log())
            again = self.load if has_load else self.start
            again()

    def stop(self):
        """Ends what start() left; the sessions are those of this trial alone."""
        for process in self.background:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
