# SPDX-License-Identifier: MIT
"""doc/recipes/jupyter.md: a notebook that is executed by a traced kernel."""

import pytest


@pytest.mark.slow
def test_the_line_is_named(recipe, needs):
    needs("jupyter-execute", "ipython")
    trial = recipe("jupyter", limit=200)
    trial.start()
    trial.ask()
