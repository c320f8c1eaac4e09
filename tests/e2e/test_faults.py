# SPDX-License-Identifier: MIT
"""Each system call of the library fails once: the program does not notice.

A run that fails nothing tells the calls (tests/native/faults.c). Then the program runs
once for each: every error of the first call from each place in the library, and one
error of the last and of some between.
"""

import collections

import pytest

from conftest import ROOT, outcome, run

LEAST_CALLS = 150
LEAST_KINDS = 14
LEAST_DUMPS = 5
BETWEEN = 1
# All tables get their memory from one place.
BETWEEN_MAPS = 30

Call = collections.namedtuple("Call", "kind place errors")

# Grows every section of the dump, maps and unmaps, forks, ends threads, and stops and
# starts by each way there is. Nothing that it prints depends on who traces it.
PROGRAM = '''
import ctypes, mmap, os, signal, sys, threading

def modules(first, count):
    """Functions of as many names, each with a line of its own that allocates."""
    kept = []
    for number in range(first, first + count):
        name = "function_with_a_rather_long_name_%d" % number
        names = {}
        exec("def %s(size):\\n    return bytes(size)" % name, names)
        kept.append(names[name](number))
    return kept

def deep(level):
    return deep(level - 1) if level else [object() for _ in range(10)]

def maps():
    kept = []
    for size in 1, 3, 9:
        area = mmap.mmap(-1, size << 20)
        area[0] = 1
        kept.append(area)
    for area in kept:
        area.close()
    return len(bytearray(80 << 20))

def threads():
    each = [threading.Thread(target=deep, args=(5,)) for _ in range(4)]
    for thread in each:
        thread.start()
    for thread in each:
        thread.join()

def fork():
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        kept = modules(100000, 400)
        os.write(1, b"child keeps %d\\n" % len(kept))
        os._exit(len(kept) % 256)
    print("child", os.waitpid(child, 0)[1] >> 8)

def from_c(name, *arguments):
    """The library's function; it may be refused."""
    function = getattr(ctypes.CDLL(None), name, None)
    if function is not None:
        function(*arguments)

def is_caught(number):
    with open("/proc/self/status") as file:
        caught = next(line for line in file if line.startswith("SigCgt"))
    return int(caught.split()[1], 16) >> (number - 1) & 1

def by_signal():
    if is_caught(signal.SIGUSR2):
        os.kill(os.getpid(), signal.SIGUSR2)

def by_module():
    import tracemalloc
    try:
        tracemalloc.stop()
        tracemalloc.start(5)
        kept = modules(200000, 50)
        tracemalloc.get_tracemalloc_memory()
        if tracemalloc.is_tracing():
            tracemalloc.take_snapshot()
        tracemalloc.clear_traces()
    except MemoryError:
        pass

kept = modules(0, 2500)
print("kept", len(kept), len(deep(100)), maps())
sizes = [bytes(size) for size in range(6000)]
threads()
fork()
from_c("tracemalloc_snapshot", b"snapshot.dump")
by_signal()
by_signal()
from_c("tracemalloc_clear")
from_c("tracemalloc_stop")
from_c("tracemalloc_start", 7)
by_module()
fork()
print("sum", sum(map(len, kept)), sum(map(len, sizes)))
sys.exit(3)
'''


@pytest.fixture(scope="session")
def faults(tmp_path_factory):
    """The shared object of tests/native/faults.c."""
    out = tmp_path_factory.mktemp("faults") / "faults.so"
    source = ROOT / "tests" / "native" / "faults.c"
    options = ["-std=gnu11", "-D_GNU_SOURCE", "-O1", "-shared", "-fPIC"]
    done = run(["cc"] + options + ["-o", out, source])
    assert done.returncode == 0, done.stderr
    return out


class Faulty:
    """The program, run under the library with one call that fails."""

    def __init__(self, interpreter, library, faults, command, folder):
        self.program = folder / "program.py"
        self.program.write_text(PROGRAM)
        self.interpreter = interpreter
        self.preloaded = "%s:%s" % (library, faults)
        self.command = command
        self.folder = folder

        self.expected = self.plain()

    def plain(self):
        """Exit status and output without the library."""
        result = self.interpreter.run(self.program)
        assert (result.returncode, result.stderr) == (3, "")
        return outcome(result)[:2]

    def run(self, name, **changes):
        """The result, and the dumps that it left; all names are relative."""
        folder = self.folder / name
        folder.mkdir()
        environment = {
            "LD_PRELOAD": self.preloaded,
            "PYTHONTRACEMALLOC": "25",
            "TRACEMALLOC_OUTPUT": "%c.%h.%p.dump",
            "TRACEMALLOC_SIGNAL": "USR2",
            "TMPDIR": str(self.folder),
        }
        environment.update(changes)
        program = [self.interpreter.path, self.program]
        result = run(program, env=environment, cwd=folder)
        return result, sorted(folder.glob("*dump*"))

    def calls(self):
        """What the library calls when nothing fails, in order."""
        log = self.folder / "calls"
        result, dumps = self.run("all", FAULTS_LOG=str(log))
        assert outcome(result) == self.expected + ("",)
        assert len(dumps) >= LEAST_DUMPS
        return read_calls(log)

    def failing(self, call, number, variant):
        """Whether the call was made that often, and what is not as it should be."""
        log = self.folder / ("%s-%d-%d" % (call.place, number, variant))
        result, dumps = self.run(
            log.name + "-run",
            FAULTS_PLACE=call.place,
            FAULTS_CALL=str(number),
            FAULTS_VARIANT=str(variant),
            FAULTS_LOG=str(log),
        )
        problems = ["stderr: " + line for line in strange_lines(result.stderr)]
        problems += [said for said in map(self.unreadable, dumps) if said]
        if outcome(result)[:2] != self.expected:
            problems.append("status %d: %s" % (result.returncode, result.stdout))
        return log.exists(), problems

    def unreadable(self, dump):
        """What the command says of a dump that it cannot read; such a dump stays."""
        told = run([self.command, "info", dump])
        if told.returncode != 0:
            return told.stderr
        dump.unlink()
        return ""


def read_calls(log):
    lines = [line.split() for line in log.read_text().splitlines()]
    return [Call(kind, place, int(errors)) for kind, place, errors in lines]


def strange_lines(text):
    return [line for line in text.splitlines() if not line.startswith("tracemalloc: ")]


def cases(calls):
    """Calls that have to fail, each with its number among those from its place and the
    variant of its error."""
    for call, count in collections.Counter(calls).items():
        for variant in range(call.errors):
            yield call, 1, variant
        between = BETWEEN_MAPS if call.kind == "mmap" else BETWEEN
        step = max(1, count // (between + 1))
        for number in sorted(set(range(1 + step, count, step)) | {count} - {1}):
            yield call, number, number % call.errors


def test_every_call_fails_once(some_interpreter, library, faults, command, tmp_path):
    faulty = Faulty(some_interpreter, library, faults, command, tmp_path)
    calls = faulty.calls()
    kinds = {call.kind for call in calls}
    assert "unknown" not in kinds
    assert len(calls) >= LEAST_CALLS and len(kinds) >= LEAST_KINDS, kinds
    failed, problems = [], []
    for call, number, variant in cases(calls):
        happened, found = faulty.failing(call, number, variant)
        failed += [call] if happened else []
        problems += ["%s %d-%d: %s" % (call, number, variant, text) for text in found]
    print("%d calls of %d kinds, %d failed" % (len(calls), len(kinds), len(failed)))
    assert not problems, "\n".join(problems)
    assert len(failed) >= LEAST_CALLS
    assert {call.place for call in failed} == {call.place for call in calls}
