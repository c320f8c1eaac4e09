# SPDX-License-Identifier: MIT
"""Which build wrote a dump and which reads it, and what becomes of other formats."""

import re
import struct

import pytest

from conftest import clean_environment, run
from dump_file import DumpFile

PROGRAM = "kept = [bytes(1000) for _ in range(10)]"
VERSION = re.compile(r"tracemalloc (\d+\.\d+\.\d+) \(([^()]+)\) (\w+)\n")
FORMAT_AT, LIBRARY_AT = 12, 7120


@pytest.fixture
def traced(trace_code, some_interpreter):
    return trace_code(some_interpreter, PROGRAM)


@pytest.fixture
def changed(traced, tmp_path):
    """changed(format, version): the same dump as if another library had written it."""

    def change(number, version=b"", build=b"", machine=b""):
        data = bytearray(traced.dump.read_bytes())
        struct.pack_into("=I", data, FORMAT_AT, number)
        struct.pack_into("16s64s16s", data, LIBRARY_AT, version, build, machine)
        path = tmp_path / ("format%d.dump" % number)
        path.write_bytes(bytes(data))
        return path

    return change


def test_the_command_says_what_it_is(ours):
    version, build, machine = VERSION.fullmatch(ours("--version").stdout).groups()
    assert ours("stats", "--version").stdout == ours("--version").stdout
    assert re.match(r"(release|unknown commit|[0-9a-f]{12,}(-dirty)?), \w+ ", build)
    assert machine == run(["uname", "-m"], env=clean_environment()).stdout.strip()


def test_a_dump_says_what_wrote_it(
    traced, trace_code, some_interpreter, ours, tmp_path
):
    """Library and command of the tests are of one build, and so is a merged dump."""
    version, build, machine = VERSION.fullmatch(ours("--version").stdout).groups()
    itself = {"version": version, "build": build, "architecture": machine}
    header = DumpFile(traced.dump)
    assert header.library_version.rstrip(b"\0").decode() == version
    assert header.library_build.rstrip(b"\0").decode() == build
    assert header.library_machine.rstrip(b"\0").decode() == machine
    merged = tmp_path / "merged.dump"
    other = trace_code(some_interpreter, PROGRAM).dump
    assert ours("merge", "-o", merged, traced.dump, other).returncode == 0
    for dump in (traced.dump, merged):
        info = ours.json("info", dump)
        assert info["library"] == info["command"] == itself
        text = ours("info", dump).stdout
        line = "%s (%s) %s" % (version, build, machine)
        assert re.search("^library +%s$" % re.escape(line), text, re.M)
        assert re.search("^command +%s$" % re.escape(line), text, re.M)


def test_the_dump_of_a_library_that_did_not_say(changed, ours):
    info = ours.json("info", changed(2))
    assert info["library"] == {"version": None, "build": None, "architecture": None}
    assert "unknown version (unknown build)" in ours("info", changed(2)).stdout


def test_names_of_a_hostile_dump(changed, ours):
    dump = changed(2, b"\x1b[31m\n" + b"v" * 16, b"b" * 64, b"\n" * 16)
    result = ours("info", dump)
    assert result.returncode == 0 and "\x1b" not in result.stdout
    assert len(re.findall("^library ", result.stdout, re.M)) == 1
    library = ours.json("info", changed(2, b"\xff" * 16, b"b" * 64))["library"]
    assert (len(library["version"]), len(library["build"])) == (15, 63)


@pytest.mark.parametrize(
    "number, version, needed",
    [
        (3, b"0.9.0", "use tracemalloc 0.9.0"),
        (3, b"", "use the version that wrote it"),
        (1, b"junk", "use the version that wrote it"),
        (1 << 31, b"\x1b[31m\n", "use tracemalloc"),
    ],
)
def test_another_format_is_refused_in_one_line(changed, ours, number, version, needed):
    dump = changed(number, version)
    for command in ("info", "stats", "summary", "leaks", "check"):
        options = ["--max-peak", "1G"] if command == "check" else []
        result = ours(command, dump, *options)
        assert result.returncode == 1 and result.stdout == "", command
        assert result.stderr.count("\n") == 1 and "\x1b" not in result.stderr
        said = "%s: a dump in format %d" % (dump, number)
        assert said in result.stderr and "reads format 2: " in result.stderr
        assert needed in result.stderr
