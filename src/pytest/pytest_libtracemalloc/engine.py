# SPDX-License-Identifier: MIT
"""libtracemalloc in this process: starting, measuring, and asking the command.

The library is called by its C API. All numbers are of this process: of Python's
objects, libc's blocks and anonymous mappings.
"""

import ctypes
import json
import os
import pathlib
import shutil
import subprocess

NFRAME = 25


def find(name, *directories):
    """The path of a file of this package's wheel, or None.

    Modules are in PREFIX/lib*/pythonX.Y/site-packages or, with `pip install --target`,
    in PREFIX itself.
    """
    for parent in list(pathlib.Path(__file__).resolve().parents)[1:6]:
        for directory in directories:
            path = parent / directory / name
            if path.is_file():
                return str(path)
    return None


def library_path():
    return find("libtracemalloc.so", "lib")


def command_path():
    return find("tracemalloc", "bin") or shutil.which("tracemalloc")


class Totals(ctypes.Structure):
    """struct tracemalloc_totals"""

    _fields_ = [
        ("bytes", ctypes.c_uint64),
        ("peak_bytes", ctypes.c_uint64),
        ("allocations", ctypes.c_uint64),
    ]


def loaded():
    """The library in this process, or None."""
    process = ctypes.CDLL(None)
    return process if hasattr(process, "tracemalloc_get_totals") else None


class Measured:
    """What one test allocated."""

    def __init__(self, peak, kept, allocations):
        self.peak = peak
        self.kept = kept
        self.allocations = allocations


def difference(entries, before):
    """The entries with more bytes than before, and by how much."""
    old = {tuple(frames): (size, blocks) for size, blocks, frames in before}
    grown = []
    for size, blocks, frames in entries:
        old_size, old_blocks = old.get(tuple(frames), (0, 0))
        if size > old_size:
            grown.append((size - old_size, max(0, blocks - old_blocks), frames))
    return sorted(grown, key=lambda entry: -entry[0])


class Engine:
    """Traces while a test runs.

    If the process is traced already, by `tracemalloc run`, its tracing goes on: the
    peak begins anew with each test, and what was there before is subtracted. Otherwise
    tracing begins with the test and ends with it.
    """

    def __init__(self, library, directory):
        self.library = library
        self.shared = False
        self.before = os.path.join(directory, "%d.before" % os.getpid())
        self.after = os.path.join(directory, "%d.after" % os.getpid())
        self.output = os.path.join(directory, "%d.dump" % os.getpid())

    def begin(self):
        self.shared = bool(self.library.tracemalloc_is_tracing())
        self.base = Totals()
        for path in (self.before, self.after):
            if os.path.exists(path):
                os.unlink(path)
        if not self.shared:
            self.library.tracemalloc_start(NFRAME)
            return
        self.library.tracemalloc_snapshot(self.before.encode())
        self.library.tracemalloc_reset_peak()
        self.library.tracemalloc_get_totals(ctypes.byref(self.base))

    def end(self):
        """What was Measured; None if the test itself stopped the tracing."""
        totals = Totals()
        error = self.library.tracemalloc_get_totals(ctypes.byref(totals))
        if error == 0:
            self.library.tracemalloc_snapshot(self.after.encode())
        if not self.shared:
            self.library.tracemalloc_stop()
            if os.path.exists(self.output):
                os.unlink(self.output)
        if error != 0:
            return None
        return Measured(
            max(0, totals.peak_bytes - self.base.bytes),
            max(0, totals.bytes - self.base.bytes),
            max(0, totals.allocations - self.base.allocations),
        )

    def peak_lines(self, limit):
        """[(bytes, blocks, frames)] of the lines that held most at the test's peak.

        In a shared tracing, where older blocks would be among them: by how much more
        they held than before the test. Those that held less than a hundredth of the
        first are left out.
        """
        at_peak = ["stats", "--at", "peak", "-l", "all" if self.shared else str(limit)]
        found = self.ask(at_peak + [self.after])
        if self.shared:
            before = self.ask(["stats", "-l", "all", self.before])
            found = difference(found, before)[:limit]
        return [entry for entry in found if 100 * entry[0] >= found[0][0]]

    def kept_stacks(self):
        """[(bytes, blocks, frames)] of what was not freed, by call stack."""
        if self.shared:
            grown = ["compare", "-g", "traceback", "-l", "all", self.before, self.after]
            return [entry for entry in self.ask(grown) if entry[0] > 0]
        return self.ask(["stats", "-g", "traceback", "-l", "all", self.after])

    def ask(self, arguments):
        command = command_path()
        if command is None:
            return []
        answer = subprocess.run(
            [command] + arguments + ["--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        if answer.returncode != 0:
            return []
        entries = json.loads(answer.stdout.decode())["statistics"]
        return [
            (
                entry.get("size_diff", entry["size"]),
                entry.get("count_diff", entry["count"]),
                [
                    (f["filename"], f["lineno"], f["function"])
                    for f in entry["traceback"]
                ],
            )
            for entry in entries
        ]
