#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the module tracemalloc costs: take_snapshot(), start() and stop().

Ours against the interpreter's own, in turns, each run a process of its own, of whose
kinds of blocks blocks.py tells.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

import blocks
import tables

PROGRAM = str(pathlib.Path(blocks.__file__).resolve())

# title: kind of blocks, what is done with them, frames
RUNS = {
    "few tracebacks, 25 frames": ("few", "snapshot", 25),
    "many tracebacks, 25 frames": ("many", "snapshot", 25),
    "many tracebacks, 1 frame": ("many", "snapshot", 1),
    "no blocks": ("few", "start", 25),
}
LEAST_RATIO, MOST_SECONDS = 5, 0.001


def run(options, title, ours):
    kind, task, nframe = RUNS[title]
    program = [options.python, PROGRAM, kind, str(options.blocks), task, str(nframe)]
    with tables.Folder() as folder:
        environment = tables.environment(options.library if ours else None, folder)
        return json.loads(subprocess.check_output(program, env=environment))


def measure(options):
    """results[title][ours]: the runs, one a round."""
    results = {title: {True: [], False: []} for title in RUNS}
    for number in range(options.rounds):
        for title in RUNS:
            for ours in (True, False) if number % 2 else (False, True):
                results[title][ours].append(run(options, title, ours))
    return results


def medians(runs, key):
    """Of the interpreter's own, and ours."""
    return [statistics.median(run[key] for run in runs[ours]) for ours in (False, True)]


def row(title, runs, key, unit, factor):
    theirs, ours = medians(runs, key)
    ratio = "%.1f" % (theirs / ours) if ours > 0 else ""
    return [title, unit, "%.3g" % (theirs * factor), "%.3g" % (ours * factor), ratio]


def table(results):
    rows = [["", "", "builtin", "ours", "builtin / ours"]]
    for title, runs in results.items():
        name = "take_snapshot(), " + title
        if RUNS[title][1] == "start":
            rows.append(row("start(), " + title, runs, "start", "ms", 1000))
            rows.append(row("stop(), " + title, runs, "stop", "ms", 1000))
        else:
            rows.append(row(name, runs, "taken", "ms", 1000))
            rows.append(row(name, runs, "peak", "MiB of peak RSS", 1 / (1 << 20)))
    return rows


def verdicts(results):
    """(whether it holds, what) for each figure to reach."""
    for title, runs in results.items():
        if RUNS[title][1] == "start":
            for key in ("start", "stop"):
                taken = medians(runs, key)[1]
                what = "%s(): %.3f ms, at most 1"
                yield taken <= MOST_SECONDS, what % (key, 1000 * taken)
            continue
        theirs, ours = medians(runs, "taken")
        what = "%s: %.1f times as fast, at least %d"
        yield theirs / ours >= LEAST_RATIO, what % (title, theirs / ours, LEAST_RATIO)
        theirs, ours = medians(runs, "peak")
        what = "%s: peak RSS grows by %d bytes, at most %d"
        yield ours <= theirs, what % (title, ours, theirs)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    tables.add_arguments(parser)
    parser.add_argument("--blocks", type=int, default=1000000)
    return parser.parse_args()


def main():
    options = parse_arguments()
    try:
        tables.check_arguments(options)
        results = measure(options)
    except tables.Failure as failure:
        sys.exit("snapshot.py: %s" % failure)
    return 0 if tables.show(options, table(results), verdicts(results)) else 1


if __name__ == "__main__":
    sys.exit(main())
