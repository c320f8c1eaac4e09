# SPDX-License-Identifier: MIT
"""The end-to-end tests that need no compiler, in other systems, of the tarball.

On Debian 11, the oldest, they always run. On the others a chosen few do, and all of
them with TRACEMALLOC_TEST_ALL_SYSTEMS=1 (scripts/test-packages --all).
"""

import re

import pytest

from conftest import IS_ALL, ROOT, SUITES, unpack

CHOSEN = "test_builds.py test_run.py test_tracebacks.py".split()
FILES = (
    CHOSEN
    + """
test_attach.py test_command.py test_control.py test_free_lists.py test_mappings.py
test_merge.py test_output.py test_requests.py test_rights.py test_snapshots.py
test_switches.py
""".split()
)
# Minutes each.
MORE = """
test_born.py test_check.py test_export.py test_gil.py test_reports.py test_resident.py
""".split()
NEEDS_A_COMPILER = "libraries_that_come_later"
SLOW = "again_and_again or large_dump"


def python_of(bare):
    """The interpreter's own file: python3 is a link to python3.N."""
    path = bare.run("realpath", "/usr/bin/python3").stdout.strip()
    assert re.fullmatch(r"/usr/bin/python3\.\d+", path), path
    return path


@pytest.mark.parametrize("suite", SUITES)
def test_end_to_end_tests_pass(suite, system, package, tmp_path):
    bare = system(suite)
    top = unpack(package("tracemalloc-*.tar.gz"), tmp_path)
    bare.bind(ROOT, "/source")
    bare.bind(tmp_path / top, "/opt/tracemalloc")
    files = FILES if IS_ALL or suite == "bullseye" else CHOSEN
    files = files + MORE * IS_ALL
    result = bare.run(
        *["python3", "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rfE"],
        *["-k", "not (%s or %s)" % (NEEDS_A_COMPILER, SLOW)],
        *["/source/tests/e2e/" + name for name in files],
        env={
            "TRACEMALLOC_TEST_PYTHONS": python_of(bare),
            "TRACEMALLOC_TEST_LIBRARY": "/opt/tracemalloc/lib/libtracemalloc.so",
            "TRACEMALLOC_TEST_COMMAND": "/opt/tracemalloc/bin/tracemalloc",
        },
        timeout=3000 if IS_ALL else 600,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr
