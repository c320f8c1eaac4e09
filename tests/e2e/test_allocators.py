# SPDX-License-Identifier: MIT
"""A process whose malloc is not ours: the dump and each report say so."""

import glob

import pytest

from conftest import run

ALLOCATORS = ["libjemalloc.so.2", "libtcmalloc_minimal.so.4", "libmimalloc.so.2"]
SAID = "another allocator"

PROGRAM = "kept = [bytes(n) for n in range(1000)]; import ctypes; \
ctypes.CDLL(None).malloc(5000)"

EMBEDDING = """
#include <Python.h>
int main(void) {
    void *volatile block = malloc(100);
    free(block);
    Py_Initialize();
    PyRun_SimpleString("kept = [bytes(n) for n in range(1000)]");
    return Py_FinalizeEx();
}
"""


@pytest.fixture(params=ALLOCATORS)
def allocator(request):
    found = glob.glob("/usr/lib/*/" + request.param)
    if not found:
        pytest.skip("no %s: scripts/setup-debian installs it" % request.param)
    return found[0]


def reasons(ours, dump):
    told = ours.json("info", dump)
    assert told["complete"] == (not told["incomplete_reasons"])
    return [text for text in told["incomplete_reasons"] if SAID in text]


def test_preloaded_before(some_interpreter, trace, ours, library, allocator):
    program = [some_interpreter.path, "-c", PROGRAM]
    traced = trace(
        program, LD_PRELOAD="%s:%s" % (allocator, library), TRACEMALLOC_QUIET=None
    )
    assert traced.result.returncode == 0
    assert traced.result.stderr.count(SAID) == 1
    assert len(reasons(ours, traced.dump)) == 1
    for report in "stats", "tree", "summary":
        said = ours(report, traced.dump)
        assert SAID in said.stdout + said.stderr, report


def test_preloaded_after(some_interpreter, trace, ours, library, allocator):
    program = [some_interpreter.path, "-c", PROGRAM]
    traced = trace(
        program, LD_PRELOAD="%s:%s" % (library, allocator), TRACEMALLOC_QUIET=None
    )
    assert traced.result.returncode == 0
    domains = ours.json("info", traced.dump)["domains"]
    assert [each["bytes"] > 0 for each in domains if each["name"] == "libc"] == [True]


def test_linked_into_the_executable(trace, ours, tmp_path):
    archives = glob.glob("/usr/lib/*/libjemalloc.a")
    config = run(["python3-config", "--includes", "--embed", "--ldflags"])
    if not archives or config.returncode != 0:
        pytest.skip("no libjemalloc.a or no python3-config")
    source, out = tmp_path / "embedding.c", tmp_path / "embedding"
    source.write_text(EMBEDDING)
    flags = config.stdout.split()
    done = run(
        ["cc", source, "-o", out] + archives + flags + ["-lstdc++", "-lm", "-lpthread"]
    )
    assert done.returncode == 0, done.stderr
    traced = trace([out])
    assert traced.result.returncode == 0, traced.result.stderr
    assert len(reasons(ours, traced.dump)) == 1


def test_ours_alone(some_interpreter, trace, ours):
    traced = trace([some_interpreter.path, "-c", PROGRAM], TRACEMALLOC_QUIET=None)
    assert traced.result.stderr == ""
    assert ours.json("info", traced.dump)["complete"]
