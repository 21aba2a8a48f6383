#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Demands the licence line at the head of every source file."""

import sys

from source_tree import arguments, files, report

LINE = "SPDX-License-Identifier: Apache-2.0"
SOURCES = (".h", ".cc", ".py", ".bash", ".cmake", "CMakeLists.txt", ".js", ".mjs", ".css", ".html",
           "tools/dev", ".ci/run", ".clang-tidy", ".editorconfig")


def check(root):
    faults = []
    for path in files(root):
        if not str(path).endswith(SOURCES):
            continue
        with open(root / path, errors="replace") as file:
            head = [file.readline(), file.readline()]
        if LINE not in (head[1] if head[0].startswith("#!") else head[0]):
            faults.append(f"{path}:1: the first line must hold '{LINE}'")
    return faults


if __name__ == "__main__":
    sys.exit(report(check(arguments(__doc__).parse_args().root)))
