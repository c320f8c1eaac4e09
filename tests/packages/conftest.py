# SPDX-License-Identifier: MIT
"""What the tests of packages share: other systems, and the packages themselves.

scripts/test-packages sets the environment: TRACEMALLOC_TEST_SYSTEMS is the directory
that scripts/systems filled, TRACEMALLOC_TEST_PACKAGES the one with the built packages,
TRACEMALLOC_TEST_ALL_SYSTEMS=1 asks for what takes minutes too.
"""

import glob
import os
import pathlib
import subprocess
import tarfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TIMEOUT = 300
SUITES = ["bullseye", "bookworm", "trixie", "sid"]
IS_ALL = os.environ.get("TRACEMALLOC_TEST_ALL_SYSTEMS") == "1"

# Runs "$@" in the tree $1, in a layer above it, so that the tree stays as it is. All
# that is mounted is gone with the process.
IN_LAYER = r"""
tree=$1 layer=$2 binds=$3
shift 3
mkdir -p "$layer/upper" "$layer/work" "$layer/root" "$layer/tmp"
chmod 1777 "$layer/tmp"
mount -t overlay layer "$layer/root" \
    -o "lowerdir=$tree,upperdir=$layer/upper,workdir=$layer/work" || exit 125
mount -t proc proc "$layer/root/proc" || exit 125
mount --rbind /dev "$layer/root/dev" || exit 125
for bind in $layer/tmp:tmp $binds; do
    mkdir -p "$layer/root/${bind#*:}"
    mount --bind "${bind%%:*}" "$layer/root/${bind#*:}" || exit 125
done
cd "$layer/root" && mkdir -p .above && pivot_root . .above || exit 125
umount -l /.above
exec "$@"
"""
NO_LAYER = 125


def run(command, **options):
    """A finished process with text output, in an environment without Python's."""
    kept = {k: v for k, v in os.environ.items() if k.endswith("_proxy")}
    kept.update(PATH="/usr/sbin:/usr/bin:/sbin:/bin", HOME="/root", LC_ALL="C.UTF-8")
    kept.update(options.pop("env", {}))
    options.setdefault("timeout", TIMEOUT)
    return subprocess.run(
        [str(part) for part in command],
        env=kept,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        universal_newlines=True,
        **options,
    )


def unpack(tarball, directory):
    """The name of the tarball's one directory, which is in `directory` now."""
    with tarfile.open(str(tarball)) as archive:
        (top,) = {name.split("/")[0] for name in archive.getnames()}
        archive.extractall(str(directory))
    return top


class System:
    """A tree with another Debian, in which one test may change what it likes."""

    def __init__(self, tree, layer):
        self.tree = tree
        self.layer = layer
        self.binds = []

    def bind(self, source, path):
        """The directory `source` of this system is `path` of that one."""
        self.binds.append("%s:%s" % (source, path))

    def run(self, *command, **options):
        in_layer = ["unshare", "--mount", "sh", "-c", IN_LAYER, "sh"]
        in_layer += [self.tree, self.layer]
        result = run(in_layer + [" ".join(self.binds), *command], **options)
        if result.returncode == NO_LAYER:
            pytest.skip("no layer can be mounted here: " + result.stderr)
        return result


@pytest.fixture
def system(tmp_path):
    """system(SUITE): the System of that release, or a skip."""

    def enter(suite):
        trees = os.environ.get("TRACEMALLOC_TEST_SYSTEMS", str(ROOT / "build/systems"))
        tree = os.path.join(trees, suite)
        if not os.path.exists(os.path.join(tree, ".bootstrapped")):
            pytest.skip("there is no Debian %s: see scripts/systems" % suite)
        if os.getuid() != 0:
            pytest.skip("not root, mounting needs it")
        return System(tree, str(tmp_path / suite))

    return enter


@pytest.fixture
def package():
    """package(PATTERN): the path of the one built package of that name, or a skip."""

    def find(pattern):
        directory = os.environ.get("TRACEMALLOC_TEST_PACKAGES", str(ROOT / "build"))
        found = glob.glob(os.path.join(directory, pattern))
        if not found:
            pytest.skip("%s was not built" % pattern)
        assert len(found) == 1, found
        return pathlib.Path(found[0])

    return find
