# SPDX-License-Identifier: MIT
"""A Python that arrives by dlopen and ignores the environment is noticed all the same.

Programs that embed one configure it in isolation: it never asks for PYTHONTRACEMALLOC.
"""

import pathlib
import shutil
import subprocess
import sys

import pytest

from conftest import TIMEOUT, clean_environment, outcome, run

SOURCES = pathlib.Path(__file__).parent
# e: Py_IgnoreEnvironmentFlag, c: an isolated PyConfig, l: loaded for itself alone
WAYS = ["e", "el", "c", "cl"]
TEXT = """
import _tracemalloc, sys
def f():
    return bytes(1000003)
sys.kept = f()
print(_tracemalloc.is_tracing(), _tracemalloc.get_traceback_limit())
"""


@pytest.fixture
def embed(interpreter, tmp_path):
    """embed(TEXT, HOW): the command that runs a text in a program that embeds."""
    if not shutil.which("cc"):
        pytest.skip("no C compiler")
    linked = subprocess.check_output(["ldd", interpreter.path]).decode().split("\n")
    found = [line.split("=>")[1].split()[0] for line in linked if "libpython3." in line]
    if not found:
        pytest.skip("no shared libpython")
    program = tmp_path / "embed"
    source = str(SOURCES / "embed.c")
    subprocess.check_call(["cc", "-O1", "-o", str(program), source, "-ldl"])
    home = interpreter.run("-c", "import sys; print(sys.prefix)").stdout.strip()

    def command_of(text, how):
        if "c" in how and interpreter.version < (3, 8):
            pytest.skip("no PyConfig before 3.8")
        return [str(program), found[0], text, how, home]

    return command_of


@pytest.mark.parametrize("how", WAYS)
def test_run_traces_it(interpreter, embed, command, snapshot, tmp_path, how):
    program = embed(TEXT, how)
    result = run([command, "run", "-n", "7", "-o", "dump", *program], cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout == "True 7\n"
    assert result.stderr == "tracemalloc: wrote dump\n"
    traces = [t for t in snapshot(tmp_path / "dump").traces if t.size == 1000003 + 33]
    assert [[frame.lineno for frame in t.traceback] for t in traces] == [[5, 4]]


@pytest.mark.parametrize("how", WAYS)
def test_without_run_it_is_not_traced(embed, trace, how):
    """As an interpreter under -E or -I, which ignores the variable too."""
    program = embed(TEXT, how)
    traced = trace(program)
    assert outcome(traced.result) == outcome(run(program))
    assert traced.dumps == []


def is_listed(command, pid):
    lines = run([command, "ps"]).stdout.splitlines()
    return any(line.split()[0] == str(pid) for line in lines)


@pytest.mark.parametrize("how", WAYS)
def test_it_can_be_started(embed, command, library, snapshot, tmp_path, how):
    text = """
import sys
print("ready", flush=True)
sys.stdin.readline()
def f():
    return bytes(1000003)
sys.kept = f()
"""
    settings = {"LD_PRELOAD": library, "TRACEMALLOC_OUTPUT": str(tmp_path / "dump")}
    process = subprocess.Popen(
        embed(text, how),
        env=dict(clean_environment(), **settings),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        universal_newlines=True,
    )
    try:
        assert process.stdout.readline() == "ready\n"
        assert is_listed(command, process.pid)
        started = run([command, "start", str(process.pid)])
        assert started.returncode == 0, started.stderr
        process.communicate("\n", timeout=TIMEOUT)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    traces = [t for t in snapshot(tmp_path / "dump").traces if t.size == 1000003 + 33]
    assert [[frame.lineno for frame in t.traceback] for t in traces] == [[7, 6]]


def test_threads_that_make_keys_at_once(embed, command, tmp_path):
    """The runtime is looked for while other threads of the program make keys too."""
    text = TEXT + """
import threading
def work():
    for _ in range(20):
        local = threading.local()
        local.x = bytes(100)
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
    result = run([command, "run", "-q", *embed(text, "e")], cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    """A one-file program of PyInstaller, with this interpreter in it."""
    folder = tmp_path_factory.mktemp("frozen")
    modules = str(folder / "modules")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--target", modules]
    if subprocess.call([*pip, "pyinstaller"], stderr=subprocess.DEVNULL) != 0:
        pytest.skip("pip cannot install pyinstaller")
    (folder / "app.py").write_text(
        "import tracemalloc\nkept = [bytes(1000003)]\nprint(tracemalloc.is_tracing())\n"
    )
    made = subprocess.run(
        [sys.executable, "-m", "PyInstaller", "--onefile", "--log-level=ERROR"]
        + ["--distpath", ".", "app.py"],
        cwd=str(folder),
        env=dict(clean_environment(), PYTHONPATH=modules),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if made.returncode != 0:
        pytest.skip("PyInstaller: " + made.stdout.decode()[-200:])
    return str(folder / "app")


def test_a_frozen_program(frozen, command, snapshot, tmp_path):
    result = run([command, "run", "-o", "dump", frozen], cwd=tmp_path)
    assert (result.returncode, result.stdout) == (0, "True\n"), result.stderr
    assert result.stderr == "tracemalloc: wrote dump\n"
    assert [t for t in snapshot(tmp_path / "dump").traces if t.size == 1000003 + 33]
