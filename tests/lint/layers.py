# SPDX-License-Identifier: MIT
"""layers.py ROOT: a file includes lower ranks of its own tower, or its own directory.

CONTRIBUTING.md, Layers, has the picture. An include names its directory, so that the
first lines of a file tell what it depends on. x.c and x.h are one module, and no module
includes itself through others.
"""

import os
import re
import sys

import tree

# folder of src/: rank, and the side of the dump file that it lives on
TRACED, OFFLINE, BOTH = "traced process", "offline", "both"
LAYERS = {
    "base": (0, BOTH),
    "dump": (1, BOTH),
    "control": (1, BOTH),
    "stack": (1, TRACED),
    "trace": (2, TRACED),
    "event": (3, TRACED),
    "hooks": (4, TRACED),
    "tracing": (5, TRACED),
    "module": (6, TRACED),
    "preload": (7, TRACED),
    "collection": (1, OFFLINE),
    "output": (2, OFFLINE),
    "merge": (2, OFFLINE),
    "process": (3, OFFLINE),
    "profile": (3, OFFLINE),
    "symbols": (3, OFFLINE),
    "leak": (4, OFFLINE),
    "show": (5, OFFLINE),
    "export": (6, OFFLINE),
    "cli": (7, OFFLINE),
}
PLACES = ("src/", "include/")
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def may_include(folder, other):
    """Whether a file in src/folder may include one of src/other."""
    rank, side = LAYERS[folder]
    other_rank, other_side = LAYERS[other]
    return folder == other or (other_rank < rank and other_side in (BOTH, side))


def problem_of_include(folder, name, files):
    """What is wrong with including name in a file of src/folder, or None."""
    if "include/" + name in files:
        return None
    if "src/" + name not in files:
        return "is neither a file of src/ by its folder nor one of include/"
    other = name.split("/")[0]
    if other in LAYERS and not may_include(folder, other):
        return "is not below %s/" % folder
    return None


def find_cycle(graph):
    """The modules of one include cycle, or None."""
    finished = set()

    def visit(path, trail):
        if path in trail:
            return trail[trail.index(path) :] + [path]
        if path in finished:
            return None
        for following in sorted(graph[path]):
            found = visit(following, trail + [path])
            if found:
                return found
        finished.add(path)
        return None

    return next(filter(None, (visit(path, []) for path in graph)), None)


def problems(root):
    files = tree.c_files(root, ["src", "include"])
    modules = {os.path.splitext(path)[0] for path in files}
    found, graph = [], {}
    for path in files:
        names = INCLUDE.findall(tree.read(root, path))
        module = os.path.splitext(path)[0]
        graph.setdefault(module, set()).update(
            other
            for name in names
            for other in (place + os.path.splitext(name)[0] for place in PLACES)
            if other != module and other in modules
        )
        if not path.startswith("src/"):
            continue
        folder = path.split("/")[1]
        if folder not in LAYERS:
            found.append("%s: src/%s has no rank" % (path, folder))
            continue
        for name in names:
            wrong = problem_of_include(folder, name, files)
            if wrong:
                found.append('%s: "%s" %s' % (path, name, wrong))
    cycle = find_cycle(graph)
    if cycle:
        found.append("include cycle: " + " > ".join(cycle))
    if not files:
        found.append("no C files below %s" % root)
    return found


if __name__ == "__main__":
    tree.report(problems(sys.argv[1]))
