#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares src/stack/python/python_layout.c with the headers of each interpreter.

usage: check_layout.py [--show] [INTERPRETER...]

For each interpreter a small shared object is compiled against that interpreter's own
internal headers and against python_layout.c, and loaded into it with ctypes: the
offsets that the headers give must be those that we filled in from the live _PyRuntime.
An interpreter without headers (or without ctypes) is shown as skipped. Exit status 1
when a row is wrong. --show prints the offsets found.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CC = ["cc", "-std=gnu11", "-O1", "-w", "-shared", "-fPIC", "-fvisibility=hidden"]

# Each field: the C expression from a version on, the newest that applies being taken.
FRAME = "_PyInterpreterFrame"
EXPRESSIONS = {
    "version": {6: "PY_VERSION_HEX >> 16"},
    "frames": {6: "0", 11: "1", 13: "2"},
    "lines": {6: "0", 10: "1", 11: "2"},
    "tstate_frame": {6: "offsetof(PyThreadState, frame)",
                     11: "offsetof(PyThreadState, cframe)",
                     13: "offsetof(PyThreadState, current_frame)"},
    "cframe_current": {6: "0", 11: "offsetof(_PyCFrame, current_frame)", 13: "0"},
    "tstate_cframe": {6: "0", 10: "offsetof(PyThreadState, cframe)", 12: "0"},
    "cframe_previous": {6: "0", 10: "offsetof(CFrame, previous)",
                        11: "offsetof(_PyCFrame, previous)", 12: "0"},
    "frame_is_entry": {6: "0", 11: f"offsetof({FRAME}, is_entry)", 12: "0"},
    "tstate_interp": {6: "offsetof(PyThreadState, interp)"},
    "tstate_thread_id": {6: "offsetof(PyThreadState, thread_id)"},
    "frame_previous": {6: "offsetof(struct _frame, f_back)",
                       11: f"offsetof({FRAME}, previous)"},
    "frame_code": {6: "offsetof(struct _frame, f_code)",
                   11: f"offsetof({FRAME}, f_code)",
                   13: f"offsetof({FRAME}, f_executable)"},
    "frame_ip": {6: "offsetof(struct _frame, f_lasti)",
                 11: f"offsetof({FRAME}, prev_instr)",
                 13: f"offsetof({FRAME}, instr_ptr)"},
    "ip_unit": {6: "1", 10: "sizeof(_Py_CODEUNIT)", 11: "1"},
    "tagged": {6: "0", 14: "1"},
    "frame_owner": {6: "0", 11: f"offsetof({FRAME}, owner)"},
    "owner_generator": {6: "0", 11: "FRAME_OWNED_BY_GENERATOR"},
    "owner_skip": {6: "255", 12: "FRAME_OWNED_BY_CSTACK",
                   14: "FRAME_OWNED_BY_INTERPRETER"},
    "code_filename": {6: "offsetof(PyCodeObject, co_filename)"},
    "code_name": {6: "offsetof(PyCodeObject, co_name)"},
    "code_qualname": {6: "0", 11: "offsetof(PyCodeObject, co_qualname)"},
    "code_first_line": {6: "offsetof(PyCodeObject, co_firstlineno)"},
    "code_line_table": {6: "offsetof(PyCodeObject, co_lnotab)",
                        10: "offsetof(PyCodeObject, co_linetable)"},
    "code_first_traceable": {6: "0", 11: "offsetof(PyCodeObject, _co_firsttraceable)"},
    "code_bytecode": {6: "offsetof(PyCodeObject, co_code)",
                      11: "offsetof(PyCodeObject, co_code_adaptive)"},
    "object_type": {6: "offsetof(PyObject, ob_type)"},
    "type_flags": {6: "offsetof(PyTypeObject, tp_flags)"},
    "bytes_size": {6: "offsetof(PyBytesObject, ob_base.ob_size)"},
    "bytes_data": {6: "offsetof(PyBytesObject, ob_sval)"},
    "string_length": {6: "offsetof(PyASCIIObject, length)"},
    "string_state": {6: "offsetof(PyASCIIObject, state)"},
    "string_ascii_data": {6: "sizeof(PyASCIIObject)"},
    "string_data": {6: "sizeof(PyCompactUnicodeObject)"},
    "string_wide": {6: "offsetof(PyASCIIObject, wstr)", 12: "0"},
    "string_wide_length": {6: "offsetof(PyCompactUnicodeObject, wstr_length)", 12: "0"},
    "runtime_finalizing": {6: "0", 7: "offsetof(struct pyruntimestate, finalizing)",
                           9: "offsetof(struct pyruntimestate, _finalizing)"},
    "runtime_tstate_current": {
        6: "0", 7: "offsetof(struct pyruntimestate, gilstate.tstate_current)", 12: "0"},
}
HEADERS = {
    6: ["code.h", "frameobject.h"],
    7: ["code.h", "frameobject.h", "internal/pystate.h"],
    8: ["code.h", "frameobject.h", "internal/pycore_pystate.h"],
    9: ["code.h", "frameobject.h", "internal/pycore_runtime.h"],
    11: ["internal/pycore_runtime.h", "internal/pycore_frame.h"],
    14: ["internal/pycore_runtime.h", "internal/pycore_interpframe.h"],
}
STATE_BITS = {"kind": 0x1c, "compact": 0x20, "ascii": 0x40, "ready": 0x80}

PROBE = """
#define Py_BUILD_CORE 1
#include <Python.h>
{includes}
#include "stack/python/python_layout.h"
static const long headers[] = {{ {values} }};
static uint32_t state_bits(PyASCIIObject string)
{{
    uint32_t bits;
    memcpy(&bits, &string.state, sizeof bits);
    return bits;
}}
static const char *const names[] = {{ {names} }};
__attribute__((visibility("default"))) int probe(char *out, size_t size, void *runtime)
{{
    struct python_layout l;
    size_t n = 0;
    int r = python_layout_fill(&l, PY_VERSION_HEX, runtime);
    const long ours[] = {{ {ours} }};
    for (size_t i = 0; r == 0 && i < sizeof ours / sizeof *ours; i++)
        n += snprintf(out + n, size - n, "%s %ld %ld\\n", names[i], headers[i],
                      ours[i]);
    {bits}
    return r;
}}
"""


def choose(by_version, minor):
    return by_version[max(v for v in by_version if v <= minor)]


def source(minor):
    """The C source of the probe for 3.minor."""
    fields = {name: choose(by, minor) for name, by in EXPRESSIONS.items()}
    used = [b for b in STATE_BITS if b != "ready" or minor < 12]
    bits = "\n    ".join(
        f'n += snprintf(out + n, size - n, "state.{b} %ld %ld\\n", (long)state_bits('
        f'(PyASCIIObject){{.state = {{.{b} = -1}}}}), {STATE_BITS[b]}L);' for b in used)
    return PROBE.format(
        includes="\n".join(f"#include <{h}>" for h in choose(HEADERS, minor)),
        values=", ".join(fields.values()),
        names=", ".join(f'"{name}"' for name in fields),
        ours=", ".join(f"l.{name}" for name in fields), bits=bits)


RUN = """
import ctypes, sys
buffer = ctypes.create_string_buffer(65536)
try:
    runtime = ctypes.addressof(ctypes.c_char.in_dll(ctypes.pythonapi, "_PyRuntime"))
except ValueError:  # 3.6
    runtime = None
probe = ctypes.PyDLL(sys.argv[1]).probe
result = probe(buffer, ctypes.c_size_t(65536), ctypes.c_void_p(runtime))
sys.stdout.write("%d\\n%s" % (result, buffer.value.decode()))
"""

ASK = """
import json, sys, sysconfig
try:
    import ctypes
except ImportError:
    ctypes = None
print(json.dumps({"version": list(sys.version_info), "ctypes": bool(ctypes),
    "free": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "include": sysconfig.get_paths()["include"]}))
"""


def about(python):
    try:
        done = subprocess.run([python, "-c", ASK], stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout.decode())
    except (OSError, ValueError, subprocess.CalledProcessError):
        return None


def include_folder(facts):
    folder = pathlib.Path(facts["include"])
    return folder if (folder / "Python.h").is_file() else None


def reason_to_skip(facts, include):
    if facts is None or facts["version"][0] != 3:
        return "no Python 3 that runs"
    if facts["free"]:
        return "free-threaded"
    if not facts["ctypes"]:
        return "no ctypes"
    if not include:
        return "no headers"
    return None


def build(folder, minor, include):
    """Path of the probe, compiled for 3.minor."""
    probe = pathlib.Path(folder) / "probe.c"
    probe.write_text(source(minor))
    # Debian's pyconfig.h includes <x86_64-linux-gnu/python3.X/pyconfig.h>.
    flags = [f"-I{ROOT / 'src'}", f"-I{include}", f"-I{include / 'internal'}",
             f"-idirafter{include.parent}"]
    layout = str(ROOT / "src/stack/python/python_layout.c")
    subprocess.run([*CC, *flags, str(probe), layout, "-o", f"{folder}/probe.so"],
                   check=True)
    return f"{folder}/probe.so"


def compare(python, library):
    """(whether all went well, the rows of field, header's and our offset)"""
    done = subprocess.run([python, "-c", RUN, library], stdout=subprocess.PIPE)
    result, *lines = done.stdout.decode().splitlines() or ["nothing"]
    rows = [line.split() for line in lines]
    same = all(theirs == ours for _, theirs, ours in rows)
    return done.returncode == 0 and result == "0" and bool(rows) and same, rows


def check(python, show):
    """None when skipped, else whether every offset agrees."""
    facts = about(python)
    include = include_folder(facts) if facts else None
    skip = reason_to_skip(facts, include)
    if skip:
        print(f"SKIP {python}: {skip}")
        return None
    with tempfile.TemporaryDirectory() as folder:
        ok, rows = compare(python, build(folder, facts["version"][1], include))
    release = ".".join(map(str, facts["version"][:3]))
    print(f"{'PASS' if ok else 'FAIL'} {python} {release}: {len(rows)} fields")
    for name, theirs, ours in rows:
        if show or theirs != ours:
            print(f"    {name}: headers {theirs}, ours {ours}")
    return ok


def main():
    show = "--show" in sys.argv
    pythons = [a for a in sys.argv[1:] if a != "--show"] or [sys.executable]
    results = [check(python, show) for python in pythons]
    sys.exit(1 if False in results else 0)


if __name__ == "__main__":
    main()
