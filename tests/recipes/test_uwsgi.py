# SPDX-License-Identifier: MIT
"""doc/recipes/uwsgi.md, with Debian's uWSGI."""

import os
import shutil

import pytest


@pytest.mark.slow
def test_the_line_is_named(recipe):
    if shutil.which("uwsgi") is None:
        pytest.skip("there is no uwsgi (Debian: uwsgi-core)")
    if not os.path.exists("/usr/lib/uwsgi/plugins/python3_plugin.so"):
        pytest.skip("uwsgi has no python3 (Debian: uwsgi-plugin-python3)")
    trial = recipe("uwsgi", limit=200)
    trial.start()
    trial.wait_for_port()
    trial.ask()
