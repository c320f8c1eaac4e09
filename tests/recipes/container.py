# SPDX-License-Identifier: MIT
"""Runs what a Dockerfile and a line of `docker run` say, with runc.

The image is a Debian that scripts/systems made, in a layer of its own, with gunicorn
from build/recipes. Only what the recipes use is understood; anything else is an error.
"""

import json
import os
import re
import shlex
import shutil
import subprocess

# Mounts are gone with the shell that made them.
IN_LAYER = """
mount -t overlay layer "$2/root" -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" &&
exec runc --root "$2/run" run --bundle "$2" "$3"
"""
GUNICORN = """#!/usr/bin/python3
import sys
from gunicorn.app.wsgiapp import run
sys.exit(run())
"""
SIZES = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def instructions(dockerfile):
    """[(instruction, argument)]"""
    joined = dockerfile.replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line.strip()]


def options(command):
    """{option: value} of `docker run`"""
    words = shlex.split(command.replace("\\\n", " ").rstrip("&"))
    assert words[:2] == ["docker", "run"], words
    found, words = {}, words[2:]
    while len(words) > 1:
        name = words.pop(0)
        found[name] = True if name in ("--rm", "--read-only") else words.pop(0)
    return found


class Container:
    """A bundle in `directory`, whose files come from `context`."""

    def __init__(self, directory, context, dockerfile, command, name):
        self.directory = directory
        self.context = context
        self.name = name
        self.upper = directory / "upper"
        for part in ("upper", "work", "root", "run"):
            (directory / part).mkdir(parents=True)
        self.environment = ["PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp"]
        self.arguments, self.work = None, "/"
        for instruction, argument in instructions(dockerfile):
            getattr(self, "do_" + instruction)(argument)
        self.write_configuration(options(command))

    def do_FROM(self, argument):
        assert "python" in argument

    def do_RUN(self, argument):
        """As `pip install gunicorn` does, without a network in the container."""
        assert argument == "pip install gunicorn"
        packages = self.upper / "usr/local/lib/python3.11/dist-packages"
        here = self.context.environment_packages
        for package in ("gunicorn", "packaging"):
            shutil.copytree(str(here / package), str(packages / package))
        program = self.upper / "usr/local/bin/gunicorn"
        program.parent.mkdir(parents=True)
        program.write_text(GUNICORN)
        program.chmod(0o755)

    def do_COPY(self, argument):
        source, target = argument.split()
        directory = self.upper / target.strip("/")
        directory.mkdir(parents=True, exist_ok=True)
        shutil.copy(str(self.context.directory / source), str(directory))

    def do_ENV(self, argument):
        self.environment += shlex.split(argument)

    def do_WORKDIR(self, argument):
        self.work = argument

    def do_CMD(self, argument):
        self.arguments = json.loads(argument)

    def write_configuration(self, given):
        subprocess.check_call(["runc", "spec"], cwd=str(self.directory))
        path = self.directory / "config.json"
        spec = json.loads(path.read_text())
        process, linux = spec["process"], spec["linux"]
        process.update(terminal=False, args=self.arguments, cwd=self.work)
        process["env"] = self.environment
        spec["hostname"] = given["--hostname"]
        spec["root"] = {"path": str(self.directory / "root"), "readonly": False}
        spec["root"]["readonly"] = given.get("--read-only", False)
        tmpfs = {"destination": given["--tmpfs"], "type": "tmpfs", "source": "tmpfs"}
        source, target = given["--volume"].split(":")
        source = source.replace("$PWD", str(self.context.directory))
        bind = {"destination": target, "type": "bind", "source": source}
        spec["mounts"] += [tmpfs, dict(bind, options=["rbind", "rw"])]
        # Without a network of its own, its ports are published.
        linux["namespaces"] = [n for n in linux["namespaces"] if n["type"] != "network"]
        size, unit = re.match(r"(\d+)([kmg])$", given["--memory"]).groups()
        linux["resources"]["memory"] = {"limit": int(size) * SIZES[unit]}
        path.write_text(json.dumps(spec))

    def start(self, tree, log):
        command = ["unshare", "--mount", "sh", "-c", IN_LAYER, "sh"]
        command += [str(tree), str(self.directory), self.name]
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, close_fds=True
        )

    def stop(self, process):
        run = ["runc", "--root", str(self.directory / "run")]
        subprocess.call(run + ["kill", self.name, "KILL"], stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=20)
        finally:
            process.kill()
            process.wait()
            subprocess.call(
                run + ["delete", "--force", self.name], stderr=subprocess.DEVNULL
            )


def obstacle(tree):
    """Why no container can run here, or None."""
    if shutil.which("runc") is None:
        return "there is no runc"
    if os.getuid() != 0:
        return "not root"
    if not (tree / ".bootstrapped").exists():
        return "there is no Debian 12 in build/systems (scripts/systems)"
    return None
