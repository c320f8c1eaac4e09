# SPDX-License-Identifier: MIT
"""named_files.py ROOT: each file that the documents name is there.

CONTRIBUTING's table says where a change goes; a file that was renamed since would send
its reader astray. Only paths in backquotes from the top level on are checked, and none
with a placeholder such as `src/cli/cmd_<noun>.c`.
"""

import os
import re
import sys

DOCUMENTS = ["CONTRIBUTING.md", "README.md", "SECURITY.md"]
PATH = re.compile(r"`((?:src|include|tests|scripts|man|doc)/[\w./-]*)[^`\n]*`")


def problems(root):
    """One line for each path that is not there."""
    found = []
    for document in DOCUMENTS:
        path = os.path.join(root, document)
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                for whole in PATH.finditer(line):
                    if "<" in whole[0] or os.path.exists(os.path.join(root, whole[1])):
                        continue
                    found.append("%s:%d: no %s" % (document, number, whole[1]))
    return found


if __name__ == "__main__":
    lines = problems(sys.argv[1])
    print("\n".join(lines))
    sys.exit(1 if lines else 0)
