# SPDX-License-Identifier: MIT
"""What the benchmarks share: how they run programs, and how they print."""

import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Failure(Exception):
    """A program that did not run, or an option that cannot be met."""


class Folder:
    """A place for dumps, gone at the end."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="tracemalloc-bench-")
        return self.path

    def __exit__(self, *unused):
        shutil.rmtree(self.path)


def environment(library, folder):
    """Ours without what would change an interpreter; under the library, unless None."""
    unwanted = ("PYTHON", "TRACEMALLOC_", "LD_PRELOAD")
    variables = {k: v for k, v in os.environ.items() if not k.startswith(unwanted)}
    if library is not None:
        variables["LD_PRELOAD"] = library
        variables["TRACEMALLOC_OUTPUT"] = os.path.join(folder, "%p.dump")
        variables["TRACEMALLOC_QUIET"] = "1"
    # Hashes decide the order and the collisions of dicts: the same in every run.
    return dict(variables, PYTHONHASHSEED="0")


def add_arguments(parser, rounds=True):
    """The options of every benchmark."""
    parser.add_argument(
        "--python", default=sys.executable, help="interpreter to measure"
    )
    parser.add_argument(
        "--library",
        default=str(ROOT / "build/release/src/preload/libtracemalloc.so"),
        help="libtracemalloc.so of a release build (default: build/release)",
    )
    if rounds:
        parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--markdown", action="store_true", help="print a Markdown table"
    )


def check_arguments(options):
    """Makes their paths absolute."""
    if not os.path.exists(options.library):
        raise Failure("no library %s" % options.library)
    options.library = os.path.abspath(options.library)
    options.python = os.path.realpath(shutil.which(options.python) or options.python)


def aligned(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0]), row[1].ljust(widths[1])]
        yield "  ".join(cells + [c.rjust(w) for c, w in zip(row[2:], widths[2:])])


def markdown(rows):
    for row in [rows[0], ["---", "---"] + ["--:"] * (len(rows[0]) - 2)] + rows[1:]:
        yield "| %s |" % " | ".join(row)


def machine():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":")[1].strip() for line in file if "model name" in line]
    return "%s, %d cores, Linux %s" % (
        models[0] if models else platform.machine(),
        os.cpu_count(),
        platform.release(),
    )


def compiler():
    """What the library is taken to be built by."""
    first = subprocess.check_output(["gcc", "--version"], universal_newlines=True)
    return first.splitlines()[0]


def chosen(text, known, what):
    """The names of a comma-separated option, all of the known ones without it."""
    names = text.split(",") if text else list(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        text = "no %s is called %s; there are %s"
        raise Failure(text % (what, unknown, list(known)))
    return names


def version_of(python):
    code = "import sys; print(sys.version.split()[0])"
    return subprocess.check_output(
        [python, "-c", code], universal_newlines=True
    ).strip()


def show(options, rows, verdicts):
    """Prints a table and (whether it holds, what) for each figure; whether all hold."""
    runs = "%d rounds" % options.rounds if "rounds" in options else compiler()
    print("CPython %s, %s; %s\n" % (version_of(options.python), runs, machine()))
    print("\n".join(markdown(rows) if options.markdown else aligned(rows)), end="\n\n")
    reached = list(verdicts)
    for holds, what in reached:
        print("%s %s" % ("ok  " if holds else "OVER", what))
    return all(holds for holds, _ in reached)
