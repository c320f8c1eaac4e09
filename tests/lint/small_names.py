# SPDX-License-Identifier: MIT
"""small_names.py ROOT: errors and indices have one style of names (CONTRIBUTING, Code).

What holds 0 or -errno is `error`: `status` is an exit status, a wait status or a struct
stat. What counts the elements of an array is `i`: `at` is a position in bytes.
"""

import re
import sys

import tree

# Names that the rule would find and that are right, by file.
KEPT = {
    "src/base/sys.h": {"result"},  # of a system call
    "src/process/attach.c": {"status"},  # what the attached process reported
}
ERROR = re.compile(
    r"(?<![>.])\b(status|result|ret|rc|err|res)\s*"
    r"(?:(?:<|>=|<=)\s*0\b|[!=]?=\s*-E[A-Z]|= -errno)"
)
INDEX = re.compile(
    r"for \((?:size_t|int|long|unsigned|uint32_t|uint64_t|uintptr_t) (at|n|idx)\b[^)]*"
    r"(?:\1\+\+\)|\1--)"
)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def blank(match):
    """As many lines as the comment has."""
    return re.sub(r"[^\n]", " ", match.group())


def problems(root):
    found = []
    for path in tree.c_files(root, ["src"]):
        text = COMMENT.sub(blank, tree.read(root, path))
        for rule, good in ((ERROR, "error"), (INDEX, "i")):
            for match in rule.finditer(text):
                name = match.group(1)
                if name not in KEPT.get(path, ()):
                    line = text.count("\n", 0, match.start()) + 1
                    found.append("%s:%d: call %s `%s`" % (path, line, name, good))
    return found


if __name__ == "__main__":
    tree.report(problems(sys.argv[1]))
