# SPDX-License-Identifier: MIT
"""Runs pytest again under the library, in the same process, before anything else ran.

The library must be preloaded, which only a new program can do. It is loaded without
tracing, so that only measured tests are traced, and the environment that tests see is
the one that pytest was started with. Workers of pytest-xdist inherit it from the
controller, which need not run again.
"""

import json
import os
import shutil
import sys
import tempfile
import threading

from . import engine

STATE = "TRACEMALLOC_PYTEST_STATE"
CHANGED = (
    "LD_PRELOAD",
    "PYTHONTRACEMALLOC",
    "TRACEMALLOC_OUTPUT",
    "TRACEMALLOC_QUIET",
    STATE,
)


def take_state():
    """What an earlier self put into the environment: its directory of dumps, or None.

    The variables become again what they were before.
    """
    if STATE not in os.environ:
        return None
    state = json.loads(os.environ[STATE])
    for name, value in state["variables"].items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    return state["directory"]


def prepare(library):
    """Changes the environment for programs that are started now; their directory."""
    directory = tempfile.mkdtemp(prefix="pytest-libtracemalloc-")
    before = {name: os.environ.get(name) for name in CHANGED}
    preload = before["LD_PRELOAD"]
    os.environ.pop("PYTHONTRACEMALLOC", None)
    os.environ["LD_PRELOAD"] = library + (":" + preload if preload else "")
    os.environ["TRACEMALLOC_OUTPUT"] = os.path.join(directory, "%p.dump")
    os.environ["TRACEMALLOC_QUIET"] = "1"
    os.environ[STATE] = json.dumps({"variables": before, "directory": directory})
    return directory


def obstacle(arguments):
    """Why pytest cannot run again in this process, or None."""
    main = sys.modules["__main__"]
    program = os.path.basename(getattr(main, "__file__", None) or "")
    spec = getattr(main, "__spec__", None)
    is_pytest = program in ("pytest", "py.test") or (
        spec is not None and spec.name == "pytest.__main__"
    )
    if not is_pytest or list(arguments) != sys.argv[1:]:
        return "pytest was called by a program, which would begin anew"
    if threading.active_count() > 1:
        return "another thread runs already"
    return None


def restart(library):
    """Does not return, unless the program cannot be executed: then the reason."""
    with open("/proc/self/cmdline", "rb") as file:
        command = file.read().split(b"\0")[:-1]
    directory = prepare(library)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execv(sys.executable, command)
    except OSError as error:
        take_state()
        shutil.rmtree(directory, ignore_errors=True)
        return "%s: %s" % (sys.executable, error.strerror)


def missing_library():
    """(path of the library, None), or (None, why there is none)"""
    path = engine.library_path()
    if path is None:
        return None, "libtracemalloc.so is not where the package was installed"
    if any(mark in path for mark in ": "):
        return None, "LD_PRELOAD cannot name %s" % path
    return path, None
