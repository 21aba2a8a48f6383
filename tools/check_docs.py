#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Keeps documents true to the tree: no dead relative link, every module in ARCHITECTURE.md, every
document that code cites exists, and every decision has a number of its own."""

import re
import sys

from source_tree import CPP, arguments, files, modules, report

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CITED = re.compile(r"(?<![\w/])docs/[\w./-]+\.(?:md|yaml)")
FENCE = re.compile(r"^```.*?^```", re.S | re.M)


def link_faults(root, path):
    text = FENCE.sub(lambda fence: "\n" * fence[0].count("\n"), (root / path).read_text())
    for number, line in enumerate(text.splitlines(), 1):
        for target in LINK.findall(line):
            if re.match(r"[a-z]+:|#", target):
                continue
            if not (root / path.parent / target.split("#")[0]).exists():
                yield f"{path}:{number}: dead link {target}"


def cited_faults(root, path):
    for number, line in enumerate((root / path).read_text().splitlines(), 1):
        for target in CITED.findall(line):
            if not (root / target).is_file():
                yield f"{path}:{number}: cites {target}, which does not exist"


def check(root):
    faults = []
    for path in files(root, ".md"):
        faults += link_faults(root, path)
    for path in files(root, *CPP, ".py", "CMakeLists.txt", ".cmake", under=("src", "cmake", "tests", "bench", "fuzz")):
        faults += cited_faults(root, path)
    architecture = root / "ARCHITECTURE.md"
    text = architecture.read_text() if architecture.is_file() else ""
    for module in modules(root):
        name = "/".join(module.folder.parts[1:])
        if module.folder.parts[:1] == ("src",) and f"`{name}`" not in text:
            faults.append(f"ARCHITECTURE.md: module `{name}` is not described")
    numbers = {}
    for path in files(root, ".md", under=("docs/decisions",)):
        number = path.name.split("-")[0]
        if not re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path.name):
            faults.append(f"{path}:1: decisions are named NNNN-title.md")
        elif number in numbers:
            faults.append(f"{path}:1: number {number} is taken by {numbers[number]}")
        numbers[number] = path.name
    return faults


if __name__ == "__main__":
    sys.exit(report(check(arguments(__doc__).parse_args().root)))
