# SPDX-License-Identifier: MIT
"""The markers limit_memory and limit_leaks, with the arguments of pytest-memray."""

import os
import re
from collections import namedtuple

NAMES = ("limit_memory", "limit_leaks")
LINES = 5
STARTED_IN = os.path.join(os.getcwd(), "")
SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([KMGTP]?)i?B\s*$")

# What filter_fn of limit_leaks is called with.
Stack = namedtuple("Stack", ["frames"])
StackFrame = namedtuple("StackFrame", ["function", "filename", "lineno"])


def parse_size(text):
    """Bytes of "24 MB"; units are powers of 1024."""
    match = SIZE.match(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("%r is not a size such as '24 MB'" % (text,))
    return int(float(match.group(1)) * 1024 ** " KMGTP".index(match.group(2) or " "))


def show_size(size):
    value, unit = float(size), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if value < 1024 or unit == "TiB":
            break
        value /= 1024
    return "%d B" % value if unit == "B" else "%.1f %s" % (value, unit)


def show_frame(frame):
    filename, line, function = frame
    if filename.startswith(STARTED_IN):
        filename = filename[len(STARTED_IN) :]
    where = "%s:%d" % (filename, line) if line else filename
    return "%s in %s" % (where, function) if function else where


def show_line(entry):
    size, blocks, frames = entry
    plural = "" if blocks == 1 else "s"
    where = show_frame(frames[-1]) if frames else "no Python frame"
    return "%s in %d block%s  %s" % (show_size(size), blocks, plural, where)


class MemoryLimit:
    def __init__(self, memory_limit, *, current_thread_only=False):
        self.limit = parse_size(memory_limit)

    def exceeded(self, measured, engine):
        """What a test that exceeds the limit fails with, or None."""
        if measured.peak <= self.limit:
            return None
        lines = [
            "Test was limited to %s and needed %s at its peak"
            % (show_size(self.limit), show_size(measured.peak))
        ]
        found = engine.peak_lines(LINES)
        return "\n".join(lines + ["    " + show_line(entry) for entry in found])


class LeaksLimit:
    def __init__(self, location_limit, *, filter_fn=None, current_thread_only=False):
        self.limit = parse_size(location_limit)
        self.filter = filter_fn

    def is_leak(self, entry):
        size, _, frames = entry
        if size <= self.limit or self.filter is None:
            return size > self.limit
        found = [StackFrame(name, file, line) for file, line, name in reversed(frames)]
        return bool(self.filter(Stack(tuple(found))))

    def exceeded(self, measured, engine):
        if measured.kept <= self.limit:
            return None
        leaks = [entry for entry in engine.kept_stacks() if self.is_leak(entry)]
        if not leaks:
            return None
        lines = ["Test was allowed to leak %s per call stack" % show_size(self.limit)]
        for entry in leaks[:LINES]:
            lines.append("    " + show_line(entry))
            callers = entry[2][-LINES:-1]
            lines += ["        called from " + show_frame(f) for f in reversed(callers)]
        return "\n".join(lines)


def limits_of(item):
    """The limits of a test. ValueError or TypeError for wrong arguments."""
    kinds = {"limit_memory": MemoryLimit, "limit_leaks": LeaksLimit}
    found = []
    for name in NAMES:
        marker = item.get_closest_marker(name)
        if marker is not None:
            found.append(kinds[name](*marker.args, **marker.kwargs))
    return found
