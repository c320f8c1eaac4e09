#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Whether the tracer's memory levels off: half an hour of a server under constant load.

The server (server.py) runs twice, traced and not. Every few seconds a line of the table
tells what each takes. In the last third of the run, what is the tracer's own, and its
dump, may grow by the stated share at most; the exit status is 1 when one of them does
not level off.

The map of blocks takes 4 bytes for 16 of the program's heap. From Python 3.12 on the
untraced server grows as well, for interned names are kept for ever, and the map with
it: a quarter of the untraced server is not counted as the tracer's own.
"""

import argparse
import collections
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

SERVER = pathlib.Path(__file__).resolve().parent / "server.py"
MIB = 1 << 20

Sample = collections.namedtuple("Sample", "seconds traced plain added own dump blocks")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--library", required=True, help="libtracemalloc.so")
    parser.add_argument("--command", required=True, help="tracemalloc")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--every", type=float, default=10, help="seconds")
    parser.add_argument(
        "--share", type=float, default=0.05, help="growth allowed in the last third"
    )
    return parser.parse_args()


def environment(**changes):
    unwanted = ("PYTHON", "TRACEMALLOC_", "LD_PRELOAD")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
    return dict(kept, **changes)


def start(options, **changes):
    seconds = str(int(options.minutes * 60))
    program = [options.python, "-B", str(SERVER), seconds]
    return subprocess.Popen(program, env=environment(**changes))


def private_bytes(pid):
    """Memory of the process that no file gives back; the dump's pages are not in it."""
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        for line in file:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) << 10
    raise ProcessLookupError(pid)


def dump_info(options, dump):
    command = [options.command, "info", "--json", dump]
    return json.loads(subprocess.check_output(command))


def take_sample(options, seconds, processes, dump):
    traced, plain = (private_bytes(process.pid) for process in processes)
    on_disk = os.stat(dump).st_blocks * 512
    blocks = dump_info(options, dump)["traced_blocks"]
    added = traced - plain + on_disk
    return Sample(seconds, traced, plain, added, added - plain / 4, on_disk, blocks)


def remove_dumps_of_children(folder, dump):
    for path in pathlib.Path(folder).iterdir():
        if str(path) != dump:
            path.unlink()


def print_sample(sample):
    sizes = ["%9.2f" % (value / MIB) for value in sample[1:6]]
    print("%7d %s %9d" % (sample.seconds, " ".join(sizes), sample.blocks), flush=True)


def watch(options, processes, folder):
    """The samples of the run, printed as they come."""
    dump = os.path.join(folder, "%d.dump" % processes[0].pid)
    begin, samples = time.monotonic(), []
    print("seconds    traced     plain     added       own      dump    blocks   (MiB)")
    while True:
        wait = begin + (len(samples) + 1) * options.every - time.monotonic()
        time.sleep(max(0, wait))
        if any(process.poll() is not None for process in processes):
            return samples
        seconds = time.monotonic() - begin
        samples.append(take_sample(options, seconds, processes, dump))
        print_sample(samples[-1])
        remove_dumps_of_children(folder, dump)


def growth(values):
    """Of the last third: its last quarter against its first, as a share of that."""
    last = values[-(len(values) // 3) :]
    quarter = max(1, len(last) // 4)
    before = statistics.median(last[:quarter])
    return statistics.median(last[-quarter:]) / before - 1


def judge(samples, share):
    """Whether all that is the tracer's levels off."""
    well = True
    for name in "own", "dump":
        grown = growth([getattr(sample, name) for sample in samples])
        level = grown <= share
        well = well and level
        print(
            "%s: %+.1f %% in the last third, at most %.1f %%: %s"
            % (name, grown * 100, share * 100, "level" if level else "GROWS")
        )
    return well


def main():
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        processes = [
            start(
                options,
                LD_PRELOAD=options.library,
                PYTHONTRACEMALLOC="25",
                TRACEMALLOC_OUTPUT=os.path.join(folder, "%p.dump"),
            ),
            start(options),
        ]
        samples = watch(options, processes, folder)
        statuses = [process.wait() for process in processes]
    if any(statuses) or len(samples) < 12:
        print("the servers ended with %s after %d samples" % (statuses, len(samples)))
        return 1
    return 0 if judge(samples, options.share) else 1


if __name__ == "__main__":
    sys.exit(main())
