# SPDX-License-Identifier: MIT
"""OpenTelemetry profiles, as upstream's own messages read them, agree with stats."""

import collections
import socket

import pytest

from otlp_file import Profiles, first

PROGRAM = r"""
import threading

kept = [bytearray(100001)]

def work():
    kept.append(bytearray(333333))

thread = threading.Thread(target=work)
thread.start()
thread.join()
kept.append([bytes(5000 + i) for i in range(100)])
exec(compile("kept.append(bytearray(100003))", "a\udc80b.py", "exec"))
[bytes(1000000) for i in range(20)]
"""

PROCESSES = """
import os
child = os.fork()
kept = bytearray(250001 if child else 250002)
if child:
    os.waitpid(child, 0)
"""

TYPES = ["inuse_space", "inuse_objects", "alloc_space", "alloc_objects", "peak_space"]


@pytest.fixture
def export(ours, tmp_path):
    """export(DUMP..., VARIABLE=VALUE...): the file, read."""

    def write(*arguments, **variables):
        out = tmp_path / "out.otlp"
        variables = dict({"OTEL_SERVICE_NAME": "orders"}, **variables)
        result = ours(
            "export", "--format", "otlp", "-o", out, *arguments, env=variables
        )
        assert result.returncode == 0, result.stderr
        write.stderr = result.stderr
        return Profiles(out.read_bytes())

    return write


def total(samples):
    return sum(value for value, _, _ in samples)


def test_sums_are_those_of_stats(some_interpreter, trace_code, ours, export):
    dump = trace_code(some_interpreter, PROGRAM).dump
    profiles = export(dump)
    ((_, found, heads),) = profiles.resources()
    assert list(found) == TYPES
    now = ours.json("stats", dump)["total"]
    assert total(found["inuse_space"]) == now["size"]
    assert total(found["inuse_objects"]) == now["count"]
    peak = ours.json("stats", "--at", "peak", dump)["total"]
    assert total(found["peak_space"]) == peak["size"]
    assert total(found["alloc_space"]) > peak["size"]
    info = ours.json("info", dump)
    begin = first(heads["alloc_space"], "time_unix_nano")
    end = begin + first(heads["alloc_space"], "duration_nano")
    assert abs(begin / 1e9 - info["start_time"]) < 1
    assert end == first(heads["inuse_space"], "time_unix_nano") > begin


def test_lines_and_domains_are_those_of_stats(
    some_interpreter, trace_code, ours, export
):
    dump = trace_code(some_interpreter, PROGRAM).dump
    profiles = export(dump)
    ((_, found, _),) = profiles.resources()
    for domain in ("python", "libc", "mmap"):
        lines = collections.Counter()
        for value, attributes, stack in found["inuse_space"]:
            if attributes["tracemalloc.domain"] == domain:
                kind, file, line, _ = profiles.stack(stack)[0]
                lines[file, line] += value
                assert kind == ("cpython" if line else None)
        report = ours.json(
            "stats", "-g", "lineno", "-l", "all", "--domain", domain, dump
        )
        expected = collections.Counter()
        for entry in report["statistics"]:
            frame = entry["traceback"][0]
            name = frame["filename"].replace("\udc80", "\\udc80")
            expected[name, frame["lineno"]] += entry["size"]
        assert +lines == +expected


def test_threads_have_names(some_interpreter, trace_code, export):
    profiles = export(trace_code(some_interpreter, PROGRAM).dump)
    ((_, found, _),) = profiles.resources()
    work = [s for s in found["inuse_space"] if s[1]["thread.name"] == "work"]
    assert total(work) >= 333333
    assert any(profiles.stack(s[2])[0][2:] == (7, "work") for s in work)


def test_native_frames_have_modules(some_interpreter, trace_code, export):
    traced = trace_code(some_interpreter, PROGRAM, TRACEMALLOC_NATIVE_FRAMES="20")
    profiles = export("--native", traced.dump)
    frames = {frame for i in range(1, len(profiles.tables["stack_table"]))
              for frame in profiles.stack(i)}
    assert {frame[0] for frame in frames} >= {"cpython", "native"}
    mappings = profiles.tables["mapping_table"]
    names = [profiles.string(first(m, "filename_strindex")) for m in mappings[1:]]
    assert any("python3." in name for name in names) and all(names)
    identified = [m for m in mappings if "process.executable.build_id.gnu"
                  in profiles.attributes(m)]
    assert identified
    for location in profiles.tables["location_table"]:
        mapping = mappings[first(location, "mapping_index")]
        address = first(location, "address")
        if address and mapping["memory_limit"]:
            low = first(mapping, "memory_start")
            assert low <= address < first(mapping, "memory_limit")


def test_nothing_is_there_twice_or_unused(some_interpreter, trace_code, export):
    traced = trace_code(some_interpreter, PROGRAM, TRACEMALLOC_NATIVE_FRAMES="20")
    profiles = export("--native", traced.dump)
    tables = profiles.tables
    assert tables["string_table"][0] == ""
    for name, table in tables.items():
        entries = [repr(entry) for entry in table]
        assert len(set(entries)) == len(entries), name
    ((_, found, _),) = profiles.resources()
    stacks = {stack for samples in found.values() for _, _, stack in samples}
    assert stacks == set(range(1, len(tables["stack_table"])))
    used = {i for stack in tables["stack_table"] for i in stack["location_indices"]}
    assert used == set(range(1, len(tables["location_table"])))


def test_a_resource_says_what_it_is(some_interpreter, trace_code, ours, export):
    dump = trace_code(some_interpreter, PROGRAM).dump
    given = {"OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=a%2Cb,host.name=x"}
    ((attributes, _, _),) = export(dump, **given).resources()
    info = ours.json("info", dump)
    assert attributes["service.name"] == "orders"
    assert attributes["deployment.environment"] == "a,b"
    assert attributes["host.name"] == "x"
    assert attributes["process.pid"] == info["pid"]
    assert attributes["process.runtime.name"] == "cpython"
    assert attributes["process.runtime.version"].startswith(
        "%d.%d." % some_interpreter.version
    )
    ((attributes, _, _),) = export(dump, OTEL_SERVICE_NAME="").resources()
    assert attributes["service.name"].startswith("unknown_service:python3")
    assert attributes["host.name"] == socket.gethostname()


def test_a_list_that_is_none_is_ignored(some_interpreter, trace_code, export):
    dump = trace_code(some_interpreter, PROGRAM).dump
    wrong = {"OTEL_RESOURCE_ATTRIBUTES": "a=1,b"}
    ((attributes, _, _),) = export(dump, **wrong).resources()
    assert "a" not in attributes and attributes["service.name"] == "orders"
    assert export.stderr == (
        "tracemalloc: OTEL_RESOURCE_ATTRIBUTES is ignored: it is not KEY=VALUE,...\n"
    )


def test_each_process_is_a_resource(some_interpreter, trace_code, ours, export):
    dumps = trace_code(some_interpreter, PROCESSES).dumps
    assert len(dumps) == 2
    found = {a["process.pid"]: p for a, p, _ in export(*dumps).resources()}
    assert len(found) == 2
    for dump in dumps:
        pid = ours.json("info", dump)["pid"]
        now = ours.json("stats", dump)["total"]
        assert total(found[pid]["inuse_space"]) == now["size"]
        assert total(found[pid]["inuse_objects"]) == now["count"]


def test_sampled_profiles_have_a_period(some_interpreter, trace_code, ours, export):
    dump = trace_code(some_interpreter, PROGRAM, TRACEMALLOC_SAMPLE="64K").dump
    profiles = export(dump)
    ((_, found, heads),) = profiles.resources()
    assert total(found["inuse_space"]) == ours.json("stats", dump)["total"]["size"]
    for head in heads.values():
        assert first(head, "period") == 64 * 1024
        said = profiles.attributes(head)["tracemalloc.sampling"]
        assert said == "sampled, one in 64 KiB"
