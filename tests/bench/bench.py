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
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile

import works

ROOT = pathlib.Path(__file__).resolve().parents[2]
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
    "stdlib-1": (False, {"PYTHONTRACEMALLOC": "1"}),
    "stdlib-25": (False, {"PYTHONTRACEMALLOC": "25"}),
}

# column: the most that the geometric mean, a micro loop and a program may cost
LIMITS = {
    "idle": (1.01, None, None),
    "ours-25": (1.35, 3.0, 2.0),
    "ours-25-no-free-lists": (1.2, 2.2, 2.0),
}
LIMIT_OF_GROWTH = 24


class Failure(Exception):
    """A work that did not run, or an option that cannot be met."""


class Bench:
    """One interpreter, the library, and where dumps go until they are deleted."""

    def __init__(self, python, library, seconds):
        self.python, self.library, self.seconds = python, library, seconds

    def environment(self, column, folder):
        unwanted = ("PYTHON", "TRACEMALLOC_", "LD_PRELOAD")
        variables = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
        loaded, changes = COLUMNS[column]
        if loaded:
            variables["LD_PRELOAD"] = self.library
            variables["TRACEMALLOC_OUTPUT"] = os.path.join(folder, "%p.dump")
            variables["TRACEMALLOC_QUIET"] = "1"
        # Hashes decide the order and the collisions of dicts: the same in every run.
        return dict(variables, PYTHONHASHSEED="0", **changes)

    def run(self, name, column):
        """The result of one run: seconds, and growth where the work has it."""
        folder = tempfile.mkdtemp(prefix="tracemalloc-bench-")
        try:
            done = subprocess.run(
                [self.python, WORKS_PROGRAM, name, str(self.seconds)],
                env=self.environment(column, folder),
                stdout=subprocess.PIPE,
                universal_newlines=True,
            )
            self.check(done, name, column, os.listdir(folder))
            return json.loads(done.stdout)
        finally:
            shutil.rmtree(folder)

    @staticmethod
    def check(done, name, column, dumps):
        """A column that traced when it should not, or did not, measures nothing."""
        if done.returncode:
            raise Failure("%s, %s: status %d" % (name, column, done.returncode))
        if bool(dumps) != column.startswith("ours"):
            raise Failure("%s, %s: dumps are %s" % (name, column, dumps))


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


def aligned(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), row[1].ljust(widths[1])]
        yield "  ".join(cells + [c.rjust(w) for c, w in zip(row[2:], widths[2:])])


def markdown(rows):
    for row in [rows[0], ["---", "---"] + ["--:"] * (len(rows[0]) - 2)] + rows[1:]:
        yield "| %s |" % " | ".join(row)


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


def machine():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":")[1].strip() for line in file if "model name" in line]
    return "%s, %d cores, Linux %s" % (
        models[0] if models else platform.machine(),
        os.cpu_count(),
        platform.release(),
    )


def version_of(python):
    code = "import sys; print(sys.version.split()[0])"
    return subprocess.check_output(
        [python, "-c", code], universal_newlines=True
    ).strip()


def chosen(text, known, what):
    """The names of a comma-separated option, all of the known ones without it."""
    names = text.split(",") if text else list(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Failure("no %s is called %s; there are %s" % (what, unknown, list(known)))
    return names


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--python", default=sys.executable, help="interpreter to measure"
    )
    parser.add_argument(
        "--library",
        default=str(ROOT / "build/release/src/preload/libtracemalloc.so"),
        help="libtracemalloc.so of a release build (default: build/release)",
    )
    parser.add_argument("--works", help="comma-separated names (default: all)")
    parser.add_argument("--columns", help="comma-separated (default: all)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="at least, of a run")
    parser.add_argument(
        "--markdown", action="store_true", help="print a Markdown table"
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
    names = chosen(options.works, works.WORKS, "work")
    columns = chosen(options.columns, COLUMNS, "column")
    columns = ["none"] + [column for column in columns if column != "none"]
    loaded = any(COLUMNS[column][0] for column in columns)
    if loaded and not os.path.exists(options.library):
        raise Failure("no library %s" % options.library)
    python = os.path.realpath(shutil.which(options.python) or options.python)
    bench = Bench(python, os.path.abspath(options.library), options.seconds)
    results = measure(bench, names, columns, options.rounds)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results))
    print(
        "CPython %s, %d rounds; %s\n" % (version_of(python), options.rounds, machine())
    )
    rows = table(results, columns)
    print("\n".join(markdown(rows) if options.markdown else aligned(rows)), end="\n\n")
    reached = list(verdicts(results, columns))
    for holds, what in reached:
        print("%s %s" % ("ok  " if holds else "OVER", what))
    return all(holds for holds, _ in reached)


def main():
    options = parse_arguments()
    if options.list:
        return list_names()
    try:
        return 0 if run_bench(options) else 1
    except Failure as failure:
        sys.exit("bench.py: %s" % failure)


if __name__ == "__main__":
    sys.exit(main())
