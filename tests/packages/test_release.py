# SPDX-License-Identifier: MIT
"""What is published of a version: it names the same version everywhere, and the same
commit gives the same bytes."""

import re

import pytest

from conftest import IS_ALL, ROOT, run

RELEASE = ROOT / "scripts" / "release"
VERSION = re.search("version: '(.*)'", (ROOT / "meson.build").read_text()).group(1)


def test_the_notes_are_the_section_of_the_version():
    notes = run([RELEASE, "--notes"])
    assert notes.returncode == 0, notes.stderr
    assert notes.stdout.startswith("### ") and "\n## " not in notes.stdout
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(r"^## %s \(\d{4}-\d\d-\d\d\)$" % re.escape(VERSION), changes, re.M)
    assert notes.stdout.strip() in changes


def test_two_builds_are_the_same_bytes(tmp_path):
    if not IS_ALL:
        pytest.skip("builds all packages twice: scripts/test-packages --all")
    for name in ("first", "second"):
        # A cache of the compiler would make the second build a copy.
        no_cache = {"CCACHE_DISABLE": "1"}
        built = run([RELEASE, tmp_path / name], env=no_cache, timeout=1800)
        assert built.returncode == 0, built.stderr
    files = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert [name.replace(VERSION, "V") for name in files] == [
        "NOTES.md",
        "SHA256SUMS",
        "libtracemalloc-V-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "libtracemalloc-V.tar.gz",
        "libtracemalloc.so",
        "tracemalloc-V-linux-x86_64.tar.gz",
        "tracemalloc_V_amd64.deb",
    ]
    for name in files:
        first, second = tmp_path / "first" / name, tmp_path / "second" / name
        assert first.read_bytes() == second.read_bytes(), name
    checked = run(["sha256sum", "--check", "SHA256SUMS"], cwd=str(tmp_path / "first"))
    assert checked.returncode == 0, checked.stdout
