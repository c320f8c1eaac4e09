# SPDX-License-Identifier: MIT
"""What the tests of recipes share: the command, the environment, a page that is tried.

scripts/test sets TRACEMALLOC_TEST_COMMAND and TRACEMALLOC_TEST_LIBRARY to the built
files; scripts/recipes made the environment in build/recipes. Tests that take longer
than some seconds are marked slow, and run with `scripts/test --recipes`.
"""

import os
import pathlib

import pytest

from recipe_page import Page, Trial

ROOT = pathlib.Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / "build" / "recipes" / "bin"


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes longer than some seconds")


@pytest.fixture(scope="session")
def command():
    return pathlib.Path(os.environ["TRACEMALLOC_TEST_COMMAND"]).resolve()


@pytest.fixture(scope="session")
def library():
    return pathlib.Path(os.environ["TRACEMALLOC_TEST_LIBRARY"]).resolve()


@pytest.fixture(scope="session")
def environment(command):
    """The command and the programs of build/recipes are found, nothing is traced."""
    unwanted = ("PYTHON", "TRACEMALLOC_", "LD_PRELOAD")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
    paths = [str(ENVIRONMENT), str(command.parent), kept.get("PATH", "")]
    return dict(kept, PATH=":".join(paths), LC_ALL="C.UTF-8", no_proxy="127.0.0.1")


@pytest.fixture
def needs():
    """needs(PROGRAM...): skips the test if one is not in build/recipes."""

    def check(*programs):
        for program in programs:
            if not (ENVIRONMENT / program).exists():
                pytest.skip("no %s in build/recipes (scripts/recipes)" % program)

    return check


@pytest.fixture
def recipe(environment, tmp_path):
    """recipe(NAME, variant=None): the page's Trial, which is stopped at the end."""
    trials = []

    def begin(name, variant=None, **options):
        page = Page(ROOT / "doc" / "recipes" / (name + ".md"))
        trials.append(Trial(page, tmp_path, environment, variant, **options))
        return trials[-1]

    try:
        yield begin
    finally:
        for trial in trials:
            trial.stop()
