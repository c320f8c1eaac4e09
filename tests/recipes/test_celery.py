# SPDX-License-Identifier: MIT
"""doc/recipes/celery.md, with a Redis of its own."""

import shutil

import pytest


@pytest.mark.slow
def test_the_line_is_named(recipe, needs):
    needs("celery")
    if shutil.which("redis-server") is None:
        pytest.skip("there is no redis-server (Debian: redis-server)")
    trial = recipe("celery", limit=200)
    trial.start()
    trial.wait_for_port()
    trial.ask()
