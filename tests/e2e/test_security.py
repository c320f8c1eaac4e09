# SPDX-License-Identifier: MIT
"""What the library asks of the kernel is what tracemalloc-security(7) lists."""

import collections
import re
import shutil

import pytest

from conftest import ROOT, run

# The program of the traces: each stat of a name without a file ends a part: the start,
# and what comes before the forks.
MARK = "/tracemalloc-test-started"
PROGRAM = """
import mmap, os, threading
os.path.exists(%r)

def functions(count):
    kept = []
    for number in range(count):
        names = {}
        exec("def f_%%d(n):\\n    return bytes(n)" %% number, names)
        kept.append(names["f_%%d" %% number](number %% 3000))
    return kept

kept = functions(5000)
sizes = [bytes(size) for size in range(6000)]
areas = [mmap.mmap(-1, 3 << 20) for _ in range(3)]
each = [threading.Thread(target=functions, args=(50,)) for _ in range(4)]
for thread in each:
    thread.start()
for thread in each:
    thread.join()
much = bytearray(80 << 20)
os.path.exists(%r)
for _ in range(2):
    child = os.fork()
    if child == 0:
        kept = functions(10)
        os._exit(0)
    os.waitpid(child, 0)
"""
# More than what differs from run to run anyway.
MOST_CHANCE = 20


def documented(part):
    page = (ROOT / "man" / "tracemalloc-security.7").read_text()
    return set(page.split("begin: " + part)[1].split('.\\"')[0].split())


def calls(trace):
    """The calls of a trace by strace: of each of the program's parts."""
    counts = collections.Counter(), collections.Counter(), collections.Counter()
    phase = 0
    for line in trace.read_text(errors="replace").splitlines():
        phase += MARK in line
        name = re.match(r"\d+ +([a-z0-9_]+)\(", line)
        if name:
            counts[phase][name.group(1)] += 1
    return counts


def added(plain, traced):
    """What a traced program calls and a plain one does not, or clearly more often."""
    some = {name for name, count in traced.items() if not plain[name]}
    more = {name for name in traced if traced[name] - plain[name] > MOST_CHANCE}
    return (some | more) - {"brk"}  # the program's own heap, whose size differs


@pytest.mark.parametrize("native_frames", ["0", "30"])
def test_system_calls(some_interpreter, traced_environment, tmp_path, native_frames):
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    program = tmp_path / "program.py"
    program.write_text(PROGRAM % (MARK, MARK))
    counts = []
    tracing = traced_environment(TRACEMALLOC_NATIVE_FRAMES=native_frames)
    for environment in {}, tracing:
        trace = tmp_path / ("trace-%d" % len(counts))
        variables = ["-E%s=%s" % pair for pair in environment.items()]
        command = ["strace", "-f", "-o", trace] + variables
        done = run(command + [some_interpreter.path, "-B", program])
        if "ptrace" in done.stderr:
            pytest.skip("strace may not trace: " + done.stderr)
        assert done.returncode == 0, done.stderr
        counts.append(calls(trace))
    parts = {part: documented(part) for part in ("start", "later", "fork")}
    parts["fork"] |= parts["start"] | parts["later"]
    for phase, part in enumerate(parts):
        found = added(counts[0][phase], counts[1][phase])
        assert len(found) >= 4
        assert sorted(found - parts[part]) == [], part
