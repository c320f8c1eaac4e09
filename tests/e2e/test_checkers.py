# SPDX-License-Identifier: MIT
"""The library and the command under memory checkers: sanitizers and valgrind.

The checkers see what no other test does: a read of one word too many, a shift too far.
What a test runs, it compares with the same without a checker.
"""

import fcntl
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree

import pytest

from conftest import ROOT, clean_environment, interpreters, outcome, run
from dump_file import DumpFile

SOURCES = ROOT / "tests" / "e2e"
GUESTS = 4
THREADS = 8  # of stress.c
# Some 75 events each, in each thread.
ROUNDS, FEW_ROUNDS = 400, 8

# Fake frames elsewhere in memory are none that an unwinder finds. Our hooks come before
# the sanitizer's, see sanitizer_front.c. What CPython leaves at exit is not ours.
IN_PROGRAM = {
    "ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=0:"
    "verify_asan_link_order=0",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}

NO_DUMP = "info OUT/raw.html"
# The dumps of the program and of its child; most reports are of those with names in
# them, where no symbol has to be looked for.
REPORTS = [
    "info RAW",
    "stats -g traceback RAW",
    "flamegraph RAW -o OUT/raw.html",
    "resolve RAW -o OUT/dump",
    "resolve RAW_CHILD -o OUT/child",
    "info --by=process OUT/dump OUT/child --json",
    "stats -g filename OUT/dump",
    "stats -g lineno --by=process --at=peak OUT/dump OUT/child",
    "stats -g function --cumulative OUT/dump",
    "stats -g module OUT/dump",
    "stats -g traceback -l all --json OUT/dump",
    "stats -g function --no-native --json OUT/dump",
    "tree --threshold=0 OUT/dump",
    "tree --inverted --include=*checked.py --all-frames OUT/dump",
    "summary --json OUT/dump OUT/child",
    "compare -g lineno OUT/dump OUT/child",
    "compare -g traceback --json OUT/dump OUT/child",
    "flamegraph --diff OUT/dump OUT/child -o OUT/grown.html",
    "merge OUT/dump OUT/child -o OUT/merged",
    "stats -g module --by=process OUT/merged",
    "summary OUT/merged",
    NO_DUMP,
] + [
    "export --format %s OUT/dump OUT/child -o OUT/%s" % (form, form)
    for form in "collapsed csv json otlp pprof snapshot speedscope".split()
]


def cc(out, source, *options):
    command = ["gcc", "-O2", "-g", "-shared", "-fPIC", "-pthread", "-D_GNU_SOURCE"]
    command += [str(SOURCES / source), "-o", str(out)] + list(options)
    subprocess.check_call(command)
    return str(out)


@pytest.fixture(scope="session")
def checked(tmp_path_factory):
    """checked(ROUNDS): the arguments of an interpreter that runs the program."""
    folder = tmp_path_factory.mktemp("checked")
    planted = cc(folder / "planted.so", "native_frames.c")
    stress = cc(folder / "stress.so", "stress.c", "-ldl")
    guests = [
        cc(folder / ("guest_%d.so" % n), "native_guest.c", "-DNAME=guest_%d" % n)
        for n in range(GUESTS)
    ]
    program = str(SOURCES / "checked.py")
    return lambda rounds: [program, planted, stress, str(rounds)] + guests


def needed(*programs):
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip("%s is not installed" % program)


def runtime(name):
    """A sanitizer's library; gcc answers with the bare name of what it has not."""
    path = subprocess.check_output(
        ["gcc", "-print-file-name=" + name], universal_newlines=True
    ).strip()
    if not os.path.isabs(path):
        pytest.skip("%s is not installed" % name)
    return path


def build(folder):
    """The library and the command with sanitizers, in a folder that may be there."""
    setup = ["meson", "setup", str(folder), str(ROOT), "-Dtests=disabled"]
    setup += ["-Db_sanitize=address,undefined", "-Db_lundef=false"]
    # Less than -O2 saves half of the time.
    setup += ["-Ddebug=true", "-Doptimization=1"]
    targets = ["src/preload/libtracemalloc.so", "src/cli/tracemalloc"]
    steps = [["ninja", "-C", str(folder)] + targets]
    if not (folder / "build.ninja").exists():
        steps.insert(0, setup)
    for step in steps:
        result = run(step, env={"CC": "gcc"}, timeout=600)
        assert result.returncode == 0, result.stdout + result.stderr


class Sanitized:
    """What was built, and the value of LD_PRELOAD that traces with it."""

    def __init__(self, folder, front, runtimes):
        library = str(folder / "src" / "preload" / "libtracemalloc.so")
        self.command = str(folder / "src" / "cli" / "tracemalloc")
        self.preload = " ".join([front, library] + runtimes)


@pytest.fixture(scope="session")
def sanitized(tmp_path_factory):
    """One build for all processes of a test run."""
    needed("meson", "ninja", "gcc")
    runtimes = [runtime("libasan.so"), runtime("libubsan.so")]
    front = tmp_path_factory.mktemp("front") / "front.so"
    cc(front, "sanitizer_front.c", runtimes[0])
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with open(str(folder / "sanitized.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        build(folder / "sanitized")
    return Sanitized(folder / "sanitized", str(front), runtimes)


@pytest.fixture
def check_dumps(ours):
    """check_dumps(TRACED, ROUNDS, NATIVE): both processes' dumps have all there is."""

    def check(traced, rounds, native):
        assert len(traced.dumps) == 2
        for path in traced.dumps:
            dump = DumpFile(path)
            # The front's malloc comes before ours, which is said.
            lost = {reason for reason, count in dump.lost.items() if count}
            assert lost <= {"malloc"}
            assert ours.json("info", path)["complete"] is (not lost)
            assert dump.native_nframe == native
            guests = [s for s in dump.buckets if s.domain == 1 and 100 <= s.size < 150]
            assert sum(s.live for s in guests) >= THREADS * rounds

    return check


@pytest.mark.parametrize("native", [30, 0])
def test_sanitized_library(
    some_interpreter, native, sanitized, checked, trace, check_dumps
):
    arguments = checked(ROUNDS)
    traced = trace(
        [some_interpreter.path] + arguments,
        LD_PRELOAD=sanitized.preload,
        TRACEMALLOC_NATIVE_FRAMES=str(native),
        **IN_PROGRAM,
    )
    assert traced.result.stderr == "", traced.result.stderr
    assert outcome(traced.result) == outcome(some_interpreter.run(*arguments))
    assert traced.result.returncode == 3
    check_dumps(traced, ROUNDS, native)


@pytest.fixture
def places(checked, trace):
    """The words of REPORTS that stand for the program's dumps."""
    found = interpreters()
    program = [found[len(found) // 2].path] + checked(FEW_ROUNDS)
    traced = trace(program, TRACEMALLOC_NATIVE_FRAMES="30")
    dumps = sorted(traced.dumps, key=lambda path: DumpFile(path).exit_status)
    return dict(zip(["RAW", "RAW_CHILD"], map(str, dumps)))


def reports(*commands):
    """Without those that a command which was built without Node cannot make."""
    said = [run([command, "flamegraph", "none"]).stderr for command in commands]
    has_page = not any("built without Node" in text for text in said)
    return [line for line in REPORTS if has_page or not line.startswith("flamegraph")]


def test_sanitized_command(sanitized, command, places, tmp_path):
    options = {"ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1"}
    # A machine may forbid what a search for leaks needs: a look at one's own process.
    if run([sanitized.command, "--version"], env=options).stderr:
        options["ASAN_OPTIONS"] = "detect_leaks=0"

    def report(program, folder, line):
        words = [places.get(word, word) for word in line.split()]
        words = [word.replace("OUT/", "%s/" % folder) for word in words]
        result = run([program] + words, env=options)
        text = (result.stdout + "\n" + result.stderr).replace(str(folder), "OUT")
        return result.returncode, text

    folders = [tmp_path / "plain", tmp_path / "checked"]
    for folder in folders:
        folder.mkdir()
    lines = reports(sanitized.command, command)
    for line in lines:
        status, said = report(sanitized.command, folders[1], line)
        expected = report(command, folders[0], line)
        assert expected[0] == (1 if line == NO_DUMP else 0), expected[1][-4000:]
        assert (status, said) == expected, "%s: %s" % (line, said[-4000:])
    written = [sorted(path.name for path in folder.iterdir()) for folder in folders]
    assert written[0] == written[1]
    if lines != REPORTS:
        pytest.skip("this build has no page; the other reports hold")


@pytest.fixture
def under_valgrind(some_interpreter):
    """The interpreter, or the next older one that valgrind can start.

    It cannot where an interpreter brings a loader without symbols, as those do that
    scripts/interpreters fetches.
    """
    needed("valgrind")
    known = interpreters()
    for other in known[known.index(some_interpreter) :: -1]:
        if run(["valgrind", "-q", other.path, "--version"]).returncode == 0:
            return other
    pytest.skip("valgrind starts no interpreter up to %s" % some_interpreter)


def is_ours(error):
    """Whether an error's innermost frames, past those of libc, are in the library."""
    libc = ("libc.so", "ld-linux", "vgpreload_")
    for frame in error.find("stack").iter("frame"):
        name = os.path.basename(frame.findtext("obj", ""))
        if not name.startswith(libc):
            return name == "libtracemalloc.so"
    return False


def test_valgrind(under_valgrind, checked, trace, tmp_path):
    arguments = checked(FEW_ROUNDS)
    valgrind = ["valgrind", "--num-callers=30", "--xml=yes", "--show-leak-kinds=none"]
    valgrind += ["--xml-file=%s" % (tmp_path / "%p.xml"), "--read-inline-info=no"]
    valgrind += ["--suppressions=%s" % (ROOT / "tests" / "valgrind.supp")]
    traced = trace(
        valgrind + [under_valgrind.path] + arguments,
        TRACEMALLOC_NATIVE_FRAMES="30",
        PYTHONMALLOC="malloc",
    )
    # valgrind remarks on the call that asks whether an address can be read.
    remark = re.compile("--[0-9]+-- .*sigprocmask.*")
    assert re.sub(remark, "", traced.result.stderr).strip() == ""
    assert outcome(traced.result)[:2] == outcome(under_valgrind.run(*arguments))[:2]
    reports = list(tmp_path.glob("*.xml"))
    assert len(reports) == 2 and len(traced.dumps) == 2
    for path in reports:
        for error in xml.etree.ElementTree.parse(str(path)).getroot().iter("error"):
            text = xml.etree.ElementTree.tostring(error).decode()
            assert not is_ours(error), text
