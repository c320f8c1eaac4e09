# SPDX-License-Identifier: MIT
"""doc/recipes/long-jobs.md: a job that is killed before it ends."""

import pytest


@pytest.mark.slow
def test_the_line_is_named(recipe):
    trial = recipe("long-jobs")
    trial.start()
    trial.ask()
