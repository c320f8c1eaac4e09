# SPDX-License-Identifier: MIT
"""doc/recipes/systemd.md and kubernetes.md: their files are valid, and their variables
trace. Neither systemd nor a cluster is started."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from conftest import ENVIRONMENT, ROOT
from recipe_page import Page

PROGRAM = "kept = [bytes(1000) for _ in range(1000)]"


def page(name):
    return Page(ROOT / "doc" / "recipes" / (name + ".md")).files()


def dumps_of(variables, environment, library, directory, there):
    """Names of what a Python with these variables leaves in `there`."""
    dumps = directory / "dumps"
    dumps.mkdir()
    assert os.path.basename(variables["LD_PRELOAD"]) == "libtracemalloc.so"
    output = variables["TRACEMALLOC_OUTPUT"].replace(there, str(dumps))
    own = dict(variables, LD_PRELOAD=str(library), TRACEMALLOC_OUTPUT=output)
    command = [sys.executable, "-c", PROGRAM]
    subprocess.check_call(command, env=dict(environment, TRACEMALLOC_QUIET="1", **own))
    return [path.name for path in dumps.iterdir()]


def test_systemd(environment, library, tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze (Debian: systemd)")
    files = page("systemd")
    drop_in = tmp_path / "orders.service.d"
    drop_in.mkdir()
    (drop_in / "override.conf").write_text(files["tracemalloc.conf"])
    unit = tmp_path / "orders.service"
    unit.write_text(files["orders.service"])
    result = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(unit)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        timeout=100,
    )
    assert (result.returncode, result.stdout) == (0, "")
    assigned = re.findall(r"^Environment=(\w+)=(.*)$", files["tracemalloc.conf"], re.M)
    variables = {name: value.replace("%%", "%") for name, value in assigned}
    there = "/var/lib/orders-dumps"
    (name,) = dumps_of(variables, environment, library, tmp_path, there)
    assert re.match(r"[^.%]+.*\.\d+\.\d{10}\.dump$", name)


@pytest.mark.slow
def test_kubernetes(needs, environment, library, tmp_path):
    needs("kubernetes-validate")
    manifest = page("kubernetes")["deployment.yaml"]
    path = tmp_path / "deployment.yaml"
    path.write_text(manifest)
    validate = [str(ENVIRONMENT / "kubernetes-validate"), "--strict", "-k", "1.31"]
    result = subprocess.run(
        validate + [str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        timeout=100,
    )
    assert result.returncode == 0, result.stdout
    env = re.findall(r'\{name: ([A-Z_]+), value: "?([^}"]*)"?\}', manifest)
    (name,) = dumps_of(dict(env), environment, library, tmp_path, "/dumps")
    assert re.match(r"[^.%]+.*\.\d+\.\d{10}\.dump$", name)
