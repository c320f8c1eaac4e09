# SPDX-License-Identifier: MIT
"""What starts tracing, what does not, and who complains about a malformed value."""

import pytest

from conftest import outcome

BAD_VALUES = ("bad", "-1", "65536", "99999999999999999999", "1x", "1.5", "0x5")
PROGRAM = "print(sum(map(len, map(str, range(999)))))"


@pytest.mark.parametrize("value", [None, "", "0"], ids=["unset", "empty", "0"])
def test_loaded_but_not_tracing(interpreter, trace, value):
    # 3.6 and 3.7 refuse a 0, and then so does a traced one.
    variables = {} if value is None else {"PYTHONTRACEMALLOC": value}
    plain = interpreter.run("-c", PROGRAM, env=variables)
    traced = trace([interpreter.path, "-c", PROGRAM], PYTHONTRACEMALLOC=value)
    assert outcome(traced.result) == outcome(plain)
    assert traced.dumps == []


@pytest.mark.parametrize("value", ["1", "7", "65535"])
def test_number_of_frames(some_interpreter, trace, ours, value):
    traced = trace([some_interpreter.path, "-c", PROGRAM], PYTHONTRACEMALLOC=value)
    assert traced.result.returncode == 0
    assert ours.json("info", traced.dump)["nframe"] == int(value)


def test_malformed_value_gets_the_own_error(interpreter, trace):
    for value in BAD_VALUES:
        variables = {"PYTHONTRACEMALLOC": value}
        plain = interpreter.run("-c", PROGRAM, env=variables)
        traced = trace([interpreter.path, "-c", PROGRAM], **variables)
        assert outcome(traced.result) == outcome(plain), value
        assert traced.dumps == [], value


def test_malformed_option_gets_the_own_error(interpreter, trace):
    for value in BAD_VALUES:
        option = "tracemalloc=" + value
        plain = interpreter.run("-X", option, "-c", PROGRAM)
        program = [interpreter.path, "-X", option, "-c", PROGRAM]
        traced = trace(program, PYTHONTRACEMALLOC=None)
        assert outcome(traced.result) == outcome(plain), value


@pytest.mark.parametrize("option,nframe", [("tracemalloc", 1), ("tracemalloc=6", 6)])
def test_option(interpreter, trace, ours, option, nframe):
    program = [interpreter.path, "-X", option, "-c", PROGRAM]
    traced = trace(program, PYTHONTRACEMALLOC=None)
    assert outcome(traced.result) == outcome(interpreter.run("-c", PROGRAM))
    assert ours.json("info", traced.dump)["nframe"] == nframe


@pytest.mark.parametrize("option", ["-E", "-I"])
def test_environment_ignored(interpreter, trace, option):
    traced = trace([interpreter.path, option, "-c", PROGRAM])
    assert traced.result.returncode == 0
    assert traced.dumps == []


@pytest.mark.parametrize("option", ["-E", "-I"])
def test_run_traces_all_the_same(interpreter, ours, tmp_path, option):
    dump = tmp_path / "x.dump"
    program = [interpreter.path, option, "-c", PROGRAM]
    result = ours("run", "-q", "-n", "3", "-o", dump, "--", *program)
    assert outcome(result) == outcome(interpreter.run("-c", PROGRAM))
    info = ours.json("info", dump)
    assert info["nframe"] == 3
    assert info["traced_blocks"] > 1000


def test_program_still_sees_the_variable(interpreter, trace):
    code = "import os; print(os.environ['PYTHONTRACEMALLOC'])"
    assert trace([interpreter.path, "-c", code]).result.stdout == "25\n"


@pytest.mark.parametrize(
    "options", [["-X", "dev"], ["-X", "utf8"], ["-v"], ["-S"], ["-O"]]
)
def test_interpreter_options(some_interpreter, trace, ours, options):
    program = [some_interpreter.path] + options + ["-c", PROGRAM]
    traced = trace(program)
    assert traced.result.returncode == 0
    assert traced.result.stdout == "2887\n"
    assert ours.json("info", traced.dump)["traced_blocks"] > 1000


@pytest.mark.parametrize("allocator", ["malloc", "debug", "malloc_debug", "pymalloc"])
def test_allocators(some_interpreter, trace, ours, allocator):
    program = [some_interpreter.path, "-c", PROGRAM]
    traced = trace(program, PYTHONMALLOC=allocator)
    assert traced.result.returncode == 0
    assert traced.result.stdout == "2887\n"
    assert ours.json("info", traced.dump)["traced_blocks"] > 1000
