# SPDX-License-Identifier: MIT
"""Source is shown only of files that the dump's owner may read, and what is made of a
dump has no more rights than it."""

import os
import shutil
import stat

import pytest

from conftest import run

SECRET = "the-secret-of-another-user"
MARK = "a_public_line"
NOBODY = 65534

# Blocks whose frames are in files that the program names but cannot read.
PROGRAM = """
import sys
kept = []
for name in sys.argv[1:]:
    names = {}
    text = "\\ndef f():\\n    return bytearray(300000)"
    exec(compile(text, name, "exec"), names)
    kept.append([names["f"]() for _ in range(5)])
"""


@pytest.fixture
def place(tmp_path):
    """A directory that everybody may search, with files of several rights."""
    if os.geteuid() != 0:
        pytest.skip("only root reads what others may not")
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    for folder in [tmp_path, *tmp_path.parents]:
        if folder.owner() == "root" and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    files = tmp_path / "files"
    files.mkdir()
    text = "%s 1\n%s 2\n%s 3\n"
    for name in ("secret.py", "public.py", "group.py", "shut/in.py"):
        path = files / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text % ((MARK if name == "public.py" else SECRET,) * 3))
    (files / "secret.py").chmod(0o600)
    (files / "group.py").chmod(0o640)
    (files / "shut").chmod(0o700)
    (files / "link.py").symlink_to("secret.py")
    (files / "round.py").symlink_to("shut/../public.py")
    os.mkfifo(str(files / "fifo.py"))
    return files


def names_of(place):
    names = "secret.py group.py shut/in.py link.py round.py fifo.py".split()
    paths = [str(place / name) for name in names]
    return paths + ["/etc/shadow", "/proc/self/environ", "/proc/self/root/etc/shadow"]


@pytest.fixture
def dump(place, some_interpreter, traced_environment, tmp_path):
    """Of nobody."""
    folder = tmp_path / "of-nobody"
    folder.mkdir()
    os.chown(str(folder), NOBODY, NOBODY)
    path = folder / "x.dump"
    environment = traced_environment(TRACEMALLOC_OUTPUT=str(path))
    user = ["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups"]
    names = names_of(place) + [str(place / "public.py")]
    program = place / "program.py"
    program.write_text(PROGRAM)
    program = [some_interpreter.path, "-B", program]
    done = run(user + program + names, env=environment)
    if not path.exists():
        pytest.skip("nobody cannot run this interpreter: " + done.stderr)
    assert done.returncode == 0, done.stderr
    assert path.owner() == "nobody"
    return path


def shadow_lines():
    with open("/etc/shadow") as file:
        return [line.strip() for line in file if line.strip()]


def check(text, public):
    assert SECRET not in text
    assert not [line for line in shadow_lines()[1:3] if line in text]
    assert (MARK in text) == public


def test_reports_of_another_users_dump(dump, command, tmp_path):
    for option, public in (([], False), (["--no-source"], False), (["--source"], True)):
        for keys in (["-g", "lineno"], ["-g", "traceback"]):
            done = run([command, "stats", "-l", "all"] + keys + option + [dump])
            assert done.returncode == 0, done.stderr
            assert "public.py" in done.stdout
            check(done.stdout, public)
            assert ("(--source" in done.stderr) == (not option)
        page = tmp_path / "page.html"
        done = run([command, "flamegraph", "-o", page] + option + [dump])
        if "has no page" in done.stderr:
            continue
        assert done.returncode == 0, done.stderr
        check(page.read_text(), public)
        assert stat.S_IMODE(page.stat().st_mode) == 0o600
    for name in "tree", "summary", "top", "stats", "compare":
        files = [dump, dump] if name == "compare" else [dump]
        done = run([command, name, "--source"] + files)
        assert done.returncode == 0, done.stderr
        assert SECRET not in done.stdout


@pytest.mark.parametrize("name", ["merge", "resolve"])
def test_a_copy_is_no_way_around(dump, command, tmp_path, name):
    copy = tmp_path / "copy.dump"
    done = run([command, name, "-o", copy, dump])
    assert done.returncode == 0, done.stderr
    done = run([command, "stats", "-l", "all", copy])
    assert done.returncode == 0, done.stderr
    check(done.stdout, False)
    check(run([command, "stats", "-l", "all", "--source", copy]).stdout, True)


def test_a_merge_of_several_users_shows_no_source(
    dump, command, tmp_path, some_interpreter, traced_environment, place
):
    mine = tmp_path / "mine.dump"
    environment = traced_environment(TRACEMALLOC_OUTPUT=str(mine))
    program = place / "program.py"
    done = run([some_interpreter.path, program, place / "secret.py"], env=environment)
    assert done.returncode == 0, done.stderr
    assert SECRET in run([command, "stats", "-l", "all", mine]).stdout
    merged = tmp_path / "merged.dump"
    done = run([command, "merge", "-o", merged, mine, dump])
    assert done.returncode == 0, done.stderr
    for files in ([merged], [mine, dump]):
        for option in ([], ["--source"]):
            done = run([command, "stats", "-l", "all"] + option + files)
            assert done.returncode == 0, done.stderr
            assert SECRET not in done.stdout and MARK not in done.stdout


def test_what_is_made_of_a_dump_has_its_rights(dump, command, tmp_path):
    dump.chmod(0o640)
    for form in "csv", "json", "collapsed", "speedscope":
        out = tmp_path / ("out." + form)
        done = run([command, "export", "--format", form, "-o", out, dump])
        if "there is no format" in done.stderr:
            continue
        assert done.returncode == 0, done.stderr
        # Its group is root's, and not the dump's.
        assert stat.S_IMODE(out.stat().st_mode) == 0o600
    dump.chmod(0o644)
    out = tmp_path / "all.csv"
    run([command, "export", "--format", "csv", "-o", out, dump])
    assert stat.S_IMODE(out.stat().st_mode) == 0o644
