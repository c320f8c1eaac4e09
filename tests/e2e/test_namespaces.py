# SPDX-License-Identifier: MIT
"""A process of another PID namespace: a container seen from its host, and a sidecar."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys

import pytest

from conftest import TIMEOUT, clean_environment, run

INSIDE = ["unshare", "--pid", "--fork", "--kill-child"]
WITH_PROC = INSIDE + ["--mount-proc"]
TEXT = """
import sys, time
kept = [bytes(100003)]
print("ready", flush=True)
for line in sys.stdin:
    kept.append(bytes(1000003))
    print("done", flush=True)
    if line == "end\\n":
        break
"""


def can_unshare():
    if not shutil.which("unshare"):
        return False
    return subprocess.call(WITH_PROC + ["true"], stderr=subprocess.DEVNULL) == 0


pytestmark = pytest.mark.skipif(not can_unshare(), reason="no new PID namespaces here")


@pytest.fixture(params=[WITH_PROC, INSIDE], ids=["its own /proc", "the host's /proc"])
def contained(request, some_interpreter, library, tmp_path):
    """The traced process, which waits for lines, and its dump."""
    settings = {
        "LD_PRELOAD": library,
        "PYTHONTRACEMALLOC": "5",
        "TRACEMALLOC_OUTPUT": str(tmp_path / "dump"),
        "TRACEMALLOC_NATIVE_FRAMES": "5",
    }
    # unshare itself must not be what is preloaded: its children are.
    inner = ["env"] + ["%s=%s" % item for item in settings.items()]
    process = subprocess.Popen(
        request.param + inner + [some_interpreter.path, "-c", TEXT],
        env=clean_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        universal_newlines=True,
    )
    process.dump = tmp_path / "dump"
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def pid_of(process):
    """The number of the traced process here."""
    path = "/proc/%d/task/%d/children" % (process.pid, process.pid)
    return int(pathlib.Path(path).read_text().split()[0])


def ask(process, line):
    process.stdin.write(line + "\n")
    process.stdin.flush()
    assert process.stdout.readline() == "done\n"


def test_a_live_one_is_seen_to_run(contained, ours):
    assert ours.json("info", contained.dump)["state"] == "tracing"


ON_AN_OVERLAY = """
mkdir lower upper work merged
mount -t overlay overlay merged -o lowerdir=lower,upperdir=upper,workdir=work || exit 77
mkfifo input output
exec 3<>input 4<>output
unshare --pid --fork --kill-child env LD_PRELOAD="$1" PYTHONTRACEMALLOC=5 \\
    TRACEMALLOC_OUTPUT="$PWD/merged/dump" "$2" -c "$3" <&3 >&4 &
read -r line <&4
"$4" info --json merged/dump
unshare --pid --fork --kill-child --mount-proc "$4" info --json merged/dump
kill -KILL $!
"""


def test_one_whose_dump_is_on_an_overlay_is_seen_to_run(
    some_interpreter, library, command, tmp_path
):
    """As in a container. The kernel grants a lease on a file that is being written."""
    script = ["unshare", "--mount", "sh", "-c", ON_AN_OVERLAY, "sh", library]
    result = run(script + [some_interpreter.path, TEXT, command], cwd=tmp_path)
    if result.returncode == 77:
        pytest.skip("no overlay can be mounted here: " + result.stderr)
    states = [json.loads(line)["state"] for line in result.stdout.splitlines()]
    assert states == ["tracing", "unknown"]


def test_top_shows_its_resident_memory(contained, ours):
    """Not that of the process which has the same number here."""
    shown = [
        ours("top", "--once", name).stdout.splitlines()
        for name in (str(contained.dump), str(pid_of(contained)))
    ]
    assert shown[0][0].startswith("tracing")
    rss = [re.search(r"RSS (\S+ \w+)", "\n".join(s)) for s in shown]
    assert rss[0] and rss[1], shown[0]
    assert rss[0].group(1) == rss[1].group(1)


def test_ps_lists_it(contained, ours):
    rows = [line.split() for line in ours("ps").stdout.splitlines()]
    (row,) = [row for row in rows if row[0] == str(pid_of(contained))]
    assert row[1] == "tracing" and row[-1] == str(contained.dump)


def test_its_dump_is_not_replaced(contained, ours, snapshot):
    inode = contained.dump.stat().st_ino
    result = ours("resolve", contained.dump)
    assert result.returncode == 1
    assert "still writing" in result.stderr
    assert contained.dump.stat().st_ino == inode
    ask(contained, "end")
    contained.communicate(timeout=TIMEOUT)
    sizes = [trace.size for trace in snapshot(contained.dump).traces]
    assert sizes.count(1000003 + 33) == 1
    assert ours("resolve", contained.dump).returncode == 0


def test_snapshot_stop_and_start_reach_it(contained, ours, tmp_path):
    pid = str(pid_of(contained))
    copy = tmp_path / "copy"
    assert ours("snapshot", "-o", copy, pid).returncode == 0
    assert ours.json("info", copy)["state"] == "snapshot"
    assert ours("stop", pid).returncode == 0
    assert ours.json("info", contained.dump)["state"] == "stopped"
    assert ours("start", pid).returncode == 0


def test_a_killed_one_is_seen_to_be_gone(contained, ours):
    os.kill(pid_of(contained), signal.SIGKILL)
    contained.communicate(timeout=TIMEOUT)
    assert ours.json("info", contained.dump)["state"] == "killed"
    assert ours("resolve", contained.dump).returncode == 0


@pytest.mark.parametrize("how", [WITH_PROC, INSIDE], ids=["own", "host's"])
def test_a_sidecar_sees_the_same(contained, command, how):
    """The host's processes are not visible from within another namespace."""
    result = run(how + [command, "info", "--json", contained.dump])
    assert '"state":"tracing"' in result.stdout.replace(" ", ""), result.stdout
    refused = run(how + [command, "resolve", contained.dump])
    assert refused.returncode == 1 and "still writing" in refused.stderr
    os.kill(pid_of(contained), signal.SIGKILL)
    contained.communicate(timeout=TIMEOUT)
    result = run(how + [command, "info", "--json", contained.dump])
    assert '"state":"killed"' in result.stdout.replace(" ", ""), result.stdout


def test_without_a_lease_it_is_unknown(contained, command, tmp_path):
    """Another user may not ask the kernel, and the process is out of sight."""
    if os.getuid() != 0 or not shutil.which("setpriv"):
        pytest.skip("needs root and setpriv")
    os.chmod(str(contained.dump), 0o644)
    for folder in [tmp_path, *tmp_path.parents]:
        if not folder.stat().st_mode & 1:
            os.chmod(str(folder), folder.stat().st_mode | 0o11)
    shutil.copy(command, str(tmp_path / "command"))
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    tool = WITH_PROC + nobody + [str(tmp_path / "command")]
    result = run(tool + ["info", "--json", str(contained.dump)])
    assert '"state":"unknown"' in result.stdout.replace(" ", ""), result
    refused = run(tool + ["resolve", str(contained.dump)])
    assert refused.returncode == 1 and "may still be writing" in refused.stderr


def test_run_leaves_a_live_dump_alone(some_interpreter, command, ours, tmp_path):
    """What outlives `run` in a namespace of its own is not said to have ended."""
    program = [some_interpreter.path, "-c", TEXT]
    starter = (
        "import subprocess, sys\n"
        "p = subprocess.Popen(\n"
        "    sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)\n"
        "print(p.stdout.readline().decode(), p.pid)\n"
    )
    reader, writer = os.pipe()
    inside = [part for part in WITH_PROC if part != "--kill-child"]
    result = run(
        [command, "run", "-o", "dump.%p", sys.executable, "-c", starter]
        + inside
        + program,
        cwd=tmp_path,
        stdin=reader,
    )
    os.close(reader)
    try:
        assert result.returncode == 0, result.stderr
        assert ours.json("info", tmp_path / "dump.1")["state"] == "tracing"
    finally:
        os.close(writer)
