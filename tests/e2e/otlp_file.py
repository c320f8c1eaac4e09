# SPDX-License-Identifier: MIT
"""OpenTelemetry profiles, read by protoc with the messages that upstream publishes.

They are in the package opentelemetry-proto, which pip brings into build/ once. Where it
or protoc is missing, the tests that need them are skipped.
"""

import ast
import collections
import functools
import os
import re
import shutil
import subprocess
import zipfile

import pytest

import conftest
from test_greenlets import pip

PACKAGE = "opentelemetry-proto==1.45.2"
MESSAGES = (
    "common/v1/common",
    "resource/v1/resource",
    "profiles/v1development/profiles",
    "collector/profiles/v1development/profiles_service",
)
DATA = "opentelemetry.proto.profiles.v1development.ProfilesData"
SERIALIZED = re.compile(r"AddSerializedFile\((b'.*')\)")
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}]|[^\s{}:]+')


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def wheel():
    folder = conftest.ROOT / "build" / "opentelemetry"
    if not list(folder.glob("*.whl")):
        if pip() is None:
            pytest.skip("no interpreter has pip")
        options = ["download", "-q", "--no-deps", "--retries", "0", "-d", folder]
        if conftest.run(pip() + options + [PACKAGE]).returncode != 0:
            pytest.skip("pip brings no " + PACKAGE)
    return next(folder.glob("*.whl"))


@functools.lru_cache(maxsize=None)
def descriptors():
    """The path of a FileDescriptorSet: the files' descriptors are in their modules."""
    path = conftest.ROOT / "build" / "opentelemetry" / "descriptors.bin"
    written = bytearray()
    with zipfile.ZipFile(str(wheel())) as package:
        for name in MESSAGES:
            text = package.read("opentelemetry/proto/%s_pb2.py" % name).decode()
            descriptor = ast.literal_eval(SERIALIZED.search(text).group(1))
            written += b"\n" + varint(len(descriptor)) + descriptor
    partial = path.with_suffix(".%d" % os.getpid())
    partial.write_bytes(bytes(written))
    partial.replace(path)
    return path


def decode(data, message=DATA):
    """protoc's text of a message; skips the test where there is no protoc."""
    if shutil.which("protoc") is None:
        pytest.skip("protoc (Debian: protobuf-compiler) is not here")
    options = ["--descriptor_set_in=%s" % descriptors(), "--decode=" + message]
    result = subprocess.run(
        ["protoc"] + options, input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.decode()


def value_of(token):
    if token.startswith('"'):
        return ast.literal_eval("b" + token).decode("utf-8")
    return int(token)


def parse(text):
    """Messages as {field: [value...]}."""
    message, outer, name = collections.defaultdict(list), [], None
    for token in TOKEN.findall(text):
        if token == "{":
            inner = collections.defaultdict(list)
            message[name].append(inner)
            outer.append(message)
            message, name = inner, None
        elif token == "}":
            message = outer.pop()
        elif name is None:
            name = token
            continue
        else:
            message[name].append(value_of(token))
        name = None
    assert not outer
    return message


def first(message, field, default=0):
    """A field that is there once; protoc leaves out what is 0 or empty."""
    assert len(message[field]) <= 1, field
    return message[field][0] if message[field] else default


class Profiles:
    """The profiles of a file or a request, with all references resolved."""

    def __init__(self, data, message=DATA):
        self.message = parse(decode(data, message))
        self.tables = first(self.message, "dictionary")

    def string(self, index):
        return self.tables["string_table"][index]

    def attributes(self, message):
        found = {}
        for index in message["attribute_indices"]:
            entry = self.tables["attribute_table"][index]
            key = self.string(first(entry, "key_strindex"))
            assert key and key not in found
            found[key] = first(first(entry, "value"), "string_value")
        return found

    def frame(self, index):
        """(type, file, line, function)"""
        location = self.tables["location_table"][index]
        kind = self.attributes(location).get("profile.frame.type")
        if not location["lines"]:
            mapping = self.tables["mapping_table"][first(location, "mapping_index")]
            return kind, self.string(first(mapping, "filename_strindex")), 0, ""
        line = first(location, "lines")
        function = self.tables["function_table"][first(line, "function_index")]
        name = self.string(first(function, "name_strindex"))
        file = self.string(first(function, "filename_strindex"))
        return kind, file, first(line, "line"), name

    def stack(self, index):
        """Its frames, the most recent first."""
        entry = self.tables["stack_table"][index]
        return [self.frame(location) for location in entry["location_indices"]]

    def resources(self):
        """[attributes, {sample type: [(value, attributes, stack index)]}, heads]"""
        for resource in self.message["resource_profiles"]:
            attributes = {}
            for pair in first(resource, "resource")["attributes"]:
                value = first(pair, "value")
                (attributes[first(pair, "key")],) = next(iter(value.values()))
            profiles, heads = {}, {}
            for profile in first(resource, "scope_profiles")["profiles"]:
                kind = first(profile, "sample_type")
                name = self.string(first(kind, "type_strindex"))
                heads[name] = profile
                profiles[name] = [
                    (first(s, "values"), self.attributes(s), first(s, "stack_index"))
                    for s in profile["samples"]
                ]
            yield attributes, profiles, heads
