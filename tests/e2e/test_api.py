# SPDX-License-Identifier: MIT
"""The C API of include/tracemalloc.h: its example, and a program without Python."""

import pytest

from conftest import ROOT, run
from dump_file import DumpFile

DOMAIN = 4711
FIRST, LAST = 700, 720

LOAD = """
import ctypes, errno, sys
example = ctypes.CDLL(sys.argv[1])
example.example_take.restype = ctypes.c_void_p
example.example_traced_bytes.restype = ctypes.c_int64
take, start, stop = example.example_take, example.example_start, example.example_stop

def give_back(pointer):
    example.example_give_back(ctypes.c_void_p(pointer))

def taking():
    return [take(size) for size in (701, 702, 703, 703)]
"""

ALLOCATOR = """
first = taking()
give_back(first[1])
print(len(set(first)), None in first, take(1025))
"""

LIFE = """
def name(status):
    return errno.errorcode.get(-status, status)

def snapshot(number):
    return name(example.example_snapshot(b"%d.dump" % number))

print(name(start(25)), name(start(0)), name(start(65536)), example.example_is_traced())
give_back(taking()[1])
print(snapshot(1), snapshot(1), example.example_traced_bytes() > 1000)
print(name(example.example_clear()))
take(710)
print(snapshot(2))
print(name(stop()), name(stop()), name(example.example_clear()), snapshot(3))
print(example.example_traced_bytes(), example.example_is_traced())
take(711)
print(name(start(3)), example.example_is_traced())
take(712)
"""

ANSWERS = """\
EALREADY EINVAL EINVAL 1
0 EEXIST True
0
0
0 EALREADY EALREADY EALREADY
0 0
0 1
"""

PEAKS = """
import ctypes, sys
library = ctypes.CDLL(None)
totals = (ctypes.c_uint64 * 3)()

def measure():
    assert library.tracemalloc_get_totals(totals) == 0
    return list(totals)

before = bytearray(16000001)
del before
assert library.tracemalloc_reset_peak() == 0
held, peak, allocations = measure()
print(peak - held < 100000, library.tracemalloc_snapshot(b"begin.dump"))
block = bytearray(5000001)
del block
now, peak, later = measure()
print(5000001 <= peak - held < 6000000, now - held < 100000, later > allocations)
print(library.tracemalloc_snapshot(b"after.dump"))
"""


def compiled(folder, name, *options):
    """A file of tests/native, made into what the options say."""
    out = folder / name
    source = ROOT / "tests" / "native" / (name + ".c")
    include = "-I%s" % (ROOT / "include")
    command = ["cc", "-O1", "-D_GNU_SOURCE", include, "-o", out, source]
    done = run(command + list(options))
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="session")
def example(tmp_path_factory):
    folder = tmp_path_factory.mktemp("example")
    return compiled(folder, "api_example", "-shared", "-fPIC")


@pytest.fixture(scope="session")
def without_python(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("program"), "api_program")


def tracked(dump):
    return DumpFile(dump).live(DOMAIN, FIRST, LAST)


def test_runs_without_the_library(interpreter, example, tmp_path):
    result = interpreter.run("-c", LOAD + ALLOCATOR, example, cwd=tmp_path)
    assert (result.returncode, result.stdout) == (0, "4 False None\n"), result.stderr


def test_tracks_what_an_allocator_gives(interpreter, trace_code, example):
    traced = trace_code(interpreter, LOAD + ALLOCATOR, example)
    assert traced.result.stdout == "4 False None\n", traced.result.stderr
    assert tracked(traced.dump) == {701: 1, 703: 2}


def test_tracebacks(interpreter, trace_code, example):
    dump = DumpFile(trace_code(interpreter, LOAD + ALLOCATOR, example).dump)
    ours = [bucket for bucket in dump.buckets if bucket.domain == DOMAIN]
    live = [bucket for bucket in ours if bucket.live]
    stacks = [bucket.stack for bucket in live]
    assert len(stacks) == 2
    for stack in stacks:
        assert "taking" in [frame.name for frame in dump.frames(stack)]


def test_whole_life(interpreter, trace, example, dumps_folder, tmp_path):
    program = [interpreter.path, "-c", LOAD + LIFE, example]
    traced = trace(program, cwd=tmp_path)
    assert traced.result.stdout == ANSWERS, traced.result.stderr
    first, second = sorted(traced.dumps, key=lambda path: len(path.name))
    snapshots = [tracked(tmp_path / name) for name in ("1.dump", "2.dump")]
    assert snapshots == [{701: 1, 703: 2}, {710: 1}]
    assert not (tmp_path / "3.dump").exists()
    assert tracked(first) == {710: 1}
    assert tracked(second) == {712: 1}
    assert (DumpFile(first).state, DumpFile(second).nframe) == ("stopped", 3)


def test_starts_what_was_not_traced(interpreter, trace, example, dumps_folder):
    code = LOAD + "print(start(9), example.example_is_traced()); take(701)"
    program = [interpreter.path, "-c", code, example]
    traced = trace(program, PYTHONTRACEMALLOC=None)
    assert traced.result.stdout == "0 1\n", traced.result.stderr
    assert DumpFile(traced.dump).nframe == 9
    assert tracked(traced.dump) == {701: 1}


def test_peaks_begin_anew(interpreter, trace_code, ours, tmp_path):
    def lines(dump):
        stats = ours.json("stats", "--at", "peak", "-l", "all", dump)
        large = [e for e in stats["statistics"] if e["size"] > 5000000]
        return {entry["traceback"][0]["lineno"] for entry in large}

    traced = trace_code(interpreter, PEAKS, cwd=tmp_path)
    expected = "True 0\nTrue True True\n0\n"
    assert traced.result.stdout == expected, traced.result.stderr
    line = PEAKS.splitlines().index("block = bytearray(5000001)") + 1
    assert lines(tmp_path / "begin.dump") == set()
    assert lines(tmp_path / "after.dump") == {line}


@pytest.mark.parametrize("preloaded", [True, False], ids=["with", "without"])
def test_without_python(traced_environment, without_python, tmp_path, preloaded):
    environment = traced_environment() if preloaded else {}
    result = run([without_python], env=environment, cwd=tmp_path)
    expected = "with\n" if preloaded else "without\n"
    assert (result.returncode, result.stdout, result.stderr) == (0, expected, "")
    assert list(tmp_path.glob("*.dump")) == []
