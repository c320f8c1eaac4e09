# SPDX-License-Identifier: MIT
"""The whole of CPython's own tests with and without the library, module by module.

A module runs in a process and a directory of its own. Where the two runs differ, both
are repeated: a test differs if its results do each time. So what fails now and then
because the machine is busy is no difference.
"""

import collections
import concurrent.futures
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import conftest

TIMEOUT = 1200  # seconds for a module
REPEATS = 3
FRAMES = "25"
# It starts and stops tracing itself.
NOT_TRACED = {"test_tracemalloc"}

Run = collections.namedtuple("Run", "results said")


def modules(interpreter):
    """The names of the suite's modules."""
    done = interpreter.run("-m", "test", "--list-tests")
    return [line for line in done.stdout.split() if line.startswith("test")]


def result_of_case(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


def results_of_cases(path):
    """Those of the report. One name may stand for many subtests: any may fail."""
    results = {}
    if os.path.exists(path):
        for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
            name, result = case.get("name", "unnamed"), result_of_case(case)
            if results.get(name) != "failed":
                results[name] = result
    return results


def result_of_module(status, said):
    """How the process ended; a module may skip itself, and then there are no cases."""
    if re.search(r"^\S+ skipped( --|$)", said, re.MULTILINE):
        return "skipped"
    return "passed" if status == 0 else "failed with status %d" % status


def run_module(interpreter, module, environment):
    with tempfile.TemporaryDirectory() as directory:
        report = os.path.join(directory, "report.xml")
        changes = dict(environment)
        if changes:
            changes["TRACEMALLOC_OUTPUT"] = os.path.join(directory, "%p.dump")
        if module in NOT_TRACED:
            changes.pop("PYTHONTRACEMALLOC", None)
        command = [interpreter.path, "-B", "-m", "test", "--junit-xml", report, module]
        work = os.path.join(directory, "work")
        os.mkdir(work)
        try:
            done = conftest.run(command, env=changes, cwd=work, timeout=TIMEOUT)
            status, said = done.returncode, done.stdout + done.stderr
        except subprocess.TimeoutExpired:
            return Run({module: "hung"}, "")
        results = results_of_cases(report)
    results[module] = result_of_module(status, said)
    return Run(results, said)


def differing(plain, traced):
    """Names whose results are not the same, with both."""
    names = sorted(set(plain.results) | set(traced.results))
    pairs = ((n, plain.results.get(n), traced.results.get(n)) for n in names)
    return {name: (one, other) for name, one, other in pairs if one != other}


def compare_module(interpreter, module, environment):
    """The last two runs, and what differed in each of the pairs."""
    always = None
    for _ in range(REPEATS):
        plain = run_module(interpreter, module, {})
        traced = run_module(interpreter, module, environment)
        different = differing(plain, traced)
        always = {n: p for n, p in different.items() if always is None or n in always}
        if not always:
            break
    return plain, traced, always


class Suite:
    """The figures of an interpreter's whole suite."""

    def __init__(self, interpreter, library):
        self.interpreter = interpreter
        self.environment = {
            "LD_PRELOAD": library,
            "PYTHONTRACEMALLOC": FRAMES,
            "TRACEMALLOC_QUIET": "1",
        }
        self.count = collections.Counter()
        self.differences = []

    def add(self, module, pair):
        plain, _, always = pair
        self.count.update(plain.results.values())
        for name, (one, other) in sorted(always.items()):
            self.differences.append("%s: %s, not %s" % (name, other, one))
            print("    " + self.differences[-1], flush=True)

    def run(self, jobs, only):
        listed = [
            name for name in modules(self.interpreter) if not only or name in only
        ]
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            waiting = {
                pool.submit(
                    compare_module, self.interpreter, name, self.environment
                ): name
                for name in listed
            }
            for future in concurrent.futures.as_completed(waiting):
                self.add(waiting[future], future.result())
        return self


def main(library, interpreters, jobs, only=()):
    """Prints each difference; whether there was none."""
    same = True
    for interpreter in interpreters:
        print(interpreter, flush=True)
        suite = Suite(interpreter, library)
        suite.run(jobs, only)
        figures = ", ".join(
            "%d %s" % (n, kind) for kind, n in sorted(suite.count.items())
        )
        print("%s: %s; %d differ" % (interpreter, figures, len(suite.differences)))
        same = same and not suite.differences
    return same


if __name__ == "__main__":
    sys.exit("run test_stdlib_suite.py --all")
