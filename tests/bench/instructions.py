#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What tracing costs in instructions: loops under callgrind, traced and not.

Instructions are the same on a busy machine, where times are noise. A number is what
tracing with 25 frames adds to an allocation, its free included where the loop frees it:
the difference of two numbers of rounds, less the same untraced, so that neither the
start-up nor the loop counts. A list of two items and a dict of one are two blocks each.
"""

import argparse
import collections
import concurrent.futures
import itertools
import os
import pathlib
import re
import statistics
import subprocess
import sys

import loops
import tables

LOOPS_PROGRAM = str(pathlib.Path(loops.__file__).resolve())
DEPTHS = [3, 20]
WARM, FEW, MANY = 3000, 2000, 12000
ROUNDS = [WARM, FEW, MANY]
TOLERANCE = 0.05

# how a process runs: its threads, and what is asked of the library
Way = collections.namedtuple("Way", "title threads variables")
NATIVE = (("TRACEMALLOC_NATIVE_FRAMES", "30"),)
SAMPLED = (("TRACEMALLOC_SAMPLE", "512K"),)
WAYS = [
    Way("one thread", 1, ()),
    Way("idle thread", 2, ()),
    Way("native frames", 1, NATIVE),
]
SAMPLED_WAYS = [
    Way("sampled", 1, SAMPLED),
    Way("sampled, idle thread", 2, SAMPLED),
]
UNTRACED = None

Key = collections.namedtuple("Key", "name way depth")


def tracing(variables):
    """The environment of a process that is traced in this way."""
    if variables is UNTRACED:
        return {}
    return dict(variables, PYTHONTRACEMALLOC="25")


def callgrind(options, threads, variables, names):
    """The instructions of each run of a loop, in the order of loops.plan."""
    traced = variables is not UNTRACED
    with tables.Folder() as folder:
        out = os.path.join(folder, "callgrind")
        command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out]
        command += ["--dump-before=getppid", "--dump-line=no"]
        command += [options.python, LOOPS_PROGRAM, str(threads)]
        command += [",".join(map(str, numbers)) for numbers in (DEPTHS, ROUNDS)]
        environment = tables.environment(options.library if traced else None, folder)
        done = subprocess.run(
            command + [",".join(names)],
            env=dict(environment, **tracing(variables)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        dumps = [name for name in os.listdir(folder) if name.endswith(".dump")]
        if done.returncode or len(dumps) != traced:
            raise tables.Failure(done.stderr + "dumps: %s" % dumps)
        # Part 1 ends with the first call; then runs and what is between them alternate.
        count = len(names) * len(DEPTHS) * len(ROUNDS)
        return [total("%s.%d" % (out, 2 * run + 2)) for run in range(count)]


def total(path):
    return int(re.search(r"^totals: (\d+)$", pathlib.Path(path).read_text(), re.M)[1])


def per_round(options, threads, variables, names):
    """{(name, depth): instructions of a round}."""
    counts = iter(callgrind(options, threads, variables, names))
    found = {}
    for key in itertools.product(names, DEPTHS):
        _, few, many = next(counts), next(counts), next(counts)
        found[key] = (many - few) / (MANY - FEW)
    return found


def measure(options, names):
    """{Key: instructions that tracing adds to an allocation}."""
    runs = sorted({(way.threads, UNTRACED) for way in WAYS}, key=str)
    runs += [(way.threads, way.variables) for way in WAYS]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        done = pool.map(lambda run: per_round(options, run[0], run[1], names), runs)
        found = dict(zip(runs, done))
    return {
        Key(name, way.title, depth): (
            found[way.threads, way.variables][name, depth]
            - found[way.threads, UNTRACED][name, depth]
        )
        / loops.LOOPS[name][1]
        for name, way, depth in itertools.product(names, WAYS, DEPTHS)
    }


def columns():
    return [(way.title, depth) for way in WAYS for depth in DEPTHS]


def table(results, names):
    rows = [["loop", "blocks"] + ["%s, depth %d" % column for column in columns()]]
    for name in names:
        numbers = [results[Key(name, *column)] for column in columns()]
        blocks = str(loops.LOOPS[name][1])
        rows.append([name, blocks] + ["%.0f" % number for number in numbers])
    return rows


def committed(path, version):
    """The numbers of the table below the line about this version of CPython."""
    parts = pathlib.Path(path).read_text().split("CPython %s, " % version)
    if len(parts) < 2:
        raise tables.Failure("%s has no table for CPython %s" % (path, version))
    found = {}
    for line in parts[1].split("CPython ")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] in loops.LOOPS:
            for column, number in zip(columns(), cells[2:]):
                found[Key(cells[0], *column)] = float(number)
    return found


def holds_for(key, number, expected):
    if key not in expected:
        raise tables.Failure("no number for %s, %s, depth %d" % key)
    return abs(number - expected[key]) <= TOLERANCE * expected[key]


def measure_again(options, results, expected):
    """The results, with a median of three for each number that differs.

    What a clock decides, such as a sample of the timeline or the begin of an epoch,
    falls into one of a loop's two runs now and then: 300 instructions a round more, or
    less.
    """
    all_results = [results]
    different = {k for k, n in results.items() if not holds_for(k, n, expected)}
    while different and len(all_results) < 3:
        names = sorted({key.name for key in different}, key=list(loops.LOOPS).index)
        all_results.append({**results, **measure(options, names)})
    return {
        key: statistics.median(each[key] for each in all_results)
        if key in different
        else number
        for key, number in results.items()
    }


def verdicts(results, expected):
    """(whether it holds, what) for each number of the committed table."""
    for key, number in results.items():
        holds = holds_for(key, number, expected)
        what = "%s, %s, depth %d: %.0f, committed %.0f"
        yield holds, what % (key + (number, expected[key]))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    tables.add_arguments(parser, rounds=False)
    parser.add_argument(
        "--sampled", action="store_true", help="of processes that sample their blocks"
    )
    parser.add_argument("--loops", help="comma-separated names (default: all)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at once (default: 2)")
    parser.add_argument(
        "--check", metavar="FILE", help="compare with the table there, within 5 %%"
    )
    return parser.parse_args()


def main():
    options = parse_arguments()
    try:
        tables.check_arguments(options)
        if options.sampled:
            WAYS[:] = SAMPLED_WAYS
        names = tables.chosen(options.loops, loops.LOOPS, "loop")
        results = measure(options, names)
        expected = {}
        if options.check:
            expected = committed(options.check, tables.version_of(options.python))
            results = measure_again(options, results, expected)
        reached = verdicts(results, expected) if options.check else []
        return 0 if tables.show(options, table(results, names), reached) else 1
    except tables.Failure as failure:
        sys.exit("instructions.py: %s" % failure)


if __name__ == "__main__":
    sys.exit(main())
