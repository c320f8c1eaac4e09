# SPDX-License-Identifier: MIT
"""The end-to-end tests that need no compiler, on Debian 11: glibc 2.31, Python 3.9."""

from conftest import ROOT, unpack

# Those of native frames are not here: they need glibc 2.35.
FILES = """
test_attach.py test_command.py test_control.py test_free_lists.py test_mappings.py
test_merge.py test_output.py test_requests.py test_rights.py test_run.py
test_snapshots.py test_switches.py test_tracebacks.py
""".split()
NEEDS_A_COMPILER = "libraries_that_come_later"
SLOW = "again_and_again or large_dump"


def test_end_to_end_tests_pass(system, package, tmp_path):
    bare = system("bullseye")
    top = unpack(package("tracemalloc-*.tar.gz"), tmp_path)
    bare.bind(ROOT, "/source")
    bare.bind(tmp_path / top, "/opt/tracemalloc")
    result = bare.run(
        *["python3", "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rfE"],
        *["-k", "not (%s or %s)" % (NEEDS_A_COMPILER, SLOW)],
        *["/source/tests/e2e/" + name for name in FILES],
        env={
            "TRACEMALLOC_TEST_PYTHONS": "/usr/bin/python3.9",
            "TRACEMALLOC_TEST_LIBRARY": "/opt/tracemalloc/lib/libtracemalloc.so",
            "TRACEMALLOC_TEST_COMMAND": "/opt/tracemalloc/bin/tracemalloc",
        },
        timeout=600,
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr
