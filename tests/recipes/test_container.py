# SPDX-License-Identifier: MIT
"""doc/recipes/container.md, with runc: process 1, a read-only root, an OOM kill."""

import os
import re
import shutil
import types

import pytest

from conftest import ENVIRONMENT, ROOT
from container import Container, obstacle

TREE = ROOT / "build" / "systems" / "bookworm"
PACKAGES = ENVIRONMENT.parent / "lib" / "python3.11" / "site-packages"


@pytest.fixture
def container(library, tmp_path):
    """container(TRIAL): starts what the page of this trial says."""
    running = []

    def start(trial):
        shutil.copy(str(library), str(tmp_path / "libtracemalloc.so"))
        (tmp_path / "dumps").mkdir()
        (command,) = [c for c in trial.page.commands("start") if "docker run" in c]
        made = Container(
            tmp_path / "bundle",
            types.SimpleNamespace(directory=tmp_path, environment_packages=PACKAGES),
            (tmp_path / "Dockerfile").read_text(),
            command,
            "tracemalloc-recipe-%d" % os.getpid(),
        )
        with open(str(tmp_path / "background.log"), "w") as log:
            running.append((made, made.start(TREE, log)))

    try:
        yield start
    finally:
        for made, process in running:
            made.stop(process)


@pytest.mark.slow
def test_the_line_is_named(recipe, needs, container, tmp_path):
    needs("gunicorn")
    reason = obstacle(TREE)
    if reason is not None:
        pytest.skip(reason)
    trial = recipe("container", limit=200)
    container(trial)
    trial.wait_for(lambda: "Listening" in trial.log() or "runc" in trial.log())
    if "Listening" not in trial.log():
        pytest.skip("runc cannot run here: " + trial.log()[-300:])
    trial.wait_for_port()
    report = trial.ask()
    names = sorted(path.name for path in (tmp_path / "dumps").iterdir())
    assert all(re.match(r"orders-1\.\d+\.\d{10}\.dump$", name) for name in names)
    assert any(name.startswith("orders-1.1.") for name in names), names
    assert "128 MiB (cgroup)" in report
    trial.wait_for(lambda: "SIGKILL" in trial.log() or trial.load())
