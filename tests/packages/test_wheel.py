# SPDX-License-Identifier: MIT
"""The wheel: installed into a fresh environment of each interpreter, it traces."""

import os
import pathlib
import re
import subprocess

import pytest

from conftest import ROOT, run

PROGRAM = "kept = [bytes(70000) for _ in range(3)]; print('out')"


def interpreters():
    listed = os.environ.get("TRACEMALLOC_TEST_PYTHONS")
    if listed is None:
        script = str(ROOT / "scripts" / "interpreters")
        listed = subprocess.check_output([script, "--list"], universal_newlines=True)
    # Debian's packages of venv are apart, and need not be installed.
    return [path for path in listed.split() if "/.pyenv/" in path]


@pytest.mark.parametrize("interpreter", interpreters())
def test_in_a_fresh_environment(interpreter, package, tmp_path):
    wheel = package("libtracemalloc-*.whl")
    made = run([interpreter, "-m", "venv", tmp_path / "venv"])
    assert made.returncode == 0, made.stderr
    programs = tmp_path / "venv" / "bin"
    pip = [programs / "python3", "-m", "pip", "install", "--no-index", wheel]
    installed = run(pip)
    if "is not a supported wheel" in installed.stderr:
        assert run(pip[:4] + ["--upgrade", "pip"]).returncode == 0
        installed = run(pip)
    assert installed.returncode == 0, installed.stderr
    traced = run(
        [programs / "tracemalloc", "run", "-o", tmp_path / "x.dump", "--"]
        + [programs / "python3", "-c", PROGRAM]
    )
    assert (traced.returncode, traced.stdout) == (0, "out\n"), traced.stderr
    assert traced.stderr == "tracemalloc: wrote %s\n" % (tmp_path / "x.dump")
    at_peak = ["stats", "--at", "peak", tmp_path / "x.dump"]
    stats = run([programs / "tracemalloc", *at_peak])
    assert re.search(r"<string>:1: size=2\d\d KiB", stats.stdout), stats.stdout


def test_no_extension_module(package, tmp_path):
    names = run(["python3", "-m", "zipfile", "-l", package("libtracemalloc-*.whl")])
    shared = [line.split()[0] for line in names.stdout.splitlines() if ".so" in line]
    assert [pathlib.PurePath(name).name for name in shared] == ["libtracemalloc.so"]
    assert "licenses/LICENSE" in names.stdout
