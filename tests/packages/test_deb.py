# SPDX-License-Identifier: MIT
"""The Debian package: lintian is content; installed into a bare system, it traces."""

import re
import shutil

import pytest

from conftest import IS_ALL, SUITES, run

PROGRAM = "kept = [bytes(70000) for _ in range(3)]; print('out')"


def test_lintian_is_content(package):
    if not shutil.which("lintian"):
        pytest.skip("lintian is not installed")
    changes = package("deb/libtracemalloc_*.changes")
    result = run(["lintian", "--fail-on=error,warning", "--allow-root", changes])
    assert (result.returncode, result.stdout) == (0, ""), result.stderr


@pytest.mark.parametrize("suite", SUITES[1:] if IS_ALL else ["bookworm"])
def test_installed_into_a_bare_system(suite, package, system):
    """With what it depends on, from Debian's archive; built on Debian 12."""
    bare = system(suite)
    bare.bind(package("deb/tracemalloc_*.deb").parent, "/opt/packages")
    apt = ["apt-get", "-y", "-q", "-o", "Acquire::Check-Valid-Until=false"]
    updated = bare.run(*apt, "update")
    if updated.returncode != 0:
        pytest.skip("no network for apt-get: " + updated.stderr[-300:])
    (name,) = bare.run("sh", "-c", "ls /opt/packages/tracemalloc_*.deb").stdout.split()
    installed = bare.run(*apt, "install", "--no-install-recommends", name)
    assert installed.returncode == 0, installed.stderr
    run_it = ["tracemalloc", "run", "-o", "/tmp/x.dump", "python3", "-c", PROGRAM]
    traced = bare.run(*run_it)
    assert (traced.returncode, traced.stdout) == (0, "out\n"), traced.stderr
    assert traced.stderr == "tracemalloc: wrote /tmp/x.dump\n"
    stats = bare.run("tracemalloc", "stats", "--at", "peak", "/tmp/x.dump")
    assert re.search(r"<string>:1: size=2\d\d KiB", stats.stdout), stats.stdout
