# SPDX-License-Identifier: MIT
"""doc/recipes/multiprocessing.md, with each way to start a process."""

import pytest

SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("spawn", "forkserver")]


@pytest.mark.parametrize("variant", ["fork"] + SLOW)
def test_the_line_is_named(recipe, variant):
    trial = recipe("multiprocessing", variant)
    trial.start()
    trial.ask()
