#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares what src/stack/ reads from a live interpreter with what that itself says.

usage: check_code.py [INTERPRETER...]

In each interpreter: the line of every instruction of some stdlib modules, as
PyCode_Addr2Line() gives it; frames of functions, generators, coroutines, callbacks from
C and code with odd names, as sys._getframe() gives them; what python_runtime_find()
says of the process, also where a shared libpython arrives late. Exit status 1 on a
difference; an interpreter that cannot run this is shown as skipped.
"""

import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent
CC = ["cc", "-std=gnu11", "-D_GNU_SOURCE", "-O1", "-fvisibility=hidden",
      f"-I{ROOT / 'src'}"]
SOURCES = [str(ROOT / f"src/stack/python/python_{name}.c")
           for name in ("layout", "runtime", "lines", "code")]
SOURCES.append(str(ROOT / "src/stack/native/native_object.c"))

# Runs in the interpreter under test, so it keeps to Python 3.6.
CHILD = r'''
import ctypes, sys
probe = ctypes.PyDLL(sys.argv[1])
buffer = ctypes.create_string_buffer(1 << 18)
addr2line = ctypes.pythonapi.PyCode_Addr2Line
addr2line.argtypes = [ctypes.py_object, ctypes.c_int]
probe.probe_line.argtypes = [ctypes.c_void_p, ctypes.c_int]
probe.probe_walk.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
minor = sys.version_info[1]
faults = []
seen = 0

def expect(what, ours, theirs):
    if ours != theirs:
        faults.append("%s: ours %r, theirs %r" % (what, ours, theirs))

error = probe.probe_find(buffer, ctypes.c_size_t(1 << 18))
expect("find", error, 0)
if not error:
    expect("runtime", buffer.value.decode(), "%x %d 1 1 1 1 0" % (
        sys.hexversion, minor < 12))

def theirs():
    frame, rows = sys._getframe(1), []
    while frame:
        code = frame.f_code
        name = code.co_qualname if minor >= 11 else code.co_name
        rows += [code.co_filename, str(frame.f_lineno), name]
        frame = frame.f_back
    return rows

def compare(what, length, rows):
    global seen
    seen += 1
    ours = buffer.raw[:length].decode("utf-8", "surrogatepass").split("\n")[:-1]
    if what != "in a thread":
        expect(what, ours, rows)
    else:  # threading's own frames come and go
        expect(what, ours[:3], rows[:3])

def walk(what):
    compare(what, probe.probe_walk(buffer, 1 << 18), theirs())

class Thing(object):
    def __init__(self, depth):
        walk("__init__")
        if depth:
            Thing(depth - 1)
    def __lt__(self, other):
        walk("operator")
        return False
    def __del__(self):
        walk("finalizer")
    @property
    def attribute(self):
        walk("property")

def recurse(depth):
    if depth:
        recurse(depth - 1)
    else:
        walk("recursion")

def generate(depth):
    walk("generator")
    if depth:
        yield from generate(depth - 1)
    yield 1
    walk("resumed generator")

async def wait(depth):
    walk("coroutine")
    if depth:
        await wait(depth - 1)
    walk("coroutine's end")

def closure(value):
    def inner(*args):
        walk("closure %r" % value)
        return (lambda: walk("lambda"))()
    return inner

def drive(coroutine):
    try:
        coroutine.send(None)
    except StopIteration:
        pass

def everything():
    recurse(30)
    list(generate(5))
    drive(wait(5))
    Thing(3).attribute
    sorted([Thing(0), Thing(0)])
    list(map(closure(1), [1, 2]))
    [walk("comprehension") for _ in range(2)]
    {walk("set"): walk("dictionary") for _ in
     range(2)}
    sum(bool(walk(
        "generator expression")) for _ in (1,))
    exec(compile("\n" * 400 + "def \u0444\u044b(): walk('names')\n\u0444\u044b()",
                 "\u20ac/\U0001f600\udc80.py", "exec"), globals())

for _ in range(60):
    everything()

import threading
thread = threading.Thread(target=walk, args=("in a thread",))
thread.start()
thread.join()

def codes(code):
    yield code
    for constant in code.co_consts:
        if hasattr(constant, "co_code"):
            yield from codes(constant)

import argparse, ast, asyncio.base_events, collections, inspect, typing, _pydecimal
modules = argparse, ast, asyncio.base_events, collections, inspect, typing, _pydecimal
instructions = 0
for module in modules:
    with open(module.__file__, encoding="utf-8") as file:
        top = compile(file.read(), module.__file__, "exec")
    for code in codes(top):
        for offset in range(-2, len(code.co_code), 2):
            ours = probe.probe_line(id(code), offset)
            instructions += 1
            if ours != max(addr2line(code, offset), 0):
                expect("line in %s at %d" % (code.co_name, offset), ours,
                       addr2line(code, offset))
for fault in faults[:10]:
    print("    " + fault)
print("%d walks, %d instructions, %d differences" % (seen, instructions, len(faults)))

class Last(object):
    """Dies when the modules are torn down, which the runtime has to show."""
    def __del__(self, finalizing=probe.probe_finalizing, write=sys.stdout.write):
        write("finalizing %d" % finalizing())

last = Last()
sys.stdout.flush()
sys.exit(bool(faults) or probe.probe_finalizing())
'''

ASK = """
import ctypes, sys, sysconfig
import os.path
library = sysconfig.get_config_var("INSTSONAME") or ""
folder = os.path.join(sys.prefix, "lib")
path = os.path.join(folder, library)
print(int(bool(sysconfig.get_config_var("Py_GIL_DISABLED"))), "%x" % sys.hexversion,
      path if ".so" in library and os.path.exists(path) else "-")
"""


def compile_probes(folder):
    subprocess.run([*CC, "-shared", "-fPIC", str(HERE / "code_probe.c"), *SOURCES,
                    "-o", f"{folder}/code_probe.so"], check=True)
    subprocess.run([*CC, str(HERE / "late_python.c"), *SOURCES,
                    "-o", f"{folder}/late_python"], check=True)


def check_late(folder, library, version):
    """Whether a libpython that came by dlopen(RTLD_LOCAL) is found."""
    done = subprocess.run([f"{folder}/late_python", library], stdout=subprocess.PIPE)
    expected = f"-2 0 0 1 {version}"
    if done.stdout.decode().strip() != expected:
        print(f"    late libpython: {done.stdout.decode()!r}, expected {expected!r}")
        return False
    return True


def check(folder, python):
    asked = subprocess.run([python, "-c", ASK], stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL)
    if asked.returncode:
        print(f"SKIP {python}: no ctypes")
        return None
    free, version, library = asked.stdout.decode().split()
    if free == "1":
        print(f"SKIP {python}: free-threaded")
        return None
    done = subprocess.run([python, "-c", CHILD, f"{folder}/code_probe.so"],
                          stdout=subprocess.PIPE)
    said = done.stdout.decode(errors="replace").strip()
    ok = done.returncode == 0 and said.endswith("finalizing 1")
    if library != "-":
        ok = check_late(folder, library, version) and ok
    print("PASS" if ok else "FAIL", python, version)
    print("    " + said.replace("\n", "\n    "))
    return ok


def main():
    with tempfile.TemporaryDirectory() as folder:
        compile_probes(folder)
        results = [check(folder, python) for python in sys.argv[1:] or [sys.executable]]
    sys.exit(1 if False in results else 0)


if __name__ == "__main__":
    main()
