# SPDX-License-Identifier: MIT
"""tracemalloc run, of what cannot be traced: says so in one line, and runs it."""

import os
import pathlib
import shutil
import struct
import subprocess
import tempfile

import pytest

from conftest import run

# exit(7); for x86-64, and for 32-bit x86.
CODE_64 = bytes.fromhex("b83c000000bf070000000f05")
CODE_32 = bytes.fromhex("b801000000bb07000000cd80")
X86_64, I386, AARCH64 = 62, 3, 183
NOBODY = 65534


def elf_64(machine=X86_64):
    base, headers = 0x400000, 64 + 56
    size = headers + len(CODE_64)
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQI", 2, machine, 1, base + headers, 64, 0, 0)
    head += struct.pack("<HHHHHH", 64, 56, 1, 0, 0, 0)
    return head + struct.pack("<2I6Q", 1, 5, 0, base, base, size, size, 4096) + CODE_64


def elf_32():
    base, headers = 0x8048000, 52 + 32
    size = headers + len(CODE_32)
    head = b"\x7fELF\x01\x01\x01" + bytes(9)
    head += struct.pack("<HHIIIII", 2, I386, 1, base + headers, 52, 0, 0)
    head += struct.pack("<HHHHHH", 52, 32, 1, 0, 0, 0)
    return head + struct.pack("<8I", 1, 0, base, base, size, size, 5, 4096) + CODE_32


def elf_of_musl():
    """Whose loader is not there: it cannot be executed, only looked at."""
    file = bytearray(elf_64())
    loader = b"/none/ld-musl-x86_64.so.1\0"
    segment = struct.pack("<2I6Q", 3, 4, 64 + 112, 0, 0, len(loader), len(loader), 1)
    struct.pack_into("<H", file, 56, 2)
    return bytes(file[:120]) + segment + loader


@pytest.fixture
def program(tmp_path):
    """program(BYTES): the path of an executable file."""

    def write(content):
        path = tmp_path / "program"
        path.write_bytes(content)
        path.chmod(0o755)
        return path

    return write


@pytest.mark.parametrize("options, lines", [([], 1), (["-q"], 0)])
def test_a_static_executable(command, program, tmp_path, options, lines):
    result = run([command, "run"] + options + [program(elf_64())], cwd=tmp_path)
    assert (result.returncode, result.stdout) == (7, "")
    assert result.stderr.count("\n") == lines
    assert lines == 0 or "is a static executable" in result.stderr


def test_a_32_bit_program(command, program, tmp_path):
    path = program(elf_32())
    try:
        if run([path]).returncode != 7:
            pytest.skip("no 32-bit programs here")
    except OSError:
        pytest.skip("no 32-bit programs here")
    result = run([command, "run", path], cwd=tmp_path)
    assert (result.returncode, result.stdout) == (7, "")
    said = "tracemalloc: %s is a 32-bit program: it runs untraced\n"
    assert result.stderr == said % path


def test_another_architecture(command, program, tmp_path):
    """There may be an emulator or none; then libc gives the file to the shell."""
    path = program(elf_64(AARCH64)[:64])
    result = run([command, "run", path], cwd=tmp_path, errors="replace")
    assert result.stderr.count("tracemalloc: ") == 1
    assert result.stderr.count("for another architecture: it runs untraced") == 1


def test_musl(command, program, tmp_path):
    """Its loader would refuse to run a program with our library."""
    result = run([command, "run", program(elf_of_musl())], cwd=tmp_path)
    assert result.returncode == 127 and result.stderr.count("\n") == 1


def test_a_script_of_a_static_interpreter(command, program, tmp_path):
    interpreter = program(elf_64())
    script = tmp_path / "script"
    script.write_text("#!%s -x\n" % interpreter)
    script.chmod(0o755)
    result = run([command, "run", script], cwd=tmp_path)
    assert result.returncode == 7
    assert result.stderr.count("is a static executable") == 1
    script.write_text("#!/usr/bin/env program\n")
    path = {"PATH": "%s:%s" % (tmp_path, os.environ["PATH"])}
    result = run([command, "run", "script"], cwd=tmp_path, env=path)
    assert result.returncode == 7
    assert result.stderr.count("is a static executable") == 1


def test_its_children_are_traced(command, some_interpreter, tmp_path):
    busybox = shutil.which("busybox")
    if busybox is None or b"statically" not in subprocess.check_output(
        ["file", "-L", busybox]
    ):
        pytest.skip("no static shell here")
    child = [some_interpreter.path, "-c", "kept = bytes(70000)"]
    line = [command, "run", "-o", "x.dump", busybox, "sh", "-c", '"$@"; exit 3', "sh"]
    result = run(line + child, cwd=tmp_path)
    assert result.returncode == 3
    assert "is a static executable" in result.stderr and "wrote " in result.stderr


@pytest.fixture
def privileged(some_interpreter, tmp_path):
    """privileged(MODE): a copy of env(1), in a directory that anyone may read."""
    if os.getuid() != 0:
        pytest.skip("not root")
    directory = pathlib.Path(tempfile.mkdtemp())
    directory.chmod(0o755)

    def copy(mode):
        path = directory / "env"
        shutil.copy("/usr/bin/env", str(path))
        path.chmod(mode)
        return path

    try:
        yield copy
    finally:
        shutil.rmtree(str(directory))


def as_nobody(command, path):
    switch = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]
    return run(switch + [command, "run", path, "true"], cwd="/")


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o4711])
def test_setuid_and_setgid(command, library, privileged, tmp_path, mode):
    if as_nobody(command, "/bin/true").returncode != 0:
        pytest.skip("another user cannot run the command here")
    path = privileged(mode)
    result = as_nobody(command, path)
    assert (result.returncode, result.stdout) == (0, "")
    assert "gains rights" in result.stderr and result.stderr.count("\n") == 1
    # root gains nothing
    result = run([command, "run", path, "true"], cwd=tmp_path)
    assert "gains rights" not in result.stderr


def test_file_capabilities(command, privileged):
    path = privileged(0o755)
    if as_nobody(command, "/bin/true").returncode != 0 or not shutil.which("setcap"):
        pytest.skip("another user cannot run the command here, or there is no setcap")
    assert run(["setcap", "cap_net_raw+ep", path]).returncode == 0
    result = as_nobody(command, path)
    assert (result.returncode, result.stdout) == (0, "")
    assert "gains rights" in result.stderr and result.stderr.count("\n") == 1


def test_ordinary_programs_are_none(command, tmp_path):
    for program in (["true"], ["/bin/sh", "-c", "true"]):
        result = run([command, "run"] + program, cwd=tmp_path)
        assert "no dump was written" in result.stderr
        assert result.stderr.count("\n") == 1
