# SPDX-License-Identifier: MIT
"""export --format parquet: the tables, read back by DuckDB."""

import collections
import csv
import resource
import signal
import subprocess
import time

import pytest

from conftest import TIMEOUT, clean_environment
from duckdb_reader import TABLES, Lake, library_path
from otlp_file import Profiles

PROGRAM = """
import os, sys

def rows(count):
    return [bytes(1000 + i % 3) for i in range(count)]

def passing():
    for i in range(100):
        bytearray(50000)

kept = rows(500)
passing()
if "fork" in sys.argv:
    if os.fork() == 0:
        more = rows(200)
        os._exit(7)
    os.wait()
"""
SERVICE = "orders/v2 = \u00e9'"


@pytest.fixture(scope="session")
def duckdb():
    path = library_path()
    if path is None:
        pytest.skip("scripts/duckdb has not fetched DuckDB's C library")
    return path


@pytest.fixture
def lake(ours, tmp_path, duckdb):
    """lake(DUMP..., OPTION...): the Lake of these dumps."""
    lakes = []

    def export(*arguments, **variables):
        directory = tmp_path / "lake"
        options = ("export", "--format", "parquet", "-o", directory)
        env = dict(variables, TRACEMALLOC_DUCKDB=duckdb)
        result = ours(*(options + arguments), env=env)
        assert (result.returncode, result.stderr) == (0, "")
        lakes.append(Lake(duckdb, directory))
        return lakes[-1]

    yield export
    for each in lakes:
        each.close()


def lines_of(lake, point="live"):
    rows = lake.rows(
        "SELECT frames[1].file AS file, frames[1].line AS line, "
        "frames[1].function AS function, domain, sum({0}_bytes) AS bytes, "
        "sum({0}_blocks) AS blocks FROM samples JOIN stacks ON stack = id "
        "GROUP BY ALL HAVING sum({0}_blocks) > 0".format(point)
    )
    return {
        (row["file"], row["line"], row["function"], row["domain"]): (
            row["bytes"],
            row["blocks"],
        )
        for row in rows
    }


def csv_lines(ours, dump, out, *options):
    arguments = ("export", "--format", "csv", dump, "-o", out) + options
    assert ours(*arguments).returncode == 0
    domains = {d["domain"]: d["name"] for d in ours.json("info", dump)["domains"]}
    sums = collections.Counter(), collections.Counter()
    with open(str(out), encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            domain = domains[int(row["domain"])]
            key = row["filename"], int(row["lineno"]), row["function"], domain
            sums[0][key] += int(row["size"])
            sums[1][key] += int(row["count"])
    return {key: (sums[0][key], sums[1][key]) for key in sums[0]}


def test_the_same_sums_as_the_other_formats(
    some_interpreter, trace_code, ours, lake, tmp_path
):
    dump = trace_code(some_interpreter, PROGRAM).dump
    found = lake(dump)
    out = tmp_path / "out"
    assert lines_of(found) == csv_lines(ours, dump, out)
    assert lines_of(found, "peak") == csv_lines(ours, dump, out, "--at", "peak")
    assert ours("export", "--format", "otlp", dump, "-o", out).returncode == 0
    ((_, profiles, _),) = Profiles(out.read_bytes()).resources()
    names = {
        "live_bytes": "inuse_space",
        "live_blocks": "inuse_objects",
        "allocated_bytes": "alloc_space",
        "allocated_blocks": "alloc_objects",
    }
    for column, name in names.items():
        total = sum(value for value, _, _ in profiles[name])
        assert found.value("SELECT sum(%s) FROM samples" % column) == total
    info = ours.json("info", dump)
    (process,) = found.rows("FROM processes")
    assert process["live_bytes"] == info["traced_bytes"]
    assert process["live_blocks"] == info["traced_blocks"]
    assert process["peak_bytes"] == info["peak_bytes"]
    for key in ("pid", "ppid", "state", "exit_status", "signal", "python_version"):
        assert process[key] == info[key], key
    assert process["complete"] and process["incomplete_reasons"] is None
    assert process["arguments"] == " ".join(info["argv"])
    assert found.value("SELECT count(*) FROM samples WHERE sampled_blocks >= 0") == 0


def test_blocks_by_size(some_interpreter, trace_code, lake):
    found = lake(trace_code(some_interpreter, PROGRAM).dump)
    rows = found.rows(
        "SELECT block_size, sum(live_blocks) AS blocks FROM samples "
        "JOIN stacks ON stack = id WHERE frames[1].line = 5 AND live_blocks > 0 "
        "AND block_size > 1000 GROUP BY 1 ORDER BY 1"
    )
    sizes = [row["block_size"] for row in rows][:3]
    assert [row["blocks"] for row in rows][:3] == [167, 167, 166]
    assert sizes == [sizes[0], sizes[0] + 1, sizes[0] + 2]
    same = "SELECT count(*) FROM samples GROUP BY process, stack, domain, block_size"
    assert found.value("SELECT max(n) FROM (%s) AS t(n)" % same) == 1
    assert found.value("SELECT bool_and(live_bytes = live_blocks * block_size) FROM "
                       "samples WHERE block_size IS NOT NULL")


def test_processes_share_their_stacks(some_interpreter, trace_code, lake):
    dumps = [trace_code(some_interpreter, PROGRAM).dump for _ in range(2)]
    dumps += trace_code(some_interpreter, PROGRAM, "fork").dumps
    found = lake(*dumps)
    assert len(dumps) == 4 and found.value("SELECT count(*) FROM processes") == 4
    shared = (
        "SELECT count(DISTINCT process) FROM samples JOIN stacks ON stack = id "
        "WHERE frames[1].line = 5 AND frames[2].line = 11 GROUP BY stack"
    )
    assert found.value("SELECT max(n) FROM (%s) AS t(n)" % shared) == 4
    assert found.value("SELECT count(*) = count(DISTINCT id) FROM stacks")
    assert found.value("SELECT count(*) = count(DISTINCT frames) FROM stacks")
    orphans = "SELECT count(*) FROM samples WHERE stack NOT IN (SELECT id FROM stacks)"
    assert found.value(orphans) == 0
    exits = "SELECT exit_status FROM processes ORDER BY 1 DESC LIMIT 1"
    assert found.value(exits) == 7


def test_samples_have_errors(some_interpreter, trace_code, ours, lake):
    dump = trace_code(some_interpreter, PROGRAM, TRACEMALLOC_SAMPLE="4096").dump
    found = lake(dump)
    info = ours.json("info", dump)
    (process,) = found.rows("FROM processes")
    assert process["sample_distance"] == 4096
    assert process["live_bytes"] == info["traced_bytes"]
    assert process["live_bytes_error"] == info["traced_bytes_error"] > 0
    (sums,) = found.rows(
        "SELECT sum(live_bytes) AS bytes, sqrt(sum(live_bytes_error ^ 2)) AS error, "
        "sum(sampled_blocks) AS sampled FROM samples"
    )
    assert sums["sampled"] == info["sampled_blocks"]
    # Rows are rounded each by itself.
    rows = found.value("SELECT count(*) FROM samples")
    assert abs(sums["bytes"] - info["traced_bytes"]) <= rows
    assert abs(sums["error"] - info["traced_bytes_error"]) <= rows


def test_incomplete_dumps_are_marked(some_interpreter, trace_code, ours, lake):
    many = PROGRAM + "\nkept += [bytes(i) for i in range(40000)]"
    many += "\nos.kill(os.getpid(), 9)"
    dump = trace_code(some_interpreter, many, TRACEMALLOC_MAX_FILE="1M").dump
    info = ours.json("info", dump)
    assert not info["complete"]
    (process,) = lake(dump).rows("FROM processes")
    assert process["complete"] is False
    assert process["incomplete_reasons"] == "; ".join(info["incomplete_reasons"])
    assert process["state"] == info["state"] and process["exit_status"] is None


def test_days_and_services(some_interpreter, trace_code, lake, tmp_path):
    dump = trace_code(some_interpreter, PROGRAM).dump
    found = lake(dump)
    (process,) = found.rows("FROM processes")
    assert process["service"].startswith("unknown_service:python3")
    assert process["day"] == process["time"][:10]
    attributes = "service.version=1.2,host.name=h1,team=a%2Cb"
    variables = {"OTEL_SERVICE_NAME": SERVICE, "OTEL_RESOURCE_ATTRIBUTES": attributes}
    other = trace_code(some_interpreter, PROGRAM).dump
    lake(other, **variables)
    (process,) = found.rows("FROM processes WHERE host = 'h1'")
    assert (process["service"], process["version"]) == (SERVICE, "1.2")
    assert process["attributes"]["team"] == "a,b"
    days = {path.name for path in (tmp_path / "lake").glob("*/*")}
    assert len(days) <= 2 and all(day.startswith("day=20") for day in days)
    for path in (tmp_path / "lake").glob("*/*/*/*"):
        assert path.suffix == ".parquet" and path.stat().st_mode & 0o777 == 0o600
    tables = [path.name for path in (tmp_path / "lake").iterdir()]
    assert sorted(tables) == sorted(TABLES)


def test_numbers_are_int64_and_compressed(some_interpreter, trace_code, lake):
    found = lake(trace_code(some_interpreter, PROGRAM).dump)
    for table in TABLES:
        rows = found.rows(
            "SELECT DISTINCT type, compression FROM parquet_metadata('%s/%s/*/*/*')"
            % (found.directory, table)
        )
        types = {row["type"] for row in rows}
        assert types <= {"INT64", "BYTE_ARRAY", "BOOLEAN"} and "BYTE_ARRAY" in types
        assert {row["compression"] for row in rows} == {"ZSTD"}


def test_twice_is_once(some_interpreter, trace_code, ours, lake, duckdb, tmp_path):
    dump = trace_code(some_interpreter, PROGRAM).dump
    found = lake(dump)
    count = found.value("SELECT count(*) FROM samples")
    lake(dump)
    assert found.value("SELECT count(*) FROM samples") == count
    arguments = ("export", "--format", "parquet", "-o", tmp_path / "other", dump, dump)
    result = ours(*arguments, env={"TRACEMALLOC_DUCKDB": duckdb})
    assert result.returncode == 0 and result.stderr.count("\n") == 1
    assert "written once" in result.stderr
    other = Lake(duckdb, tmp_path / "other")
    assert other.value("SELECT count(*) FROM samples") == count
    other.close()


def test_filters(some_interpreter, trace_code, ours, lake, tmp_path):
    dump = trace_code(some_interpreter, PROGRAM).dump
    options = "--domain", "python", "--include", "*program.py"
    found = lake(dump, *options)
    expected = csv_lines(ours, dump, tmp_path / "out", *options)
    assert expected and lines_of(found) == expected


def test_without_the_library(some_interpreter, trace_code, ours, tmp_path):
    dump = trace_code(some_interpreter, PROGRAM).dump
    arguments = ("export", "--format", "parquet", dump, "-o", tmp_path / "lake")
    for path in ("/none/libduckdb.so", "/etc/passwd"):
        result = ours(*arguments, env={"TRACEMALLOC_DUCKDB": path})
        assert result.returncode == 1 and result.stderr.count("\n") == 1
        assert "TRACEMALLOC_DUCKDB" in result.stderr and "csv" in result.stderr
        assert path in result.stderr
    assert not (tmp_path / "lake").exists()


@pytest.mark.parametrize(
    "option",
    ["--at=peak", "--temporary", "--born=1..", "--limit=3", "--by=process"],
)
def test_options_that_select_a_point(ours, option):
    result = ours("export", "--format", "parquet", "x.dump", "-o", "x", option)
    assert result.returncode == 2 and "--format parquet" in result.stderr


def limit_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))


def test_what_cannot_be_written(some_interpreter, trace_code, ours, duckdb, tmp_path):
    dump = trace_code(some_interpreter, PROGRAM).dump
    (tmp_path / "file").write_text("x")
    env = {"TRACEMALLOC_DUCKDB": duckdb}
    for name in ("file", "file/lake", "none/lake"):
        arguments = ("export", "--format", "parquet", dump, "-o", tmp_path / name)
        result = ours(*arguments, env=env)
        assert result.returncode == 1 and result.stderr.count("\n") == 1
    arguments = ("export", "--format", "parquet", dump, "-o", tmp_path / "lake")
    result = ours(*arguments, env=env, preexec_fn=limit_files)
    assert result.returncode == 1 and result.stderr.count("\n") == 1, result.stderr
    assert not (tmp_path / "lake").exists()
    (tmp_path / "lake").mkdir()
    bad = ours(*arguments, tmp_path / "file", env=env)
    assert bad.returncode == 1 and "file" in bad.stderr
    assert list((tmp_path / "lake").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing(
    some_interpreter, trace_code, command, duckdb, tmp_path, number
):
    dump = trace_code(some_interpreter, PROGRAM).dump
    directory = tmp_path / "lake"
    arguments = [command, "export", "--format", "parquet", "-o", str(directory)]
    child = subprocess.Popen(
        arguments + [str(dump)] * 20000,
        env=dict(clean_environment(), TRACEMALLOC_DUCKDB=duckdb),
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + TIMEOUT
        while not list(directory.glob(".tracemalloc-*")):
            assert time.monotonic() < end and child.poll() is None
            time.sleep(0.01)
        child.send_signal(number)
        assert child.wait(TIMEOUT) == -number
    finally:
        child.kill()
        child.wait()
    assert not directory.exists()
