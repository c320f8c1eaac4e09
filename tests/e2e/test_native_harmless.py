# SPDX-License-Identifier: MIT
"""Native frames take nothing from the program: no descriptor, no word that cannot be
read, no room on a stack that has little."""

import subprocess

import pytest

from conftest import outcome, run
from dump_file import DumpFile

NATIVE = {"TRACEMALLOC_NATIVE_FRAMES": "30"}

DESCRIPTORS = """
import os, sys
def opened():
    return sorted(n for n in os.listdir("/proc/self/fd") if int(n) < 50)
keep = [opened()]
keep += [list(map(lambda i: [str(i)], range(2000))) for _ in range(3)]
keep.append(opened())
numbers = [os.open("/dev/null", os.O_RDWR) for _ in range(4)]
import decimal, sqlite3
keep += [decimal.Decimal(i) for i in range(1000)]
keep.append(opened())
for number in numbers:
    os.write(number, b"x")
    os.close(number)
os.closerange(3, 100)
keep += [list(map(lambda i: [str(i)], range(2000))) for _ in range(3)]
numbers.append(os.open(os.devnull, os.O_RDONLY))
with open(sys.argv[1], "w") as file:
    print(keep[0], keep[4], keep[-7], numbers, file=file)
"""


@pytest.mark.parametrize("closed", ["", "<&-", ">&-", "2>&-", "<&- >&- 2>&-", "2>&1"])
def test_no_descriptor(some_interpreter, traced_environment, tmp_path, closed):
    seen = []
    for number, changes in enumerate([{}, NATIVE]):
        out = tmp_path / str(number)
        program = [some_interpreter.path, "-c", DESCRIPTORS, out]
        shell = ["sh", "-c", 'exec "$0" "$@" ' + closed] + program
        environment = traced_environment(**changes) if changes else {}
        result = run(shell, env=environment)
        seen.append((outcome(result), out.read_text()))
    assert seen[0] == seen[1]


def test_no_descriptor_when_idle(some_interpreter, traced_environment):
    text = "import os; print(sorted(os.listdir('/proc/self/fd')))"
    environment = traced_environment(PYTHONTRACEMALLOC=None, **NATIVE)
    program = [some_interpreter.path, "-c", text]
    assert outcome(run(program, env=environment)) == outcome(run(program))


@pytest.mark.parametrize("name", ["test_posix", "test_subprocess"])
def test_cpythons_tests_of_descriptors(
    some_interpreter, traced_environment, tmp_path, name
):
    found = some_interpreter.run("-c", "import test.%s" % name, cwd=tmp_path)
    if found.returncode != 0:
        pytest.skip("this interpreter has no tests of its own")
    program = [some_interpreter.path, "-m", "test", name]
    try:
        plain = run(program, cwd=tmp_path, timeout=300)
    except subprocess.TimeoutExpired:
        pytest.skip("the machine is too slow")
    if plain.returncode != 0:
        pytest.skip("%s fails here without the library too" % name)
    environment = traced_environment(**NATIVE)
    traced = run(program, env=environment, cwd=tmp_path, timeout=900)
    assert traced.returncode == 0, traced.stdout[-3000:]


# Calls malloc(rsi) from code of no file, with the registers and words of the stack that
# a just-in-time compiler might have there: rdi leads to them.
CODE = bytes.fromhex(
    "53 55 41 54 41 55"  # push rbx, rbp, r12, r13
    "49 89 e4"  # mov %rsp, %r12
    "49 89 fd"  # mov %rdi, %r13
    "48 81 ec 08 01 00 00"  # sub $264, %rsp
    "31 c9"  # xor %ecx, %ecx
    "49 8b 44 cd 10"  # mov 16(%r13,%rcx,8), %rax
    "48 89 04 cc"  # mov %rax, (%rsp,%rcx,8)
    "48 ff c1"  # inc %rcx
    "48 83 f9 20"  # cmp $32, %rcx
    "75 ee"  # jne to the load
    "49 8b 6d 00"  # mov (%r13), %rbp
    "4d 8b 45 08"  # mov 8(%r13), %r8
    "4a 8d 04 04"  # lea (%rsp,%r8), %rax
    "4d 85 c0"  # test %r8, %r8
    "48 0f 45 e8"  # cmovne %rax, %rbp
    "48 89 f7"  # mov %rsi, %rdi
    "ff d2"  # call *%rdx
    "4c 89 e4"  # mov %r12, %rsp
    "41 5d 41 5c 5d 5b c3"  # pop r13, r12, rbp, rbx; ret
)

GARBAGE = """
import ctypes, mmap, random, struct, sys, threading
code = bytes.fromhex(sys.argv[1])
seed, trials = int(sys.argv[2]), int(sys.argv[3])
page = mmap.mmap(-1, 8192, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page[: len(code)] = code
at = ctypes.addressof(ctypes.c_char.from_buffer(page))
libc = ctypes.CDLL(None)
libc.free.argtypes = [ctypes.c_void_p]
malloc = ctypes.cast(libc.malloc, ctypes.c_void_p).value
made = ctypes.CFUNCTYPE(
    ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p
)(at)
heap = ctypes.create_string_buffer(1 << 16)
heap_at = ctypes.addressof(heap)
hole = mmap.mmap(-1, 1 << 16, prot=mmap.PROT_READ | mmap.PROT_WRITE)
hole_at = ctypes.addressof(ctypes.c_char.from_buffer(hole))
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.mprotect(hole_at, 1 << 16, 0)
choice = random.Random(seed)
double = lambda x: struct.unpack("<Q", struct.pack("<d", x))[0]
def word():
    kind = choice.randrange(14)
    if kind < 2: return double(choice.uniform(-1e9, 1e9))
    if kind == 2: return choice.randrange(1 << 64)
    if kind == 3: return choice.randrange(1 << 48)
    if kind == 4: return heap_at + choice.randrange(1 << 16)
    if kind == 5: return hole_at + choice.randrange(1 << 16)
    if kind == 6: return at + choice.randrange(8192)
    if kind == 7: return malloc + choice.randrange(4096)
    if kind == 8: return at + len(code) - 10
    if kind == 9: return 1 << choice.randrange(64)
    if kind == 10: return (1 << 64) - choice.randrange(1, 1 << 20)
    if kind == 11: return choice.randrange(5000)
    if kind == 12: return 1 << 63 | choice.randrange(1 << 20)
    return id(choice)
def trial():
    offset = choice.choice([0, choice.randrange(64) * 8, choice.randrange(1 << 16)])
    words = [word(), offset] + [word() for _ in range(32)]
    block = (ctypes.c_uint64 * 34)(*words)
    libc.free(made(ctypes.addressof(block), choice.randrange(1, 5000), malloc))
    keep.append([str(offset)] if len(keep) < 5000 else keep.pop())
keep = []
def work():
    for _ in range(trials): trial()
work()
thread = threading.Thread(target=work)
thread.start()
thread.join()
work()
print("done", seed)
"""


@pytest.mark.parametrize("seed", range(4))
def test_any_word_on_the_stack(interpreter, trace_code, ours, seed):
    """Code of no file, whose rbp and stack hold anything: the kept dump is whole."""
    traced = trace_code(interpreter, GARBAGE, CODE.hex(), seed, 2000, **NATIVE)
    assert traced.result.returncode == 0, traced.result.stderr
    assert traced.result.stdout == "done %d\n" % seed
    info = ours.json("info", traced.dump)
    assert "damaged" not in str(info["complete"]), info
    assert DumpFile(traced.dump).lost["native"] > 0
    assert ours("stats", traced.dump).returncode == 0
