# SPDX-License-Identifier: MIT
"""Where no code may be changed, modules still report their memory to us."""


import pytest

from conftest import run
from dump_file import DumpFile

DOMAIN, SIZE = 389047, 12345678

MODULE = """
#include <stddef.h>
#include <stdint.h>
int PyTraceMalloc_Track(unsigned domain, uintptr_t pointer, size_t size);
__attribute__((visibility("default"))) int report(void) {
    return PyTraceMalloc_Track(%d, 0x123450, %d);
}
""" % (
    DOMAIN,
    SIZE,
)

# PR_SET_MDWE of linux/prctl.h is kept across an exec.
LAUNCH = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
if libc.prctl(65, 1, 0, 0, 0) != 0:
    sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])
"""

PROGRAM = """
import ctypes, sys
print(ctypes.CDLL(sys.argv[1]).report())
"""


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    folder = tmp_path_factory.mktemp("module")
    (folder / "module.c").write_text(MODULE)
    out = folder / "module.so"
    done = run(["cc", "-shared", "-fPIC", "-o", out, folder / "module.c"])
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.parametrize("binding", ["", "now"])
def test_write_execute_denied(interpreter, binding, trace, module):
    if interpreter.version < (3, 7):
        pytest.skip("3.6 has no PyTraceMalloc_Track without an underscore")
    program = ["env", "LD_BIND_NOW=1"] if binding else []
    program += [interpreter.path, "-c", LAUNCH, interpreter.path, "-c", PROGRAM, module]
    traced = trace(program, TRACEMALLOC_QUIET=None)
    if traced.result.returncode == 77:
        pytest.skip("this kernel has no PR_SET_MDWE")
    assert (traced.result.returncode, traced.result.stdout) == (0, "0\n")
    assert traced.result.stderr == ""
    assert any(live_of(path) == {SIZE: 1} for path in traced.dumps)


def live_of(path):
    return dict(DumpFile(path).live(DOMAIN, SIZE, SIZE))
