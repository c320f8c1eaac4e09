# SPDX-License-Identifier: MIT
"""doc/recipes/uvicorn.md, with one process and with workers."""

import pytest


@pytest.mark.slow
@pytest.mark.parametrize("variant", [None, "workers"])
def test_the_line_is_named(recipe, needs, variant):
    needs("uvicorn")
    trial = recipe("uvicorn", variant, limit=200)
    trial.start()
    trial.wait_for_port()
    trial.ask()
