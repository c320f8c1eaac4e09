# SPDX-License-Identifier: MIT
"""tracemalloc run: the program runs as it would alone; its dumps tell how it ended."""

import os
import signal
import subprocess

import pytest

from conftest import TIMEOUT, clean_environment, run

KEEP = "kept = [bytes(70000) for _ in range(3)]\n"


@pytest.fixture
def run_code(command, some_interpreter, tmp_path):
    """run_code(TEXT, OPTION...): the result of a Python program in tmp_path."""

    def run_text(text, *options, **settings):
        program = [some_interpreter.path, "-c", KEEP + text]
        return run([command, "run", *options, "--", *program], cwd=tmp_path, **settings)

    return run_text


def last_line(result):
    return result.stderr.rstrip("\n").split("\n")[-1]


def dumps_in(folder):
    return sorted(str(path) for path in folder.iterdir() if ".dump" in path.name)


def test_names_the_dump_in_the_last_line(run_code, tmp_path):
    result = run_code("print('out')")
    (dump,) = dumps_in(tmp_path)
    assert (result.returncode, result.stdout) == (0, "out\n")
    assert last_line(result) == "tracemalloc: wrote " + os.path.basename(dump)


def test_dumps_land_in_one_folder(run_code, tmp_path):
    text = "import os; os.chdir('/'); os.fork() or os._exit(0); os.wait()"
    result = run_code(text, "-o", "%p.dump")
    dumps = [os.path.basename(dump) for dump in dumps_in(tmp_path)]
    assert result.returncode == 0 and dumps != []
    assert all(dump in last_line(result) for dump in dumps)


@pytest.mark.parametrize(
    "option, setting", [("-q", {}), ("-n25", {"TRACEMALLOC_QUIET": "1"})]
)
def test_quiet(run_code, option, setting):
    result = run_code("", option, env=setting)
    assert (result.returncode, result.stderr) == (0, "")


def test_frames(run_code, tmp_path, ours):
    run_code("", "-n", "3")
    assert ours.json("info", dumps_in(tmp_path)[0])["nframe"] == 3


@pytest.mark.parametrize("switch", ["-I", "-E"])
def test_traces_programs_that_ignore_their_environment(
    command, some_interpreter, switch, tmp_path, ours
):
    program = [some_interpreter.path, switch, "-c", KEEP]
    result = run([command, "run", "-n", "7", *program], cwd=tmp_path)
    assert result.returncode == 0
    assert ours.json("info", dumps_in(tmp_path)[0])["nframe"] == 7


def test_exit_status(run_code, tmp_path, ours):
    assert run_code("raise SystemExit(5)").returncode == 5
    info = ours.json("info", dumps_in(tmp_path)[0])
    assert (info["state"], info["exit_status"]) == ("exited", 5)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL", "SIGSEGV", "SIGUSR1"])
def test_death_by_a_signal(run_code, tmp_path, ours, name):
    number = getattr(signal, name)
    result = run_code("import os, signal\nos.kill(os.getpid(), signal.%s)" % name)
    assert result.returncode == 128 + number
    info = ours.json("info", dumps_in(tmp_path)[0])
    assert (info["state"], info["signal"]) == ("signal", number)
    assert not info["oom_killed"]


def test_signals_reach_the_program(command, some_interpreter, tmp_path):
    text = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(9))\n"
        "print('ready', flush=True)\n"
        "time.sleep(20)\n"
    )
    process = subprocess.Popen(
        [command, "run", "-q", some_interpreter.path, "-c", text],
        cwd=str(tmp_path),
        env=clean_environment(),
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"ready\n"
    process.terminate()
    assert process.wait(TIMEOUT) == 9
    process.stdout.close()


def test_the_programs_environment_is_kept(command, tmp_path):
    preloaded = {"LD_PRELOAD": "libm.so.6", "TRACEMALLOC_OUTPUT": "/elsewhere/%p"}
    result = run([command, "run", "-q", "-n2", "env"], env=preloaded, cwd=tmp_path)
    lines = result.stdout.splitlines()
    seen = dict(line.split("=", 1) for line in lines if "=" in line)
    assert seen["LD_PRELOAD"].endswith("/libtracemalloc.so:libm.so.6")
    assert seen["TRACEMALLOC_OUTPUT"] == "/elsewhere/%p"
    assert seen["PYTHONTRACEMALLOC"] == "2"


def test_says_when_there_is_no_dump(command, tmp_path):
    result = run([command, "run", "true"], cwd=tmp_path)
    assert result.returncode == 0
    assert last_line(result).startswith("tracemalloc: no dump was written")
    assert dumps_in(tmp_path) == []


@pytest.mark.parametrize("program, status", [("/nonexistent/x", 127), ("/", 126)])
def test_programs_that_cannot_be_executed(command, program, status, tmp_path):
    result = run([command, "run", program], cwd=tmp_path)
    assert (result.returncode, result.stdout) == (status, "")
    assert result.stderr.startswith("tracemalloc: " + program)
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [[], ["-n", "0", "true"], ["-n", "65536", "true"], ["-o", "%q", "true"], ["--x"]],
)
def test_usage(ours, arguments):
    result = ours("run", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr != ""
