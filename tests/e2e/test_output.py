# SPDX-License-Identifier: MIT
"""Where the dump goes: TRACEMALLOC_OUTPUT and its pattern."""

import os
import re
import socket
import stat

import pytest

PROGRAM = "import os; print(os.getpid())"


def traced_pid(traced):
    assert traced.result.returncode == 0, traced.result.stderr
    return traced.result.stdout.strip()


def test_default_name(some_interpreter, trace, tmp_path):
    program = [some_interpreter.path, "-c", PROGRAM]
    pid = traced_pid(trace(program, cwd=tmp_path, TRACEMALLOC_OUTPUT=None))
    assert (tmp_path / ("tracemalloc.%s.dump" % pid)).is_file()


def test_pattern(some_interpreter, trace, dumps_folder):
    pattern = str(dumps_folder / "%p-%c-%h-%t.dump")
    program = [some_interpreter.path, "-c", PROGRAM]
    traced = trace(program, TRACEMALLOC_OUTPUT=pattern)
    pid, comm = traced_pid(traced), os.path.basename(some_interpreter.path)
    found = re.fullmatch(
        r"%s-%s-%s-(\d+)\.dump"
        % tuple(map(re.escape, (pid, comm, socket.gethostname()))),
        traced.dump.name,
    )
    assert found, traced.dump.name
    assert abs(int(found.group(1)) - os.stat(str(traced.dump)).st_mtime) < 60


def test_existing_name_gets_the_next_suffix(some_interpreter, trace, dumps_folder):
    existing = dumps_folder / "x.dump"
    existing.write_text("precious")
    program = [some_interpreter.path, "-c", PROGRAM]
    names = []
    for _ in range(2):
        names.append(trace(program, TRACEMALLOC_OUTPUT=str(existing)).dump.name)
    assert names == ["x.dump.1", "x.dump.2"]
    assert existing.read_text() == "precious"


def test_only_the_owner_may_read(some_interpreter, trace):
    dump = trace([some_interpreter.path, "-c", PROGRAM]).dump
    assert stat.S_IMODE(os.stat(str(dump)).st_mode) == 0o600


def test_link_is_not_followed(some_interpreter, trace, dumps_folder, tmp_path):
    target = tmp_path / "target"
    link = dumps_folder / "x.dump"
    link.symlink_to(target)
    program = [some_interpreter.path, "-c", PROGRAM]
    traced_pid(trace(program, TRACEMALLOC_OUTPUT=str(link)))
    assert not target.exists()


@pytest.mark.parametrize("device", ["/dev/null", "/dev/full", "/dev/stdout"])
def test_device_is_refused(some_interpreter, trace, device):
    program = [some_interpreter.path, "-c", PROGRAM]
    plain = some_interpreter.run("-c", "print(1)")
    traced = trace(program, TRACEMALLOC_OUTPUT=device, TRACEMALLOC_QUIET=None)
    assert traced.result.returncode == plain.returncode == 0
    assert traced.result.stdout.strip().isdigit()
    lines = traced.result.stderr.splitlines()
    assert lines and all(line.startswith("tracemalloc: ") for line in lines)
    for path in (device + ".1", device + ".2"):
        assert not os.path.exists(path)


def test_no_descriptor_stays_open(interpreter, trace):
    code = "import os; print(sorted(os.listdir('/proc/self/fd')))"
    plain = interpreter.run("-c", code)
    assert trace([interpreter.path, "-c", code]).result.stdout == plain.stdout


def test_no_thread_is_added(some_interpreter, trace):
    code = "import os; print(len(os.listdir('/proc/self/task')))"
    assert trace([some_interpreter.path, "-c", code]).result.stdout == "1\n"


def test_little_memory_is_added(interpreter, trace):
    code = """import re
print(re.search(r'VmRSS:\\s*(\\d+)', open('/proc/self/status').read()).group(1))"""
    # -S: what an installation's .pth files import is no small program.
    plain = interpreter.run("-S", "-c", code)
    traced = trace([interpreter.path, "-S", "-c", code])
    assert int(traced.result.stdout) - int(plain.stdout) <= 4096
