#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What tracing costs: works without a tracer, with ours, with the stdlib's.

The columns of a work run in turns, so that a machine that slows down slows all of them.
A number is the median over the rounds of seconds(column) / seconds(none), by the work's
own clock, start-up left out. The growth of resident memory is what the tracer adds per
live block of the work that has many.
"""

import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys

import reports
import tables
import works

WORKS_PROGRAM = str(pathlib.Path(works.__file__).resolve())

# column: whether the library is loaded, and what else is in the environment
COLUMNS = {
    "none": (False, {}),
    "idle": (True, {}),
    "ours-1": (True, {"PYTHONTRACEMALLOC": "1"}),
    "ours-25": (True, {"PYTHONTRACEMALLOC": "25"}),
    "ours-25-no-free-lists": (
        True,
        {"PYTHONTRACEMALLOC": "25", "TRACEMALLOC_FREE_LISTS": "0"},
    ),
    "ours-25-native": (
        True,
        {"PYTHONTRACEMALLOC": "25", "TRACEMALLOC_NATIVE_FRAMES": "30"},
    ),
    # The program itself calls tracemalloc.start(25).
    "ours-25-api": (True, {works.START: "25"}),
    "stdlib-1": (False, {"PYTHONTRACEMALLOC": "1"}),
    "stdlib-25": (False, {"PYTHONTRACEMALLOC": "25"}),
}

# column: the most that the geometric mean, a micro loop and a program may cost
LIMITS = {
    "idle": (1.01, None, None),
    "ours-25": (1.35, 3.0, 2.0),
    "ours-25-no-free-lists": (1.2, 2.2, 2.0),
    "ours-25-native": (2.0, None, None),
}
LIMIT_OF_GROWTH = 24


class Bench:
    """One interpreter, the library, and where dumps go until they are deleted."""

    def __init__(self, python, library, seconds):
        self.python, self.library, self.seconds = python, library, seconds

    def run(self, name, column):
        """The result of one run: seconds, and growth where the work has it."""
        loaded, changes = COLUMNS[column]
        with tables.Folder() as folder:
            environment = tables.environment(self.library if loaded else None, folder)
            done = subprocess.run(
                [self.python, WORKS_PROGRAM, name, str(self.seconds)],
                env=dict(environment, **changes),
                stdout=subprocess.PIPE,
                universal_newlines=True,
            )
            self.check(done, name, column, os.listdir(folder))
            return json.loads(done.stdout)

    @staticmethod
    def check(done, name, column, dumps):
        """A column that traced when it should not, or did not, measures nothing."""
        if done.returncode:
            raise tables.Failure("%s, %s: status %d" % (name, column, done.returncode))
        if bool(dumps) != column.startswith("ours"):
            raise tables.Failure("%s, %s: dumps are %s" % (name, column, dumps))


def measure(bench, names, columns, rounds):
    """results[name][column]: the runs, one a round."""
    results = {name: {column: [] for column in columns} for name in names}
    for number in range(rounds):
        for name in names:
            turn = number % len(columns)
            for column in columns[turn:] + columns[:turn]:
                results[name][column].append(bench.run(name, column))
            print(
                "round %d of %d: %s" % (number + 1, rounds, name),
                end="\033[K\r",
                file=sys.stderr,
            )
    print(end="\033[K", file=sys.stderr)
    return results


def ratio(runs, column):
    pairs = zip(runs[column], runs["none"])
    return statistics.median(mine["seconds"] / none["seconds"] for mine, none in pairs)


def growth(name, runs, column):
    """Bytes of resident memory that the tracer adds per live block."""
    pairs = zip(runs[column], runs["none"])
    added = statistics.median(mine["growth"] - none["growth"] for mine, none in pairs)
    return added / works.WORKS[name].blocks


def geometric_mean(values):
    return math.exp(statistics.mean(map(math.log, values)))


def table(results, columns):
    """Rows of text: a head, the works, the summary, the growth."""
    traced = [column for column in columns if column != "none"]
    rows = [["work", "kind", "none, ms"] + traced]
    ratios = {column: [] for column in traced}
    for name, runs in results.items():
        numbers = [ratio(runs, column) for column in traced]
        for column, number in zip(traced, numbers):
            ratios[column].append(number)
        plain = 1000 * statistics.median(run["seconds"] for run in runs["none"])
        kind = works.WORKS[name].kind
        rows.append([name, kind, "%.1f" % plain] + ["%.2f" % n for n in numbers])
    for what, summary in (("geometric mean", geometric_mean), ("worst", max)):
        rows.append([what, "", ""] + ["%.3f" % summary(ratios[c]) for c in traced])
    for name, runs in results.items():
        if works.WORKS[name].blocks:
            title = "bytes of RSS per block, " + name
            rows.append(
                [title, "", ""] + ["%.1f" % growth(name, runs, c) for c in traced]
            )
    return rows


def verdicts(results, columns):
    """(whether it holds, what) for each figure to reach."""
    for column in (c for c in LIMITS if c in columns):
        mean, micro, program = LIMITS[column]
        found = {name: ratio(runs, column) for name, runs in results.items()}
        reached = geometric_mean(found.values())
        yield reached <= mean, "%s: geometric mean %.3f, at most %g" % (
            column,
            reached,
            mean,
        )
        for limit, kind in ((micro, works.MICRO), (program, works.PROGRAM)):
            of_kind = [(r, n) for n, r in found.items() if works.WORKS[n].kind == kind]
            if limit and of_kind:
                worst, name = max(of_kind)
                what = "%s: worst %s %.2f (%s), at most %g"
                yield worst <= limit, what % (column, kind, worst, name, limit)
    for name, runs in results.items():
        if works.WORKS[name].blocks and "ours-25" in columns:
            added = growth(name, runs, "ours-25")
            what = "ours-25: %.1f bytes of RSS per live block, at most %d"
            yield added <= LIMIT_OF_GROWTH, what % (added, LIMIT_OF_GROWTH)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    tables.add_arguments(parser)
    parser.add_argument("--works", help="comma-separated names (default: all)")
    parser.add_argument("--columns", help="comma-separated (default: all)")
    parser.add_argument("--seconds", type=float, default=0.5, help="at least, of a run")
    parser.add_argument(
        "--reports", action="store_true", help="time reports on a large dump instead"
    )
    parser.add_argument(
        "--command",
        default=str(tables.ROOT / "build/release/src/cli/tracemalloc"),
        help="tracemalloc of a release build, for --reports (default: build/release)",
    )
    parser.add_argument("--list", action="store_true", help="print works and columns")
    parser.add_argument("--json", metavar="FILE", help="write every run there too")
    return parser.parse_args()


def list_names():
    for name, work in works.WORKS.items():
        print("%-24s %s" % (name, work.kind))
    print("columns: " + ", ".join(COLUMNS))


def run_bench(options):
    """Measures and prints; whether every figure was reached."""
    names = tables.chosen(options.works, works.WORKS, "work")
    columns = tables.chosen(options.columns, COLUMNS, "column")
    columns = ["none"] + [column for column in columns if column != "none"]
    bench = Bench(options.python, options.library, options.seconds)
    results = measure(bench, names, columns, options.rounds)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results))
    return tables.show(options, table(results, columns), verdicts(results, columns))


def run_reports(options):
    """The same for the reports."""
    options.command = os.path.abspath(options.command)
    results = reports.measure(options)
    return tables.show(options, reports.table(results), reports.verdicts(results))


def main():
    options = parse_arguments()
    if options.list:
        return list_names()
    try:
        tables.check_arguments(options)
        return 0 if (run_reports if options.reports else run_bench)(options) else 1
    except tables.Failure as failure:
        sys.exit("bench.py: %s" % failure)


if __name__ == "__main__":
    sys.exit(main())
