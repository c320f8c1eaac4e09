# SPDX-License-Identifier: MIT
"""pytest's hooks: options, the restart under the library, measuring the call phase."""

import os
import shutil
import tempfile

import pytest

from . import restart, scan
from .engine import Engine, loaded
from .limits import limits_of
from .report import UNMEASURED, Recorder, Reporter

REPORT = "--tracemalloc-report"
DEFAULT_COUNT = 10
KEY = "libtracemalloc"
OFF = "turned off"


def pytest_addoption(parser):
    group = parser.getgroup("tracemalloc", "memory of tests, by libtracemalloc")
    group.addoption(
        REPORT,
        nargs="?",
        const=str(DEFAULT_COUNT),
        metavar="N",
        help="show the memory of the N tests (%d) with the highest peaks, and the "
        "lines that held it" % DEFAULT_COUNT,
    )
    group.addoption(
        "--tracemalloc",
        choices=("auto", "on", "off"),
        help="whether pytest runs under libtracemalloc: auto, the default, if tests "
        "are marked with limit_memory or limit_leaks, or a report was asked for",
    )
    parser.addini("tracemalloc", "as the option --tracemalloc: auto, on or off")


def separate_path(options, arguments):
    """`--tracemalloc-report tests` means the default number, and a path."""
    value = options.tracemalloc_report
    if value is None or value.isdigit():
        return
    at = next((i for i, a in enumerate(arguments) if a == REPORT), None)
    if at is None or arguments[at + 1 : at + 2] != [value]:
        raise pytest.UsageError("%s takes a number, not %r" % (REPORT, value))
    arguments[at] = "%s=%d" % (REPORT, DEFAULT_COUNT)
    options.tracemalloc_report = str(DEFAULT_COUNT)
    options.file_or_dir = [value] + list(options.file_or_dir)


def chosen_mode(config, options):
    if os.environ.get("TRACEMALLOC_PYTEST") in ("0", "off"):
        return "off"
    mode = options.tracemalloc or config.getini("tracemalloc") or "auto"
    if mode not in ("auto", "on", "off"):
        raise pytest.UsageError("tracemalloc is auto, on or off, not %r" % mode)
    return mode


def paths_to_run(config, options):
    paths = options.file_or_dir or config.getini("testpaths")
    return paths or [str(config.invocation_params.dir)]


def distributes(options):
    """Whether pytest-xdist runs the tests in processes of its own."""
    return bool(getattr(options, "numprocesses", None) or getattr(options, "tx", None))


def restart_if_needed(config, options):
    """(directory for the workers, None), or (None, why tests cannot be measured)"""
    if options.tracemalloc_report is None and chosen_mode(config, options) == "auto":
        if not scan.has_markers(paths_to_run(config, options)):
            return None, "no test with a limit was found (--tracemalloc=on)"
    library, reason = restart.missing_library()
    if reason is not None:
        return None, reason
    if distributes(options):
        return restart.prepare(library), None
    reason = restart.obstacle(config.invocation_params.args)
    return None, reason or restart.restart(library)


class State:
    """Of one pytest, kept in its configuration."""

    def __init__(self):
        self.engine = None
        self.directory = None
        self.reason = None  # why tests are not measured
        self.is_controller = False
        self.recorder = None

    def begin(self, config, options):
        inherited = restart.take_state()
        library = loaded()
        if chosen_mode(config, options) == "off":
            self.reason = OFF
        elif library is not None and (inherited or library.tracemalloc_is_tracing()):
            self.begin_measuring(library, inherited)
        elif inherited is not None:
            self.directory = inherited
            self.reason = "libtracemalloc.so could not be preloaded"
        elif "PYTEST_XDIST_WORKER" in os.environ:
            self.reason = "the controller did not preload libtracemalloc.so"
        else:
            self.directory, self.reason = restart_if_needed(config, options)
            self.is_controller = self.reason is None
        if options.tracemalloc_report is not None:
            self.recorder = Recorder(int(options.tracemalloc_report))

    def begin_measuring(self, library, inherited):
        self.directory = inherited or tempfile.mkdtemp(prefix="pytest-libtracemalloc-")
        self.engine = Engine(library, self.directory)

    def end(self):
        if self.is_controller:
            restart.take_state()
        is_worker = "PYTEST_XDIST_WORKER" in os.environ
        if self.directory is not None and not is_worker:
            shutil.rmtree(self.directory, ignore_errors=True)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config, parser, args):
    # Before pytest captures the output: it would be lost in the restart.
    options = early_config.known_args_namespace
    separate_path(options, args)
    state = State()
    state.begin(early_config, options)
    setattr(early_config, KEY, state)
    yield


def state_of(config):
    """The state, or None where the plugin came too late to be asked."""
    return getattr(config, KEY, None)


def pytest_configure(config):
    for name, sentence in (
        ("limit_memory(size)", "fail if the peak of the call exceeds it ('24 MB')"),
        ("limit_leaks(size)", "fail if a call stack keeps more than it ('1 MB')"),
    ):
        config.addinivalue_line("markers", "%s: %s" % (name, sentence))
    state = state_of(config)
    if state is not None:
        count = None if state.recorder is None else state.recorder.count
        config.pluginmanager.register(Reporter(count, state.reason))


def pytest_unconfigure(config):
    if state_of(config) is not None:
        state_of(config).end()


def set_failure(outcome, message):
    """Makes the call fail; pluggy's older results have no method for that."""
    try:
        pytest.fail(message, pytrace=False)
    except pytest.fail.Exception as failure:
        if hasattr(outcome, "force_exception"):
            outcome.force_exception(failure)
        else:
            outcome._result = None
            outcome._excinfo = type(failure), failure, failure.__traceback__


def limits_to_check(item, state):
    return [] if state.reason == OFF else limits_of(item)


@pytest.hookimpl(hookwrapper=True, trylast=True)
def pytest_runtest_call(item):
    state = state_of(item.config)
    limits = limits_to_check(item, state) if state is not None else []
    if state is None or (state.recorder is None and not limits):
        yield
        return
    if state.engine is None:
        item.user_properties += [(UNMEASURED, state.reason)] if limits else []
        yield
        return
    state.engine.begin()
    outcome = yield
    measured = state.engine.end()
    if measured is None:
        return
    if state.recorder is not None:
        state.recorder.record(item, measured, state.engine)
    if outcome.excinfo is not None:
        return
    messages = [limit.exceeded(measured, state.engine) for limit in limits]
    if any(messages):
        set_failure(outcome, "\n".join(message for message in messages if message))
