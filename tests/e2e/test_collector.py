# SPDX-License-Identifier: MIT
"""An OpenTelemetry Collector receives what `tracemalloc push` sends.

scripts/collector builds it. It writes JSON, of which all references are resolved here,
with upstream's names of fields, and compared with what `export --format otlp` writes.
"""

import collections
import json
import socket
import subprocess
import time

import pytest

from conftest import ROOT
from otlp_file import Profiles

PROGRAM = """
kept = [bytearray(100001), [bytes(5000 + i) for i in range(100)]]
for _ in range(10):
    bytearray(300001)
"""
# Telemetry of its own would need a port.
CONFIGURATION = """
receivers:
  otlp:
    protocols:
      http:
        endpoint: 127.0.0.1:%d
exporters:
  file:
    path: %s
service:
  telemetry:
    metrics:
      level: none
  pipelines:
    profiles:
      receivers: [otlp]
      exporters: [file]
"""


class Received:
    """A line of the Collector's file."""

    def __init__(self, line):
        self.message = json.loads(line)
        self.tables = self.message["dictionary"]

    def string(self, index):
        return self.tables["stringTable"][index]

    def value(self, message):
        if "stringValueStrindex" in message:
            return self.string(message["stringValueStrindex"])
        if "intValue" in message:
            return int(message["intValue"])
        return message["stringValue"]

    def attributes(self, message):
        entries = [
            self.tables["attributeTable"][index]
            for index in message.get("attributeIndices", [])
        ]
        return {self.string(e["keyStrindex"]): self.value(e["value"]) for e in entries}

    def frame(self, index):
        location = self.tables["locationTable"][index]
        kind = self.attributes(location).get("profile.frame.type")
        if not location.get("lines"):
            mapping = self.tables["mappingTable"][location.get("mappingIndex", 0)]
            return kind, self.string(mapping.get("filenameStrindex", 0)), 0, ""
        line = location["lines"][0]
        function = self.tables["functionTable"][line["functionIndex"]]
        name = self.string(function.get("nameStrindex", 0))
        file = self.string(function.get("filenameStrindex", 0))
        return kind, file, int(line.get("line", 0)), name

    def stack(self, index):
        entry = self.tables["stackTable"][index]
        return [self.frame(i) for i in entry.get("locationIndices", [])]

    def resources(self):
        """[attributes, {sample type: [(value, attributes, stack index)]}]"""
        for resource in self.message["resourceProfiles"]:
            attributes = {}
            for pair in resource["resource"]["attributes"]:
                key = pair.get("key") or self.string(pair["keyStrindex"])
                attributes[key] = self.value(pair["value"])
            (scope,) = resource["scopeProfiles"]
            profiles = {}
            for profile in scope["profiles"]:
                name = self.string(profile["sampleType"]["typeStrindex"])
                profiles[name] = [
                    (int(s["values"][0]), self.attributes(s), s["stackIndex"])
                    for s in profile.get("samples", [])
                ]
            yield attributes, profiles


def samples(reader, profile):
    """How often each value has the same attributes and frames."""
    return collections.Counter(
        (value, tuple(sorted(attributes.items())), tuple(reader.stack(stack)))
        for value, attributes, stack in profile
    )


def wait_for(condition, process):
    end = time.time() + 30
    while not condition():
        assert process.poll() is None and time.time() < end
        time.sleep(0.1)


def answers(port):
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def collector(tmp_path):
    """(URL, function: the lines that it wrote, waiting for so many)"""
    script = str(ROOT / "scripts" / "collector")
    found = subprocess.run([script, "--path"], stdout=subprocess.PIPE)
    if found.returncode != 0:
        pytest.skip("no Collector was built (scripts/collector)")
    binary = found.stdout.decode().strip()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    out, configuration = tmp_path / "out.json", tmp_path / "collector.yaml"
    configuration.write_text(CONFIGURATION % (port, out))
    options = ["--config", str(configuration)]
    options += ["--feature-gates", "service.profilesSupport"]
    log = open(str(tmp_path / "collector.log"), "wb")
    process = subprocess.Popen([binary] + options, stdout=log, stderr=log)

    def lines(count):
        wait_for(lambda: out.read_text().count("\n") >= count, process)
        return [Received(line) for line in out.read_text().splitlines()]

    try:
        wait_for(lambda: answers(port), process)
        yield "http://127.0.0.1:%d" % port, lines
    finally:
        process.kill()
        process.wait()
        log.close()


def push(ours, url, *arguments, **variables):
    variables.update(OTEL_EXPORTER_OTLP_ENDPOINT=url, no_proxy="*")
    result = ours("push", *arguments, env=variables)
    if "libcurl" in result.stderr:
        pytest.skip(result.stderr)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_collector_has_what_export_writes(
    some_interpreter, trace_code, ours, collector, tmp_path
):
    url, lines = collector
    dump = trace_code(some_interpreter, PROGRAM, TRACEMALLOC_NATIVE_FRAMES="10").dump
    out = tmp_path / "whole.otlp"
    assert ours("export", "--format", "otlp", dump, "-o", out).returncode == 0
    push(ours, url, dump, "--label", "region=eu", OTEL_SERVICE_NAME="orders")
    (received,) = lines(1)
    exported = Profiles(out.read_bytes())
    ((attributes, profiles),) = received.resources()
    ((expected, whole, _),) = exported.resources()
    assert attributes == dict(expected, **{"service.name": "orders", "region": "eu"})
    assert profiles.keys() == whole.keys()
    for name, profile in whole.items():
        assert samples(received, profiles[name]) == samples(exported, profile)
    kinds = {frame[0] for s in whole["inuse_space"] for frame in exported.stack(s[2])}
    assert kinds == {"cpython", "native"}


def test_a_collector_has_a_resource_for_each_process(
    some_interpreter, trace_code, ours, collector
):
    url, lines = collector
    dumps = [trace_code(some_interpreter, PROGRAM).dump for _ in range(3)]
    push(ours, url, *dumps, OTEL_EXPORTER_OTLP_COMPRESSION="gzip")
    (received,) = lines(1)
    pids = [attributes["process.pid"] for attributes, _ in received.resources()]
    assert sorted(pids) == sorted(ours.json("info", d)["pid"] for d in dumps)
    sums = [
        sum(value for value, _, _ in profiles["inuse_space"])
        for _, profiles in received.resources()
    ]
    sizes = [ours.json("stats", dump)["total"]["size"] for dump in dumps]
    assert sorted(sums) == sorted(sizes)
