#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What sampling costs: CPU time and peak memory of works, beside an exact trace.

Each work runs without the library, with it and not tracing, traced exactly, and sampled
at one in 512 KiB, all with 25 frames; all that in a process of one thread, and with an
idle thread beside. The ways run in turns. A number is the median over the rounds of
cpu(way) / cpu(none) with as many threads, of the CPU time of a repetition; RSS is the
peak of the resident memory, in the process of one thread.
"""

import argparse
import collections
import json
import os
import pathlib
import statistics
import subprocess
import sys

import bench
import tables
import works

TRACED = {"PYTHONTRACEMALLOC": "25"}
# way: whether the library is loaded, and what else is in the environment
WAYS = {
    "none": (False, {}),
    "idle": (True, {}),
    "exact": (True, TRACED),
    "sampled": (True, dict(TRACED, TRACEMALLOC_SAMPLE="512K")),
}
THREADS = {"alone": {}, "idle thread": {works.THREAD: "1"}}
MIB = 1 << 20

# the most that sampling may cost: geometric mean, any work, and peak memory
MEAN, WORST, MEMORY_FACTOR, MEMORY_MORE = 1.03, 1.10, 1.02, 2 * MIB
# loaded and not tracing, but for noise
IDLE_MEAN = 1.01

Column = collections.namedtuple("Column", "way threads")


def columns():
    return [Column(way, threads) for threads in THREADS for way in WAYS]


def run(options, name, column):
    loaded, changes = WAYS[column.way]
    with tables.Folder() as folder:
        environment = tables.environment(options.library if loaded else None, folder)
        environment.update(changes, **THREADS[column.threads])
        done = subprocess.run(
            [options.python, bench.WORKS_PROGRAM, name, str(options.seconds)],
            env=environment,
            stdout=subprocess.PIPE,
            universal_newlines=True,
        )
        if done.returncode or bool(os.listdir(folder)) != (changes != {}):
            raise tables.Failure("%s, %s: status %d" % (name, column, done.returncode))
        return json.loads(done.stdout)


def measure(options, names):
    """results[name][column]: the runs, one a round."""
    results = {name: collections.defaultdict(list) for name in names}
    order = columns()
    for number in range(options.rounds):
        for name in names:
            turn = number % len(order)
            for column in order[turn:] + order[:turn]:
                results[name][column].append(run(options, name, column))
            text = "round %d of %d: %s" % (number + 1, options.rounds, name)
            print(text, end="\033[K\r", file=sys.stderr)
    print(end="\033[K", file=sys.stderr)
    return results


def ratio(runs, column):
    pairs = zip(runs[column], runs[Column("none", column.threads)])
    return statistics.median(mine["cpu"] / none["cpu"] for mine, none in pairs)


def peak(runs, way):
    return statistics.median(run["peak"] for run in runs[Column(way, "alone")])


def is_small(runs):
    return peak(runs, "sampled") <= MEMORY_FACTOR * peak(runs, "none") + MEMORY_MORE


def table(results):
    compared = [column for column in columns() if column.way != "none"]
    rows = [["work", "kind", "none, ms"] + ["%s, %s" % column for column in compared]]
    rows[0] += ["RSS %s, MiB" % way for way in WAYS if way != "idle"]
    ratios = {column: [] for column in compared}
    for name, runs in results.items():
        plain = statistics.median(run["cpu"] for run in runs[Column("none", "alone")])
        row = [name, works.WORKS[name].kind, "%.1f" % (1000 * plain)]
        for column in compared:
            ratios[column].append(ratio(runs, column))
            row.append("%.2f" % ratios[column][-1])
        sizes = [peak(runs, way) / MIB for way in WAYS if way != "idle"]
        rows.append(row + ["%.1f" % size for size in sizes])
    for what, summary in (("geometric mean", bench.geometric_mean), ("worst", max)):
        numbers = ["%.3f" % summary(ratios[column]) for column in compared]
        rows.append([what, "", ""] + numbers + [""] * (len(WAYS) - 1))
    return rows


def verdicts(results):
    """(whether it holds, what) for each mark."""
    for threads in THREADS:
        for way, mean, worst in (("sampled", MEAN, WORST), ("idle", IDLE_MEAN, None)):
            found = {
                name: ratio(runs, Column(way, threads))
                for name, runs in results.items()
            }
            reached = bench.geometric_mean(found.values())
            text = "%s, %s: geometric mean %.3f, at most %g"
            yield reached <= mean, text % (way, threads, reached, mean)
            if worst is not None:
                name = max(found, key=found.get)
                text = "%s, %s: worst %.2f (%s), at most %g"
                holds = found[name] <= worst
                yield holds, text % (way, threads, found[name], name, worst)
    large = [name for name, runs in results.items() if not is_small(runs)]
    text = "sampled: peak RSS at most %g of none and %d MiB more" % (
        MEMORY_FACTOR,
        MEMORY_MORE // MIB,
    )
    yield not large, ": ".join([text] + large)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    tables.add_arguments(parser)
    parser.add_argument("--works", help="comma-separated names (default: all)")
    parser.add_argument(
        "--seconds", type=float, default=0.5, help="of a run, at least"
    )
    parser.add_argument("--json", metavar="FILE", help="write every run there too")
    return parser.parse_args()


def main():
    options = parse_arguments()
    try:
        tables.check_arguments(options)
        names = tables.chosen(options.works, works.WORKS, "work")
        results = measure(options, names)
        if options.json:
            plain = {
                name: {"%s, %s" % column: runs[column] for column in columns()}
                for name, runs in results.items()
            }
            pathlib.Path(options.json).write_text(json.dumps(plain))
        return 0 if tables.show(options, table(results), verdicts(results)) else 1
    except tables.Failure as failure:
        sys.exit("sampling.py: %s" % failure)


if __name__ == "__main__":
    sys.exit(main())
