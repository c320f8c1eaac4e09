# SPDX-License-Identifier: MIT
"""Another preloaded library, which calls libc by other names, gets on with ours."""

import pytest

from conftest import ROOT, outcome, run

PROGRAM = """
import ctypes, os, resource, signal, sys
libc = ctypes.CDLL(None, use_errno=True)
handler = ctypes.CFUNCTYPE(None, ctypes.c_int)
got = []
ours = handler(lambda number: got.append(int(number)))
for name in "signal", "sysv_signal", "bsd_signal", "ssignal", "__sysv_signal":
    function = getattr(libc, name)
    function.restype = ctypes.c_void_p
    function.argtypes = ctypes.c_int, ctypes.c_void_p
    for number in signal.SIGUSR1, signal.SIGUSR2, signal.SIGBUS:
        before = function(number, ctypes.cast(ours, ctypes.c_void_p))
        os.kill(os.getpid(), number)
        after = function(number, None)
        print(name, int(number), before, bool(after))
for number in signal.SIGUSR1, signal.SIGBUS:
    signal.signal(number, lambda number, frame: got.append(int(number)))
    os.kill(os.getpid(), number)
    signal.pthread_sigmask(signal.SIG_BLOCK, [])
    signal.signal(number, signal.SIG_DFL)
print(got)
limit = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, limit)
print(resource.prlimit(0, resource.RLIMIT_CORE, limit) == limit)
print("hooks were called", libc.count_calls() > 0)
"""


@pytest.fixture(scope="session")
def hooks(tmp_path_factory):
    out = tmp_path_factory.mktemp("hooks") / "hooks.so"
    source = ROOT / "tests" / "e2e" / "other_hooks.c"
    options = ["-std=gnu11", "-D_GNU_SOURCE", "-O1", "-shared", "-fPIC"]
    done = run(["cc"] + options + ["-fno-builtin", "-o", out, source])
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.parametrize("signal", ["", "USR2"])
def test_names_of_one_function(signal, some_interpreter, hooks, library, tmp_path):
    program = [some_interpreter.path, "-c", PROGRAM]
    expected = outcome(run(program, env={"LD_PRELOAD": str(hooks)}, cwd=tmp_path))
    assert expected[0] == 0 and "hooks were called True" in expected[1], expected
    environment = {
        "LD_PRELOAD": "%s:%s" % (library, hooks),
        "PYTHONTRACEMALLOC": "5",
        "TRACEMALLOC_OUTPUT": "%p.dump",
        "TRACEMALLOC_QUIET": "1",
    }
    if signal:
        environment["TRACEMALLOC_SIGNAL"] = signal
    traced = run(program, env=environment, cwd=tmp_path)
    if not signal:
        assert outcome(traced) == expected
    assert traced.returncode == 0 and "hooks were called True" in traced.stdout
    assert len(list(tmp_path.glob("*.dump"))) == 1
