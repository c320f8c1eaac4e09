# SPDX-License-Identifier: MIT
"""How long the reports take on a dump of a million pairs of traceback and size."""

import os
import pathlib
import statistics
import subprocess
import time

import blocks
import tables

PROGRAM = str(pathlib.Path(blocks.__file__).resolve())
ENTRIES = 1000000

# report: what follows the command, and the most seconds that it may take
REPORTS = {
    "stats": (["stats", "DUMP"], 0.5),
    "stats -g traceback": (["stats", "DUMP", "-g", "traceback"], None),
    "compare": (["compare", "LESS", "DUMP"], None),
    "tree": (["tree", "DUMP"], None),
    "summary": (["summary", "DUMP"], None),
    "flamegraph": (["flamegraph", "DUMP", "-o", "OUT"], None),
    "export": (["export", "--format", "pprof", "DUMP", "-o", "OUT"], None),
}


def make_dump(options, folder, number):
    program = [options.python, PROGRAM, "many", str(number), "hold", "0"]
    path = os.path.join(folder, "%d.dump" % number)
    environment = tables.environment(options.library, folder)
    environment.update(PYTHONTRACEMALLOC="25", TRACEMALLOC_OUTPUT=path)
    subprocess.check_call(program, env=environment)
    return path


def run(program):
    """Seconds, and the most bytes that were resident."""
    begin = time.perf_counter()
    child = subprocess.Popen(program, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    taken = time.perf_counter() - begin
    child.returncode = status
    if status:
        raise tables.Failure("%s: status %d" % (" ".join(program), status))
    return taken, usage.ru_maxrss * 1024


def measure(options):
    """results[report]: the runs, one a round."""
    results = {report: [] for report in REPORTS}
    with tables.Folder() as folder:
        places = {
            "DUMP": make_dump(options, folder, ENTRIES),
            "LESS": make_dump(options, folder, ENTRIES // 2),
            "OUT": os.path.join(folder, "out"),
        }
        for _ in range(options.rounds):
            for report, (words, _) in REPORTS.items():
                program = [options.command] + [places.get(w, w) for w in words]
                results[report].append(run(program))
                if os.path.exists(places["OUT"]):
                    os.unlink(places["OUT"])
    return results


def table(results):
    rows = [["report", "", "s", "MiB"]]
    for report, runs in results.items():
        taken, most = (statistics.median(column) for column in zip(*runs))
        rows.append([report, "", "%.2f" % taken, "%.0f" % (most / (1 << 20))])
    return rows


def verdicts(results):
    """(whether it holds, what) for each figure to reach."""
    for report, (_, limit) in REPORTS.items():
        taken = statistics.median(seconds for seconds, _ in results[report])
        if limit is not None:
            yield taken <= limit, "%s: %.2f s, at most %g" % (report, taken, limit)
