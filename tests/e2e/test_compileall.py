# SPDX-License-Identifier: MIT
"""A real program on each interpreter: the stdlib's compiler driver on some of it."""

import pathlib
import shutil

from conftest import outcome

PACKAGES = ("json", "email", "logging", "importlib")
COMPILER = ("compileall.py", "py_compile.py", "importlib._bootstrap")


def copy_packages(interpreter, target):
    where = interpreter.run("-c", "import json; print(json.__file__)").stdout.strip()
    stdlib = pathlib.Path(where).parent.parent
    ignored = shutil.ignore_patterns("__pycache__", "test*")
    for name in PACKAGES:
        shutil.copytree(str(stdlib / name), str(target / name), ignore=ignored)


# By value, not by bytes: marshal marks an object that something else refers to at that
# moment, which depends on addresses. Without randomization the bytes are the same too.
COMPARE = """
import marshal, pathlib, sys
old, new = map(pathlib.Path, sys.argv[1:])
def code(path):
    return marshal.loads(path.read_bytes()[16 if sys.version_info >= (3, 7) else 12:])
files = sorted(path.relative_to(old) for path in old.rglob("*.pyc"))
assert files == sorted(path.relative_to(new) for path in new.rglob("*.pyc"))
assert all(code(old / path) == code(new / path) for path in files)
print(len(files))
"""


def test_same_output_and_a_dump(interpreter, trace, ours, tmp_path):
    sources = tmp_path / "sources"
    copy_packages(interpreter, sources)
    args = ["-m", "compileall", "-q", "-f", "-d", "x", str(sources)]
    plain = interpreter.run(*args)
    expected = tmp_path / "expected"
    shutil.copytree(str(sources), str(expected))
    for folder in list(sources.rglob("__pycache__")):
        shutil.rmtree(str(folder))
    traced = trace([interpreter.path] + args)

    assert outcome(traced.result) == outcome(plain)
    compared = interpreter.run("-c", COMPARE, expected, sources)
    assert compared.returncode == 0, compared.stderr
    assert int(compared.stdout) > 20

    info = ours.json("info", traced.dump)
    assert info["state"] == "exited"
    assert info["exit_status"] == 0
    assert info["complete"], info["incomplete_reasons"]
    assert info["nframe"] == 25
    assert info["peak_bytes"] >= info["traced_bytes"] > 100000

    top = ours.json("stats", traced.dump, "-g", "traceback", "--at", "peak", "-l", "10")
    frames = [f["filename"] for s in top["statistics"] for f in s["traceback"]]
    assert any(name in frame for frame in frames for name in COMPILER), frames


def test_syntax_error_is_reported_the_same(interpreter, trace, tmp_path):
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "bad.py").write_text("def f(:\n")
    args = ["-m", "compileall", "-q", "-f", str(tmp_path / "sources")]
    plain = interpreter.run(*args)
    traced = trace([interpreter.path] + args)
    assert plain.returncode == 1
    assert outcome(traced.result) == outcome(plain)
    assert traced.dump
