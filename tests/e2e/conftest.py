# SPDX-License-Identifier: MIT
"""What the end-to-end tests share: the interpreters, the library, the command.

scripts/test sets the environment: TRACEMALLOC_TEST_LIBRARY and TRACEMALLOC_TEST_COMMAND
are the built files, TRACEMALLOC_TEST_PYTHONS the interpreters, one a line (without it,
those of scripts/interpreters --list).
"""

import functools
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

# A shell that starts the tests in the background has interrupts ignored, and so would
# every program that is started here.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT = 120


class Interpreter:
    """A CPython on this machine."""

    def __init__(self, path):
        self.path = path
        minor = re.match(r"python3\.(\d+)(t?)$", os.path.basename(path))
        self.version = (3, int(minor.group(1)))
        self.free_threaded = minor.group(2) == "t"
        # One of another architecture is none of ldd's: Debian's, and so a static one.
        linked = subprocess.run(
            ["ldd", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ).stdout
        self.shared = b"libpython3." in linked

    def __str__(self):
        flavour = "t" if self.free_threaded else ""
        linking = "shared" if self.shared else "static"
        return "%d.%d%s-%s %s" % (self.version + (flavour, linking, self.path))

    def run(self, *args, **options):
        """The program's result without the library."""
        return run([self.path] + list(args), **options)


class Traced:
    """How a program under the library ended, and the dumps that it left."""

    def __init__(self, result, dumps):
        self.result = result
        self.dumps = dumps

    @property
    def dump(self):
        assert len(self.dumps) == 1, "not one dump: %s" % self.dumps
        return self.dumps[0]


def run(command, **options):
    """A finished process with text output. `env` is added to a clean environment."""
    environment = clean_environment()
    environment.update(options.pop("env", {}))
    options.setdefault("timeout", TIMEOUT)
    options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(
        [str(part) for part in command],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        **options,
    )


def clean_environment():
    """Ours without what would change an interpreter's or the library's behaviour."""
    unwanted = ("PYTHON", "TRACEMALLOC_", "LD_PRELOAD")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
    return dict(kept, TRACEMALLOC_CACHE="0")


def outcome(result):
    """What must be the same with and without the library; addresses never are."""
    errors = re.sub(r"\b0x[0-9a-f]+", "0x?", result.stderr)
    return result.returncode, result.stdout, errors


@functools.lru_cache(maxsize=None)
def interpreters():
    listed = os.environ.get("TRACEMALLOC_TEST_PYTHONS")
    if listed is None:
        script = str(ROOT / "scripts" / "interpreters")
        listed = subprocess.check_output([script, "--list"], universal_newlines=True)
    found = [Interpreter(path) for path in listed.split("\n") if path]
    # Free-threaded builds have native blocks only: test_other_programs asks for them.
    return sorted((i for i in found if not i.free_threaded), key=lambda i: i.version)


def pytest_generate_tests(metafunc):
    found = interpreters()
    if "interpreter" in metafunc.fixturenames:
        metafunc.parametrize("interpreter", found, ids=str)
    if "some_interpreter" in metafunc.fixturenames:
        sample = found[:1] + found[len(found) // 2 : len(found) // 2 + 1] + found[-1:]
        sample = sorted(set(sample), key=found.index)
        metafunc.parametrize("some_interpreter", sample, ids=str)


def built(variable):
    path = os.environ.get(variable)
    if not path or not os.path.exists(path):
        pytest.exit("%s does not name a file: run scripts/test" % variable, 2)
    return os.path.abspath(path)


@pytest.fixture(scope="session")
def library():
    return built("TRACEMALLOC_TEST_LIBRARY")


@pytest.fixture(scope="session")
def command():
    return built("TRACEMALLOC_TEST_COMMAND")


@pytest.fixture
def dumps_folder(tmp_path):
    folder = tmp_path / "dumps"
    folder.mkdir()
    return folder


@pytest.fixture
def traced_environment(library, dumps_folder):
    """The variables that trace a program with 25 frames, with the given changes.

    A change to None leaves the variable out.
    """

    def environment(**changes):
        variables = {
            "LD_PRELOAD": library,
            "PYTHONTRACEMALLOC": "25",
            "TRACEMALLOC_OUTPUT": str(dumps_folder / "%p.dump"),
            "TRACEMALLOC_QUIET": "1",
        }
        variables.update(changes)
        return {name: value for name, value in variables.items() if value is not None}

    return environment


@pytest.fixture
def trace(traced_environment, dumps_folder):
    """trace(COMMAND, VARIABLE=VALUE..., cwd=...): runs it under the library."""

    def trace_program(program, cwd=None, **changes):
        before = set(dumps_folder.iterdir())
        result = run(program, env=traced_environment(**changes), cwd=cwd)
        return Traced(result, sorted(set(dumps_folder.iterdir()) - before))

    return trace_program


@pytest.fixture
def trace_code(trace, tmp_path):
    """trace_code(INTERPRETER, TEXT, ARGS..., VARIABLE=VALUE...): a program's text.

    It runs as the file tmp_path / "program.py".
    """

    def trace_text(interpreter, text, *args, **changes):
        program = tmp_path / "program.py"
        program.write_text(text)
        return trace([interpreter.path, program] + list(args), **changes)

    return trace_text


@pytest.fixture
def ours(command):
    """ours(ARGS...): the command's result; ours.json(ARGS...): its output, parsed."""

    def run_command(*args, **options):
        return run([command] + list(args), **options)

    def run_json(*args):
        result = run_command(*args, "--json")
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    run_command.json = run_json
    return run_command


@pytest.fixture
def snapshot(ours, tmp_path):
    """snapshot(DUMP): the export as this interpreter's tracemalloc.Snapshot."""
    import tracemalloc

    def load(dump):
        out = tmp_path / (os.path.basename(str(dump)) + ".snapshot")
        version = "%d.%d" % sys.version_info[:2]
        result = ours(
            "export", "--format", "snapshot", dump, "-o", out, "--python", version
        )
        assert result.returncode == 0, result.stderr
        return tracemalloc.Snapshot.load(str(out))

    return load


@pytest.fixture
def serve(some_interpreter, tmp_path):
    """serve(WORK): a Server without the library. It must end well and say nothing."""
    from attach_server import Server

    servers = []

    def start(*args, **options):
        servers.append(Server(some_interpreter, tmp_path, *args, **options))
        assert servers[-1].answer() == ["ready"]
        return servers[-1]

    try:
        yield start
        assert all(server.end() == (0, "") for server in servers)
    finally:
        for server in servers:
            server.process.kill()


@pytest.fixture
def attach(ours, dumps_folder):
    """attach(PID, ARGS...): the path of the new dump."""

    def run_attach(pid, *args):
        output = str(dumps_folder / "%p.dump")
        result = ours("attach", pid, "-o", output, *args)
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout.rstrip("\n")

    return run_attach


@pytest.fixture
def detach(ours):
    """detach(PID): the path of the sealed dump."""

    def run_detach(pid):
        result = ours("detach", pid)
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout.rstrip("\n")

    return run_detach
