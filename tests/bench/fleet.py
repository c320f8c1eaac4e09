#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a lake of many dumps takes: sizes, seconds of CPU, and those of one compaction.

The dumps are one program's, with different headers (tests/e2e/fleet.py): a hundred
processes on each of many hosts. scripts/duckdb must have fetched DuckDB's C library.
"""

import argparse
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from duckdb_reader import TABLES, Lake, library_path  # noqa: E402
from fleet import SECOND, process  # noqa: E402

PROGRAM = """
import argparse, collections, decimal, email.message, http.client, json, logging
cache = {i: [str(i), bytes(1000)] for i in range(20000)}
orders = [json.loads('{"id": %d, "items": ["chair"]}' % i) for i in range(5000)]
"""
DAY = 1795867200 * SECOND  # 2026-11-28 12:00 UTC
PER_HOST = 100


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = ROOT / "build/release/src/cli/tracemalloc"
    parser.add_argument("--command", default=default)
    parser.add_argument("--dumps", type=int, default=10000)
    parser.add_argument("--directory", help="for the files; default: a temporary one")
    return parser.parse_args()


def cpu_seconds():
    used = [resource.getrusage(who) for who in
            (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(part.ru_utime + part.ru_stime for part in used)


def files_and_bytes(directory):
    sizes = [path.stat().st_size for path in directory.rglob("*.parquet")]
    return len(sizes), sum(sizes)


def trace(command, directory):
    out = directory / "base.dump"
    options = [command, "run", "-q", "-o", out, sys.executable, "-IS", "-c", PROGRAM]
    subprocess.run([str(option) for option in options], check=True)
    return out.read_bytes()


def export(command, directory, data, host, count, duckdb):
    names = []
    for number in range(count):
        name = directory / ("%d.dump" % number)
        end = DAY + (host * PER_HOST + number) * SECOND
        name.write_bytes(process(data, 1000 + number, end))
        names.append(str(name))
    attributes = "host.name=h%d,service.version=1.0" % host
    options = ["export", "--format", "parquet", "-o", str(directory / "memory")]
    subprocess.run(
        [str(command)] + options + names,
        env=dict(
            os.environ,
            TRACEMALLOC_DUCKDB=duckdb,
            OTEL_SERVICE_NAME="orders",
            OTEL_RESOURCE_ATTRIBUTES=attributes,
        ),
        check=True,
    )


def queries():
    text = (ROOT / "doc" / "fleet.md").read_text(encoding="utf-8")
    block = re.compile(r"^```sql(?: duckdb)? ([a-z-]+)$(.*?)^```$", re.S | re.M)
    return dict(block.findall(text))


def row(what, seconds, count, size):
    print("%-34s %8.1f s CPU %7d files %10.1f MB" % (what, seconds, count, size / 1e6))


def measure(options, directory):
    duckdb = library_path()
    if duckdb is None:
        sys.exit("scripts/duckdb has not fetched DuckDB's C library")
    data = trace(options.command, directory)
    row("dumps", 0, options.dumps, options.dumps * len(data))
    before = cpu_seconds()
    for host in range(0, -(-options.dumps // PER_HOST)):
        count = min(PER_HOST, options.dumps - host * PER_HOST)
        export(options.command, directory, data, host, count, duckdb)
    row("export", cpu_seconds() - before, *files_and_bytes(directory / "memory"))
    os.chdir(str(directory))
    lake, texts = Lake(duckdb), queries()
    lake.run(texts.pop("views"))
    before = cpu_seconds()
    (directory / "compact").mkdir()
    lake.run(texts.pop("compact"))
    row("compaction", cpu_seconds() - before, *files_and_bytes(directory / "compact"))
    lake.close()
    lake = Lake(duckdb, directory / "compact")
    print("%d samples" % lake.value("SELECT count(*) FROM samples"))
    for table in TABLES:
        row("  " + table, 0, *files_and_bytes(directory / "compact" / table))
    lake.run(
        "CREATE VIEW lines AS SELECT id AS stack, frames[1].file || ':' || "
        "frames[1].line AS line, frames[2].file || ':' || frames[2].line AS caller "
        "FROM (SELECT DISTINCT id, frames FROM stacks)"
    )
    for name, text in texts.items():
        before = cpu_seconds()
        lake.rows(text)
        print("%-34s %8.1f s CPU" % ("  " + name, cpu_seconds() - before))
    lake.close()


if __name__ == "__main__":
    options = arguments()
    if options.directory is not None:
        measure(options, pathlib.Path(options.directory).resolve())
    else:
        with tempfile.TemporaryDirectory() as name:
            measure(options, pathlib.Path(name))
