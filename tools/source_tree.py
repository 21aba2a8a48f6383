# SPDX-License-Identifier: Apache-2.0
"""What the checks look at: the files of the tree, C++ without comments, and the CMake words.

Every check is a program `check_<name>.py [--root DIR]` that prints `path:line: what` per fault and
exits 1 if there is one. The root is an argument so that each check's test can plant faults in a
small tree of its own.
"""

import argparse
import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
SKIPPED_FOLDERS = {".git", ".cache", "build", "node_modules", "__pycache__"}
CPP = (".h", ".cc")


@dataclass
class Module:
    """One hm_module / hm_program / hm_bench / hm_fuzz_target call."""

    word: str
    name: str
    folder: Path  # relative to the root
    lists: dict = field(default_factory=dict)

    def get(self, keyword):
        return self.lists.get(keyword, [])


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", type=Path, default=HERE, help="the tree to check")
    return parser


def files(root, *suffixes, under=("",)):
    """Paths relative to root, sorted, of files with one of these suffixes (all if none)."""
    found = []
    for start in under:
        for folder, subfolders, names in os.walk(root / start):
            subfolders[:] = sorted(f for f in subfolders if f not in SKIPPED_FOLDERS)
            found += [
                (Path(folder) / name).relative_to(root)
                for name in names
                if not suffixes or name.endswith(suffixes)
            ]
    return sorted(found)


def is_test(path):
    return path.name.endswith(("_test.cc", "_test.py", "_test.h")) or path.parts[0] == "tests"


COMMENT_OR_LITERAL = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S
)


def without_comments(text):
    """C++ with comments blanked and literals emptied; line numbers stay."""

    def blank(match):
        found = match.group(0)
        lines = "\n" * found.count("\n")
        if found.startswith("'") and match.start() > 0 and text[match.start() - 1].isalnum():
            return found  # A digit separator, 1'000'000.
        return lines if found.startswith("/") else '""' + lines

    return COMMENT_OR_LITERAL.sub(blank, text)


CALL = re.compile(r"\b(hm_module|hm_program|hm_bench|hm_fuzz_target)\(([^()]*)\)")
KEYWORDS = {
    "HEADERS", "SOURCES", "TESTS", "DEPENDS", "LIBRARIES",
    "TEST_DEPENDS", "TEST_LIBRARIES", "TEST_TIMEOUT",
}


def modules(root):
    """Every call of our CMake words outside cmake/."""
    found = []
    for path in files(root, "CMakeLists.txt"):
        text = re.sub(r"#[^\n]*", "", (root / path).read_text())
        for word, body in CALL.findall(text):
            tokens = body.split()
            module = Module(word, tokens[0], path.parent)
            keyword = None
            for token in tokens[1:]:
                if token in KEYWORDS:
                    keyword = token
                else:
                    module.lists.setdefault(keyword, []).append(token)
            found.append(module)
    return found


def report(faults):
    """Prints the faults and gives the exit code."""
    for fault in faults:
        print(fault)
    if faults:
        print(f"{Path(sys.argv[0]).name}: {len(faults)} fault{'s' if len(faults) > 1 else ''}")
    return 1 if faults else 0
