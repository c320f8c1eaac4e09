# SPDX-License-Identifier: MIT
"""doc/recipes/gunicorn.md, with each kind of worker."""

import pytest

SLOW = [
    pytest.param(name, marks=pytest.mark.slow)
    for name in ("gthread", "HUP", "max-requests")
]


@pytest.mark.parametrize("variant", ["sync", "preload"] + SLOW)
def test_the_line_is_named(recipe, needs, variant):
    needs("gunicorn")
    trial = recipe("gunicorn", variant)
    trial.start()
    trial.wait_for_port()
    trial.ask()
