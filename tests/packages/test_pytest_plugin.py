# SPDX-License-Identifier: MIT
"""The pytest plugin of the wheel, with the oldest pytest and the newest."""

import os
import re

import pytest

from conftest import run
from test_wheel import interpreters

VERSIONS = {
    "3.8": ("pytest==6.2.5", "pytest-xdist==2.5.0"),
    "3.13": ("pytest==9.2.0", "pytest-xdist==3.8.0"),
}

TESTS = """
import os
import unittest
import pytest

kept = []

@pytest.fixture
def large():
    return bytearray(50 << 20)

@pytest.mark.limit_memory("24 MB")
def test_fixture_is_free(large):
    bytearray(20 << 20)

@pytest.mark.limit_memory("24 MB")
@pytest.mark.parametrize("size", [10, 30])
def test_size(size):
    [bytearray(1 << 20) for _ in range(size)]  # here

@pytest.mark.limit_leaks("1 MB")
def test_leak():
    kept.append(bytearray(2 << 20))  # leaks

@pytest.mark.limit_leaks("1 MB")
def test_small_leaks():
    kept.extend(bytearray(1000) for _ in range(10))

@pytest.mark.limit_leaks("1 MB", filter_fn=lambda s: s.frames[0].function == "f")
def test_leak_is_filtered():
    kept.append(bytearray(2 << 20))

@pytest.mark.limit_memory("24 MB")
def test_its_own_failure():
    bytearray(30 << 20)
    assert kept == "something"

@pytest.mark.limit_memory("24 XB")
def test_no_size():
    pass

@pytest.mark.xfail
@pytest.mark.limit_memory("24 MB")
def test_expected():
    bytearray(30 << 20)

def test_environment():
    assert not {"LD_PRELOAD", "TRACEMALLOC_OUTPUT"} & set(os.environ)

class TestCase(unittest.TestCase):
    @pytest.mark.limit_memory("24 MB")
    def test_unittest(self):
        bytearray(30 << 20)
"""
FAILED = {"test_size[30]", "test_leak", "test_no_size", "test_unittest"}
FAILED_ANYHOW = {"test_its_own_failure"}

# Whether this process was preloaded.
UNMARKED = """
import ctypes

def test_unmarked():
    bytearray(10 << 20)
    assert not hasattr(ctypes.CDLL(None), "tracemalloc_start")
"""


class Environment:
    """A virtual environment with the wheel and one version of pytest."""

    def __init__(self, programs, directory):
        self.programs = programs
        self.directory = directory
        self.temporary = directory / "tmp"
        self.temporary.mkdir()

    def run(self, *command, **variables):
        result = run(
            [self.programs / command[0], *command[1:]],
            cwd=str(self.directory),
            env=dict(variables, TMPDIR=str(self.temporary)),
        )
        left = [p for p in os.listdir(str(self.temporary)) if "libtracemalloc" in p]
        assert left == []
        return result

    def pytest(self, *arguments, **variables):
        return self.run("pytest", "-q", "-rfE", *arguments, **variables)


def failed(result):
    names = re.findall(r"^(?:FAILED|ERROR) \S+::(\S+)", result.stdout, re.M)
    return set(names)


def line(text, tests=TESTS):
    (number,) = [n for n, at in enumerate(tests.split("\n"), 1) if text in at]
    return "test_sample.py:%d in " % number


@pytest.fixture(scope="module", params=sorted(VERSIONS))
def installed(request, tmp_path_factory):
    """The programs of an environment that all tests of this module share."""
    found = [p for p in interpreters() if p.endswith("/python" + request.param)]
    if not found:
        pytest.skip("there is no CPython %s of pyenv" % request.param)
    directory = tmp_path_factory.mktemp("environment")
    programs = directory / "venv" / "bin"
    assert run([found[0], "-m", "venv", directory / "venv"]).returncode == 0
    pip = [programs / "python3", "-m", "pip", "install", "-q", *VERSIONS[request.param]]
    result = run(pip)
    if result.returncode != 0:
        pytest.skip("no pytest from PyPI: " + result.stderr.strip()[-200:])
    return programs


@pytest.fixture
def environment(installed, package, tmp_path):
    wheel = package("libtracemalloc-*.whl")
    if not (installed / "tracemalloc").exists():
        pip = [installed / "python3", "-m", "pip", "install", "-q", "--no-index"]
        assert run([*pip, wheel]).returncode == 0
    (tmp_path / "test_sample.py").write_text(TESTS)
    return Environment(installed, tmp_path)


def test_limits(environment):
    result = environment.pytest()
    assert failed(result) == FAILED | FAILED_ANYHOW, result.stdout
    assert result.stderr == ""
    assert "5 failed, 5 passed, 1 xfailed" in result.stdout
    assert "limited to 24.0 MiB and needed 30.0 MiB at its peak" in result.stdout
    assert re.search(r"30\.0 MiB in \d+ blocks +" + line("# here"), result.stdout)
    assert "allowed to leak 1.0 MiB per call stack" in result.stdout
    assert re.search(r"2\.0 MiB in \d+ blocks? +" + line("# leaks"), result.stdout)
    assert "'24 XB' is not a size" in result.stdout


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_report(environment, workers):
    result = environment.pytest("--tracemalloc-report=4", *workers)
    assert failed(result) == FAILED | FAILED_ANYHOW, result.stdout
    heading, report = re.split("=+ (tracemalloc: .*?) =+\n", result.stdout)[1:]
    assert heading == "tracemalloc: 4 of 10 tests, by peak"
    entries = re.findall(r"^\S+::(\S+)\n +peak (\S+) MiB, kept (.*),", report, re.M)
    highest = {"test_size[30]", "test_its_own_failure", "test_expected"}
    assert {name for name, _, _ in entries} == highest | {"test_unittest"}
    assert all(peak == "30.0" for _, peak, _ in entries)
    assert line("# here") in report


def test_a_path_may_follow(environment):
    result = environment.pytest("--tracemalloc-report", "test_sample.py")
    assert "tracemalloc: 10 of 10 tests, by peak" in result.stdout, result.stdout


def test_off(environment):
    for turned_off in (
        environment.pytest("--tracemalloc=off"),
        environment.pytest(TRACEMALLOC_PYTEST="off"),
    ):
        assert failed(turned_off) == FAILED_ANYHOW, turned_off.stdout
        assert "tracemalloc:" not in turned_off.stdout


def test_says_what_is_missing(environment):
    program = "import pytest; pytest.main(['-q', '-rfE'])"
    result = environment.run("python3", "-c", program)
    assert failed(result) == FAILED_ANYHOW | {"test_no_size"}
    said = re.findall("^tracemalloc: .*", result.stdout, re.M)
    assert said == [
        "tracemalloc: limits of 9 tests were not checked: "
        "pytest was called by a program, which would begin anew"
    ]


def test_under_run(environment):
    output = environment.directory / "x.dump"
    pytest_command = [environment.programs / "pytest", "-q", "-rfE"]
    result = environment.run(
        "tracemalloc", "run", "-q", "-o", output, "--", *pytest_command
    )
    failures = failed(result) - {"test_environment"}  # it is as the user made it
    assert failures == FAILED | FAILED_ANYHOW, result.stdout
    assert re.search(r"30\.0 MiB in \d+ blocks +" + line("# here"), result.stdout)
    assert output.exists()


def test_unmarked_tests_run_as_without(environment):
    (environment.directory / "test_sample.py").write_text(UNMARKED)
    result = environment.pytest()
    assert (result.returncode, result.stderr) == (0, ""), result.stdout
    assert "tracemalloc" not in result.stdout
