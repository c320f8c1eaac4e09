# SPDX-License-Identifier: MIT
"""Native frames take nothing from the program: no descriptor, no word that cannot be
read, no room on a stack that has little."""

import subprocess

import pytest

from conftest import outcome, run

NATIVE = {"TRACEMALLOC_NATIVE_FRAMES": "30"}

DESCRIPTORS = """
import os, sys
def opened():
    return sorted(n for n in os.listdir("/proc/self/fd") if int(n) < 50)
keep = [opened()]
keep += [list(map(lambda i: [str(i)], range(2000))) for _ in range(3)]
keep.append(opened())
numbers = [os.open("/dev/null", os.O_RDWR) for _ in range(4)]
import decimal, sqlite3
keep += [decimal.Decimal(i) for i in range(1000)]
keep.append(opened())
for number in numbers:
    os.write(number, b"x")
    os.close(number)
os.closerange(3, 100)
keep += [list(map(lambda i: [str(i)], range(2000))) for _ in range(3)]
numbers.append(os.open(os.devnull, os.O_RDONLY))
with open(sys.argv[1], "w") as file:
    print(keep[0], keep[4], keep[-7], numbers, file=file)
"""


@pytest.mark.parametrize("closed", ["", "<&-", ">&-", "2>&-", "<&- >&- 2>&-", "2>&1"])
def test_no_descriptor(some_interpreter, traced_environment, tmp_path, closed):
    seen = []
    for number, changes in enumerate([{}, NATIVE]):
        out = tmp_path / str(number)
        program = [some_interpreter.path, "-c", DESCRIPTORS, out]
        shell = ["sh", "-c", 'exec "$0" "$@" ' + closed] + program
        environment = traced_environment(**changes) if changes else {}
        result = run(shell, env=environment)
        seen.append((outcome(result), out.read_text()))
    assert seen[0] == seen[1]


def test_no_descriptor_when_idle(some_interpreter, traced_environment):
    text = "import os; print(sorted(os.listdir('/proc/self/fd')))"
    environment = traced_environment(PYTHONTRACEMALLOC=None, **NATIVE)
    program = [some_interpreter.path, "-c", text]
    assert outcome(run(program, env=environment)) == outcome(run(program))


@pytest.mark.parametrize("name", ["test_posix", "test_subprocess"])
def test_cpythons_tests_of_descriptors(
    some_interpreter, traced_environment, tmp_path, name
):
    found = some_interpreter.run("-c", "import test.%s" % name, cwd=tmp_path)
    if found.returncode != 0:
        pytest.skip("this interpreter has no tests of its own")
    program = [some_interpreter.path, "-m", "test", name]
    try:
        plain = run(program, cwd=tmp_path, timeout=300)
    except subprocess.TimeoutExpired:
        pytest.skip("the machine is too slow")
    if plain.returncode != 0:
        pytest.skip("%s fails here without the library too" % name)
    environment = traced_environment(**NATIVE)
    traced = run(program, env=environment, cwd=tmp_path, timeout=900)
    assert traced.returncode == 0, traced.stdout[-3000:]
