# SPDX-License-Identifier: MIT
"""The queries of doc/fleet.md, each on a simulated fleet whose answer is known."""

import json
import os
import re
import subprocess
import sys

import pytest

from conftest import ROOT, clean_environment, run
from duckdb_reader import Lake, library_path
from fleet import DAY, SECOND, process

PROGRAM = """
import sys

def order(kept):
    kept.append(bytes(5000))

def bill(kept):
    kept.append(bytes(6000))

def passing():
    for _ in range(2000):
        bytearray(300000)

work = {"orders": order, "billing": bill}[sys.argv[1]]
kept = []
passing()
for _ in range(int(sys.argv[2])):
    work(kept)
"""
ORDER, BILL, PASSING, CALLER = 5, 8, 12, 18
FIRST_DAY = 1793536200 * SECOND  # 2026-11-01 12:30 UTC


def blocks(engine):
    """The document's queries for an engine, by name."""
    with open(os.path.join(ROOT, "doc", "fleet.md"), encoding="utf-8") as file:
        found = re.findall(r"^```sql(?: (duckdb|spark))? ([a-z-]+)$(.*?)^```$",
                           file.read(), re.S | re.M)
    return {name: text for of, name, text in found if of in ("", engine)}


@pytest.fixture(scope="module")
def duckdb():
    path = library_path()
    if path is None:
        pytest.skip("scripts/duckdb has not fetched DuckDB's C library")
    return path


@pytest.fixture(scope="module")
def directory(library, command, duckdb, tmp_path_factory):
    """Where `memory` is: dumps of two services, two releases and three hosts."""
    directory = tmp_path_factory.mktemp("fleet")
    (directory / "program.py").write_text(PROGRAM)

    def trace(service, count):
        out = directory / "base.dump"
        run([command, "run", "-q", "-o", out, sys.executable, "-IS",
             directory / "program.py", service, count], check=True)
        data = out.read_bytes()
        out.unlink()
        return data

    def export(service, version, host, dumps):
        names = []
        for number, dump in enumerate(dumps):
            names.append(directory / ("%d.dump" % number))
            names[-1].write_bytes(dump)
        env = {
            "TRACEMALLOC_DUCKDB": duckdb,
            "OTEL_SERVICE_NAME": service,
            "OTEL_RESOURCE_ATTRIBUTES": "service.version=%s,host.name=%s"
            % (version, host),
        }
        options = [command, "export", "--format", "parquet", "-o", directory / "memory"]
        result = run(options + names, env=env)
        assert (result.returncode, result.stderr) == (0, "")

    before, after, more = [trace("orders", n) for n in (100, 1000, 1500)]
    for number, host in enumerate(("h1", "h2", "h3")):
        later = more if host == "h3" else after
        releases = ("1.0", before, range(4)), ("1.1", later, range(4, 8))
        for version, data, days in releases:
            dumps = [
                process(data, 100 * number + day, FIRST_DAY + day * DAY)
                for day in days
            ]
            export("orders", version, host, dumps)
    billing = process(trace("billing", 200), 7, FIRST_DAY, state=6, signal=9)
    export("billing", "1.0", "h1", [billing])
    return directory


@pytest.fixture(scope="module")
def lake(directory, duckdb):
    before = os.getcwd()
    os.chdir(str(directory))  # the document's paths are relative
    lake = Lake(duckdb)
    lake.run(blocks("duckdb")["views"])
    yield lake
    lake.close()
    os.chdir(before)


def check_line_grew(rows):
    assert rows[0]["line"].endswith("program.py:%d" % ORDER)
    # 900 blocks in each process of two hosts, 1400 in those of the third.
    assert abs(rows[0]["growth"] / (5033 * (900 + 900 + 1400) / 3) - 1) < 0.01


def check_release(rows):
    assert rows[0]["version"] == "1.1"
    assert rows[0]["line"].endswith("program.py:%d" % ORDER)


def check_host(rows):
    assert [row["host"] for row in rows][0] == "h3" and len(rows) == 3
    assert rows[0]["of_the_fleet"] > 1 > rows[-1]["of_the_fleet"]
    assert sorted(row["processes"] for row in rows) == [8, 8, 9]


def check_services(rows):
    top = {}
    for row in rows:
        top.setdefault(row["service"], row["line"])
    assert top["orders"].endswith("program.py:%d" % ORDER)
    assert top["billing"].endswith("program.py:%d" % BILL)
    assert len(rows) == 6


def check_workers(rows):
    assert {row["host"] for row in rows[:4]} == {"h3"}
    assert rows[0]["of_the_mean"] > 1.2 and len(rows) == 10


def check_hours(rows):
    assert [(row["hour"], row["processes"]) for row in rows] == [(12, 25)]


def check_deaths(rows):
    assert [row["processes"] for row in rows] == [12, 12, 1]
    assert rows[-1]["state"] == "signal" and rows[-1]["signal"] == 9
    assert rows[-1]["service"] == "billing"
    assert {row["exit_status"] for row in rows[:2]} == {0}


def check_limit(rows):
    assert len(rows) == 10 and all(0 < row["share"] < 1 for row in rows)
    assert rows[0]["host"] == "h3"


def check_churn(rows):
    assert rows[0]["line"].endswith("program.py:%d" % PASSING)
    assert rows[0]["allocated"] >= 25 * 2000 * 300000 and rows[0]["live"] < 10**6


def check_callers(rows):
    assert rows[0]["line"].endswith("program.py:%d" % ORDER)
    assert [row["caller"].rsplit(":", 1)[1] for row in rows] == [str(CALLER)]


CHECKS = {
    "line-grew": check_line_grew,
    "release": check_release,
    "host": check_host,
    "services": check_services,
    "workers": check_workers,
    "hours": check_hours,
    "deaths": check_deaths,
    "limit": check_limit,
    "churn": check_churn,
    "callers": check_callers,
}


def test_each_query_has_a_check():
    assert set(blocks("duckdb")) - {"views", "compact"} == set(CHECKS)
    assert set(blocks("spark")) - {"views"} == set(CHECKS)


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_query(lake, name):
    CHECKS[name](lake.rows(blocks("duckdb")[name]))


def test_compaction(lake, duckdb, directory):
    (directory / "compact").mkdir()
    lake.run(blocks("duckdb")["compact"])
    compact = Lake(duckdb, directory / "compact")
    sums = "SELECT sum(live_bytes) AS bytes, count(*) AS rows FROM %s"
    for table in ("samples", "processes"):
        assert compact.rows(sums % table) == lake.rows(sums % table)
        files = list((directory / "compact" / table).glob("*/*/*"))
        assert len(files) == 9  # orders on eight days, billing on one
    twice = "SELECT count(*) - count(DISTINCT (id, day, service)) FROM stacks"
    assert compact.value(twice) == 0
    missing = "SELECT count(*) FROM samples WHERE stack NOT IN (SELECT id FROM stacks)"
    assert compact.value(missing) == 0
    compact.close()


def test_all_queries_on_spark(directory):
    """In its local mode; three minutes of CPU."""
    script = [os.path.join(ROOT, "scripts", "spark"), "--path"]
    python = subprocess.run(script, stdout=subprocess.PIPE, universal_newlines=True)
    if python.returncode != 0:
        pytest.skip("scripts/spark has not fetched Spark")
    queries = blocks("spark")
    views = [view for view in queries.pop("views").split(";") if view.strip()]
    work = {"views": views, "queries": queries}
    reader = os.path.join(ROOT, "tests", "e2e", "spark_reader.py")
    result = subprocess.run(
        [python.stdout.strip(), reader],
        input=json.dumps(work),
        stdout=subprocess.PIPE,
        universal_newlines=True,
        cwd=str(directory),
        env=clean_environment(),
        timeout=1200,
    )
    assert result.returncode == 0
    found = json.loads(result.stdout.splitlines()[-1])
    for name, check in CHECKS.items():
        check(found[name])
