# SPDX-License-Identifier: MIT
"""Native frames in reports and exports: names from libraries that a compiler makes
here, recorded names, and what is left where there are none."""

import gzip
import http.server
import json
import os
import re
import shutil
import subprocess
import threading

import conftest
import native_dump
import pytest

SOURCE = """
static inline __attribute__((always_inline)) void *inlined(void *p) {
    __asm__ volatile(".globl at_inlined\\nat_inlined: nop");
    return p;
}
__attribute__((noinline)) static void *hidden(void *p) {
    __asm__ volatile(".globl at_hidden\\nat_hidden: nop");
    return p;
}
void *visible(void *p) {
    hidden(p);
    return inlined(p);
}
"""
PYTHON = [("/app/main.py", "<module>", 3), ("/app/main.py", "load", 7)]
NAMES = ["<module>", "load", "visible", "inlined", "hidden"]
FUNCTIONS = {"visible", "inlined", "hidden"}
SHARED = ["-fPIC", "-shared", "-Wl,--build-id", "x.c", "-olibx.so"]


class Library:
    """A compiled library, and the addresses of its labels."""

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "libx.so"
        (folder / "x.c").write_text(SOURCE)
        self.run("cc", "-O2", "-g", *SHARED)
        notes = self.run("readelf", "-n", "libx.so")
        self.build_id = re.search("Build ID: (\\w+)", notes).group(1)
        lines = [line.split() for line in self.run("nm", "libx.so").splitlines()]
        self.address = {line[-1]: int(line[0], 16) for line in lines if len(line) == 3}

    def run(self, *command):
        folder = str(self.folder)
        return subprocess.check_output(command, cwd=folder, universal_newlines=True)


@pytest.fixture
def native_library(tmp_path):
    return Library(tmp_path)


@pytest.fixture
def dump(native_library, tmp_path):
    """main > load > visible > inlined > hidden holds two blocks, load one, code
    without a module one."""
    made = native_dump.NativeDump()
    module = made.module(str(native_library.path), native_library.build_id)
    inner = [(module, native_library.address[n]) for n in ("at_inlined", "at_hidden")]
    made.block(PYTHON + inner, 1000, 2)
    made.block(PYTHON, 100, 1, domain=0)
    made.block(PYTHON + [(0, 0x7F1234567890)], 50)
    path = tmp_path / "native.dump"
    made.write(path)
    return path


def traceback_of(ours, dump, size, *options):
    options = ("-g", "traceback", "-l", "all", "--native") + options
    document = ours.json("stats", dump, *options)
    return next(s["traceback"] for s in document["statistics"] if s["size"] == size)


def test_python_and_native_frames_in_one_traceback(ours, dump, native_library):
    frames = traceback_of(ours, dump, 2000)
    assert [frame["function"] for frame in frames] == NAMES
    outer = {"filename": "/app/main.py", "lineno": 3, "function": "<module>"}
    assert frames[0] == outer
    assert frames[3] == {
        "filename": str(native_library.folder / "x.c"),
        "lineno": 3,
        "function": "inlined",
        "native": True,
        "module": str(native_library.path),
        "offset": native_library.address["at_inlined"],
    }


def test_code_without_a_module(ours, dump):
    frame = traceback_of(ours, dump, 50)[-1]
    assert frame["native"] and frame["offset"] == 0x7F1234567890
    unknown = ("module", "function", "filename", "lineno")
    assert [frame[key] for key in unknown] == [None] * 4


def test_without_native_frames(ours, dump):
    document = ours.json("stats", dump, "-g", "traceback", "--no-native")
    (entry,) = document["statistics"]
    assert entry["size"] == 2150 and entry["count"] == 4
    assert [frame["function"] for frame in entry["traceback"]] == ["<module>", "load"]


@pytest.mark.parametrize(
    "group, cumulative, expected",
    [
        ("function", False, {"hidden": 2000, "load": 100, None: 50}),
        ("function", True, dict.fromkeys(NAMES[2:], 2000)),
        ("module", False, {"libx.so": 2000, "main.py": 100, "": 50}),
        ("module", True, {"libx.so": 2000, "main.py": 2150, "": 50}),
    ],
)
def test_groups(ours, dump, group, cumulative, expected):
    document = ours.json("stats", dump, "-g", group, *["--cumulative"] * cumulative)
    seen = {}
    for entry in document["statistics"]:
        frame = entry["traceback"][0]
        name = frame["function"]
        if group == "module":
            path = frame["module"] if frame.get("native") else frame["filename"]
            name = (path or "").rpartition("/")[2]
        seen[name] = entry["size"]
    assert expected.items() <= seen.items()
    if cumulative and group == "function":
        assert seen["load"] == seen["<module>"] == 2150


def test_a_block_belongs_to_its_python_line(ours, dump, native_library):
    """The native functions are a detail below."""
    lines = ours("stats", dump).stdout.splitlines()
    source = native_library.folder / "x.c"
    assert lines[0].startswith("/app/main.py:7: size=2150 B, count=4")
    assert lines[1] == "    native size=2000 B, count=2: hidden  %s" % source
    assert lines[2].startswith("    native size=50 B, count=1: <unknown code>")
    assert lines[3] == "Total: size=2150 B, count=4"
    (entry,) = ours.json("stats", dump)["statistics"]
    assert [detail["size"] for detail in entry["native"]] == [2000, 50]
    assert entry["native"][0]["frame"]["function"] == "hidden"
    for command in ("summary", "top"):
        text = ours(command, dump, *["--once"] * (command == "top")).stdout
        assert "main.py:7" in text and "hidden" not in text
        text = ours(command, dump, "--native", *["--once"] * (command == "top")).stdout
        assert "hidden" in text


def test_tracebacks_of_python_with_native_functions_below(ours, dump):
    (entry,) = ours.json("stats", dump, "-g", "traceback")["statistics"]
    assert [frame["function"] for frame in entry["traceback"]] == ["<module>", "load"]
    assert entry["native"][0]["frame"]["function"] == "hidden"


@pytest.fixture
def interpreter_dump(native_library, tmp_path):
    """An interpreter between the frames; what it allocates itself; its start."""
    made = native_dump.NativeDump()
    python = made.module("/usr/bin/python3.11", "ab" * 20)
    module = made.module(str(native_library.path), native_library.build_id)
    start, call = (python, 0x10), [(python, 0x20), (python, 0x30)]
    hidden = (module, native_library.address["at_hidden"])
    frames = [start, PYTHON[0]] + call + [PYTHON[1]] + call
    made.block(frames + [hidden], 1000)
    made.block(frames, 200)
    made.block([start], 30)
    path = tmp_path / "interpreter.dump"
    made.write(path)
    return path


def test_frames_of_the_interpreter_are_folded(ours, interpreter_dump, native_library):
    whole = ";".join("%s (/app/main.py:%d)" % frame[1:] for frame in PYTHON)
    hidden = "hidden (%s/x.c:7)" % native_library.folder
    lines = exported(ours, interpreter_dump, "collapsed").read_text().splitlines()
    cpython = "CPython 3.11 (/usr/bin/python3.11)"
    assert sorted(lines) == sorted(
        [
            "%s;%s;%s 1000" % (whole, cpython, hidden),
            "%s;%s 200" % (whole, cpython),
            "%s 30" % cpython,
        ]
    )
    for command in (["tree"], ["tree", "--inverted"], ["stats"], ["summary"]):
        folded = ours(*command, interpreter_dump).stdout
        assert "python3.11+0x" not in folded and "main.py" in folded
        assert "CPython 3.11" in folded
        assert "python3.11+0x" in ours(*command, interpreter_dump, "--native").stdout
    by_function = ours("stats", interpreter_dump, "-g", "function").stdout
    assert "hidden" in by_function and "python3.11+0x30" in by_function


def test_lines(ours, dump, native_library):
    text = ours("stats", dump, "--native").stdout
    assert "%s:7: size=2000 B" % (native_library.folder / "x.c") in text
    assert "\n0x7f1234567890: size=50 B" in text
    native_library.path.unlink()
    offset = native_library.address["at_hidden"]
    line = "%s+0x%x: size=2000 B" % (native_library.path, offset)
    assert line in ours("stats", dump, "--native").stdout


def test_stripped_code_has_no_made_up_names(ours, dump, native_library):
    native_library.run("strip", "--strip-all", "libx.so")
    frames = traceback_of(ours, dump, 2000)
    assert [frame["function"] for frame in frames[2:]] == ["visible", None]
    assert all(frame["filename"] is None for frame in frames[2:])


def test_another_file_is_not_used(ours, dump, native_library):
    native_library.run("cc", "-O1", *SHARED)
    result = ours("stats", dump, "-g", "function")
    assert "hidden" not in result.stdout
    assert result.stderr.count("libx.so is not the file that was traced") == 1


def test_resolved_dumps_need_no_libraries(ours, dump, native_library):
    by_function = ("stats", dump, "-g", "function")
    commands = [("stats", dump, "--json"), ("tree", dump), by_function]
    before = [ours(*command).stdout for command in commands]
    result = ours("resolve", dump)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "2 of 3 native addresses named\n"
    native_library.path.unlink()
    assert [ours(*command).stdout for command in commands] == before
    once = dump.read_bytes()
    assert ours("resolve", dump).stdout == result.stdout
    assert dump.read_bytes() == once
    usual = dump.parent.joinpath("x.c").stat().st_mode
    assert dump.stat().st_mode & 0o777 == usual & 0o777


def test_resolving_keeps_links_and_rights(ours, dump, tmp_path):
    other, link = tmp_path / "other.dump", tmp_path / "link.dump"
    link.symlink_to(dump)
    os.link(str(dump), str(other))
    dump.chmod(0o640)
    before = dump.stat()
    for path in (link, dump, other):
        assert ours("resolve", path).returncode == 0
    assert link.is_symlink()
    for path in (dump, other):
        after = path.stat()
        assert (after.st_ino, after.st_nlink) == (before.st_ino, 2)
        assert after.st_mode == before.st_mode
    other.unlink()
    once = dump.read_bytes()
    assert ours("resolve", link).returncode == 0
    assert link.is_symlink() and dump.read_bytes() == once
    assert dump.stat().st_mode == before.st_mode
    left = sorted(path.name for path in tmp_path.glob("*dump*"))
    assert left == ["link.dump", "native.dump"]


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
NOBODY = 65534


@needs_root
def test_resolving_keeps_the_owner(ours, dump):
    os.chown(str(dump), NOBODY, NOBODY)
    dump.chmod(0o2640)
    assert ours("resolve", dump, "--open-modules").returncode == 0
    after = dump.stat()
    assert (after.st_uid, after.st_gid) == (NOBODY, NOBODY)
    assert after.st_mode & 0o7777 == 0o2640


@needs_root
def test_modules_of_another_users_dump_are_not_opened(ours, dump):
    os.chown(str(dump), NOBODY, NOBODY)
    commands = [
        ["stats", "-g", "function"],
        ["compare", dump, "-g", "function"],
        ["tree"],
        ["summary", "--native"],
        ["top", "--once", "--native"],
        ["export", "--format", "collapsed", "-o", "/dev/stdout"],
    ]
    for name, *options in commands:
        result = ours(name, dump, *options)
        assert result.returncode == 0 and "hidden" not in result.stdout, name
        assert ("not opened" in result.stderr) == (name != "top"), name
        result = ours(name, dump, *options + ["--open-modules"])
        assert "hidden" in result.stdout and not result.stderr, name
    result = ours("resolve", dump)
    assert result.stdout.startswith("0 of 3") and "not opened" in result.stderr
    assert ours("resolve", dump, "--open-modules").stdout.startswith("2 of 3")
    result = ours("stats", dump, "-g", "function")
    assert "hidden" in result.stdout and not result.stderr


def test_resolved_into_another_file(ours, dump, native_library, tmp_path):
    dump.chmod(0o600)
    out, before = tmp_path / "out.dump", dump.read_bytes()
    assert ours("resolve", dump, "-o", out).returncode == 0
    assert dump.read_bytes() == before and out.stat().st_mode & 0o777 == 0o600
    merged = tmp_path / "merged.dump"
    assert ours("merge", "-o", merged, dump, out).returncode == 0
    native_library.path.unlink()
    frames = traceback_of(ours, merged, 4000)
    assert [frame["function"] for frame in frames] == NAMES


def test_a_live_dump_is_not_resolved(
    ours, some_interpreter, traced_environment, dumps_folder
):
    program = "import sys; print('go', flush=True); sys.stdin.read()"
    process = subprocess.Popen(
        [some_interpreter.path, "-c", program],
        env=dict(conftest.clean_environment(), **traced_environment()),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout.readline() == b"go\n"
        (live,) = dumps_folder.iterdir()
        before = set(dumps_folder.iterdir())
        result = ours("resolve", live)
        assert result.returncode == 1 and "take a snapshot first" in result.stderr
        assert set(dumps_folder.iterdir()) == before
    finally:
        process.communicate()


def test_a_full_disk_leaves_the_dump(command, dump):
    before = dump.read_bytes()
    limited = ["sh", "-c", 'ulimit -f 8; exec "$@"', "sh", command]
    result = conftest.run(limited + ["resolve", dump])
    assert result.returncode == 1
    assert dump.read_bytes() == before
    assert not list(dump.parent.glob("*tracemalloc-*"))


def exported(ours, dump, form, *options):
    out = dump.parent / ("out." + form)
    result = ours("export", "--format", form, dump, "-o", out, *options)
    assert (result.returncode, result.stderr) == (0, "")
    return out


def test_exports(ours, dump):
    lines = exported(ours, dump, "collapsed").read_text().splitlines()
    inner = re.compile(r"visible \(.*x\.c:\d+\);inlined \(.*;hidden \(.* 2000$")
    assert any(map(inner.search, lines))
    document = json.loads(exported(ours, dump, "json").read_text())
    native = [frame for frame in document["frames"] if frame.get("native")]
    assert {frame["function"] for frame in native} == FUNCTIONS | {None}
    document = json.loads(exported(ours, dump, "speedscope").read_text())
    frames = document["shared"]["frames"]
    assert {"visible", "hidden"} <= {frame["name"] for frame in frames}
    assert ',7,"hidden"' in exported(ours, dump, "csv").read_text()
    profile = gzip.decompress(exported(ours, dump, "pprof").read_bytes())
    assert b"hidden" in profile and b"libx.so" in profile
    python = exported(ours, dump, "collapsed", "--no-native").read_bytes()
    assert b"hidden" not in python


FORMATS = ["otlp", "pprof", "speedscope", "collapsed", "json", "csv", "snapshot"]


@pytest.mark.parametrize("form", FORMATS + ["page"])
def test_stacks_too_deep_for_a_file_are_cut(ours, form, tmp_path, snapshot):
    """All that a format can hold is written, and what was cut is said."""
    made = native_dump.NativeDump()
    made.header.update(nframe=65535, native_nframe=0, finalized=0)
    made.recursion(30000, 100)
    dump, out = tmp_path / "deep.dump", tmp_path / "out.html"
    made.write(dump)
    if form == "page":
        result = ours("flamegraph", dump, "-o", out)
        if "built without Node" in result.stderr:
            pytest.skip("built without the page")
    else:
        result = ours("export", "--format", form, dump, "-o", out)
    assert result.returncode == 0
    said = re.search(r"only their \d+ most recent frames", result.stderr)
    assert (said is None) == (form == "csv")
    assert out.stat().st_size > 0
    if form == "collapsed":
        lines = out.read_text().splitlines()
        assert sum(int(line.rpartition(" ")[2]) for line in lines) == 3000000
        assert max(line.count(";") for line in lines) > 50
    if form == "json":
        document = json.loads(out.read_text())
        assert sum(trace["size"] for trace in document["traces"]) == 3000000


def test_snapshots_are_of_python_alone(ours, dump, snapshot):
    tracebacks = [trace.traceback for trace in snapshot(dump).traces]
    assert {frame.filename for each in tracebacks for frame in each} == {"/app/main.py"}


def test_the_page_tells_the_kinds_apart(ours, dump, tmp_path):
    result = ours("flamegraph", dump, "-o", tmp_path / "page.html")
    if "built without Node" in result.stderr:
        pytest.skip("built without the page")
    page = (tmp_path / "page.html").read_text()
    script = re.search(r"<script[^>]*json[^>]*>(.*?)</script>", page, re.S)
    data = json.loads(script.group(1))
    names = [data["names"][number] for number in data["frames"][1::3]]
    assert {names[number] for number in data["native"]} == FUNCTIONS | {""}


def test_debug_information_from_the_network(ours, dump, native_library, tmp_path):
    """Only where DEBUGINFOD_URLS says so."""
    served = tmp_path / "served" / "buildid" / native_library.build_id
    served.mkdir(parents=True)
    debug = str(served / "debuginfo")
    native_library.run("objcopy", "--only-keep-debug", "libx.so", debug)
    native_library.run("strip", "--strip-all", "libx.so")
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path):
            asked.append(path)
            return str(tmp_path / "served") + path

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cache = str(tmp_path / "cache")
    environment = {"DEBUGINFOD_CACHE_PATH": cache, "HOME": str(tmp_path)}
    try:
        by_function = ("stats", dump, "-g", "function")
        assert "hidden" not in ours(*by_function, env=environment).stdout
        assert not asked
        environment["DEBUGINFOD_URLS"] = "http://127.0.0.1:%d/" % server.server_port
        result = ours(*by_function, env=environment)
    finally:
        server.shutdown()
    if not asked:
        pytest.skip("elfutils is built without debuginfod")
    assert "hidden" in result.stdout
    shutil.rmtree(str(tmp_path / "cache"), ignore_errors=True)
