#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the unit tests of an aarch64 build under qemu-user.

unit.py BUILD TREE: prints what fails, what is skipped and why, and as its last line the
numbers "PASSED FAILED SKIPPED". What the emulator cannot show is in emulator.list, a
line each:

    <file without test_>:<test>  <reason>       `*` is every test of the file
"""

import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
LIMIT = 1500  # seconds of one file, of the slowest on a busy machine


def known():
    """The reasons, by the name of a file and a test."""
    reasons = {}
    for line in (HERE / "emulator.list").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, reason = line.split(None, 1)
            reasons[tuple(name.split(":"))] = reason
    return reasons


def run(program, tree):
    """The output of one file's tests, and how it ended."""
    command = ["qemu-aarch64-static", "-L", str(tree), str(program)]
    environment = dict(os.environ, CK_DEFAULT_TIMEOUT="300")
    try:
        result = subprocess.run(
            command,
            cwd=str(program.parent),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LIMIT,
        )
    except subprocess.TimeoutExpired as late:
        return (late.stdout or b"").decode(errors="replace"), "no end in %d s" % LIMIT
    text = result.stdout.decode(errors="replace")
    return text, "" if result.returncode in (0, 1) else "status %d" % result.returncode


def main(build, tree):
    reasons = known()
    passed, failed, skipped = 0, 0, 0
    programs = sorted(pathlib.Path(build, "tests", "unit").glob("test_*"))
    for program in (path for path in programs if path.is_file()):
        name = program.name[len("test_") :]
        if (name, "*") in reasons:
            print("skipped: %s: %s" % (name, reasons[name, "*"]))
            skipped += 1
            continue
        text, ending = run(program, tree)
        counts = re.search(r"Checks: (\d+), Failures: (\d+), Errors: (\d+)", text)
        if ending or counts is None:
            print("FAILED %s: %s" % (name, ending or "no result"))
            failed += 1
            continue
        checks, failures, errors = map(int, counts.groups())
        passed += checks - failures - errors
        for line, test in re.findall(r"(.*:[FE]:[^:]*:([^:]*):.*)", text):
            reason = reasons.get((name, test))
            known_as = "skipped: %s: %s: %s" % (name, test, reason)
            print(known_as if reason else "FAILED " + line)
            skipped += reason is not None
            failed += reason is None
    print(passed, failed, skipped)
    return failed != 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
