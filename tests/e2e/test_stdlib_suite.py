#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""CPython's own test.test_tracemalloc: each test ends the same with and without us.

As a program, `test_stdlib_suite.py LIBRARY [INTERPRETER...]` prints the table: passed,
failed and skipped of each interpreter, without the library and with it. With `--all` it
is CPython's whole suite, for which see whole_suite.py.
"""

import argparse
import collections
import json
import os
import sys
import tempfile

import pytest

import conftest
import whole_suite

SUITE = "test.test_tracemalloc"
MISSING = 77
TIMEOUT = 300

# Writes the result of each test as JSON to a file. A test that failed in several ways,
# or in a subtest, has failed.
PROGRAM = """
import json, sys, unittest

class Recorder(unittest.TestResult):
    results = {}

    def note(self, test, result):
        if self.results.get(test.id()) != "failed":
            self.results[test.id()] = result

    def addSuccess(self, test):
        self.note(test, "passed")

    def addSkip(self, test, reason):
        self.note(test, "skipped")

    def addExpectedFailure(self, test, error):
        self.note(test, "passed")

    def addUnexpectedSuccess(self, test):
        self.note(test, "failed")

    def addFailure(self, test, error):
        self.note(test, "failed")
        print(test.id(), self._exc_info_to_string(error, test), file=sys.stderr)

    addError = addFailure

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.addFailure(test, error)

try:
    suite = unittest.defaultTestLoader.loadTestsFromName(sys.argv[1])
    __import__(sys.argv[1])
except (ImportError, AttributeError):
    sys.exit(77)

# Some tests count on the frames of a real runner beneath them.
def run_below(frames):
    run_below(frames - 1) if frames else suite.run(Recorder())

run_below(10)
with open(sys.argv[2], "w") as file:
    json.dump(Recorder.results, file)
"""


def run_suite(interpreter, folder, **environment):
    """The result of each test by its name, and what failures said; None: no suite."""
    out = os.path.join(str(folder), "results")
    program = [interpreter.path, "-B", "-c", PROGRAM, SUITE, out]
    done = conftest.run(program, env=environment, cwd=str(folder), timeout=TIMEOUT)
    if done.returncode == MISSING:
        return None
    assert done.returncode == 0, done.stderr
    with open(out, encoding="utf-8") as file:
        return json.load(file), done.stderr


def run_both(interpreter, library, folder):
    """Both runs' results, and what the traced one said; None: no suite."""
    plain = run_suite(interpreter, folder)
    if plain is None:
        return None
    dumps = os.path.join(str(folder), "%p.dump")
    traced = run_suite(
        interpreter,
        folder,
        LD_PRELOAD=library,
        TRACEMALLOC_OUTPUT=dumps,
        TRACEMALLOC_QUIET="1",
    )
    return plain[0], traced[0], traced[1]


def summary(results):
    count = collections.Counter(results.values())
    return "/".join(str(count[kind]) for kind in ("passed", "failed", "skipped"))


def differences(plain, traced):
    """One line a test whose result is another one under the library."""
    names = sorted(set(plain) | set(traced))
    each = [(name, plain.get(name), traced.get(name)) for name in names]
    return ["%s: %s, not %s" % (name, b, a) for name, a, b in each if a != b]


def test_same_results(interpreter, library, tmp_path):
    both = run_both(interpreter, library, tmp_path)
    if both is None:
        pytest.skip("%s has no %s" % (interpreter, SUITE))
    plain, traced, said = both
    print("without %s, with %s" % (summary(plain), summary(traced)))
    assert len(plain) > 40
    assert not differences(plain, traced), said


def print_row(interpreter, library):
    """Whether the results are the same."""
    with tempfile.TemporaryDirectory() as folder:
        both = run_both(interpreter, library, folder)
    if both is None:
        print("%-60s has no %s" % (interpreter, SUITE))
        return True
    different = differences(*both[:2])
    print("%-60s %-12s %-12s" % (interpreter, summary(both[0]), summary(both[1])))
    for line in different:
        print("    " + line)
    return not different


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("library", help="libtracemalloc.so")
    parser.add_argument("paths", nargs="*", help="interpreters (default: all)")
    parser.add_argument("--python", action="append", default=[], help="another one")
    parser.add_argument("--all", action="store_true", help="CPython's whole suite")
    parser.add_argument("--module", action="append", help="with --all: this one alone")
    parser.add_argument("-j", type=int, default=1, help="with --all: at once")
    return parser.parse_args()


def main():
    options = arguments()
    paths = options.paths + options.python
    found = [conftest.Interpreter(path) for path in paths] or conftest.interpreters()
    library = os.path.abspath(options.library)
    if options.all:
        same = whole_suite.main(library, found, options.j, options.module)
        return 0 if same else 1
    print("%-60s %-12s %-12s" % ("passed/failed/skipped", "without", "with"))
    return 0 if all([print_row(python, library) for python in found]) else 1


if __name__ == "__main__":
    sys.exit(main())
