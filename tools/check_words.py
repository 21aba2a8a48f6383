#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses names and words that rot a tree, each with what to write in its place."""

import re
import sys

from source_tree import CPP, arguments, files, is_test, report, without_comments

FOLDERS = {"util", "utils", "common", "helper", "helpers", "misc", "manager", "experimental", "shared"}
TEXT = (".h", ".cc", ".py", ".bash", ".cmake", ".txt", ".md", ".toml", ".yaml", ".json", ".js", ".mjs", "dev", "run")

ANYWHERE = (
    (re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b"), "finish it, or file an issue"),
    (re.compile(r"(?<![\w./])/(work|home|root|Users)/\w"), "a path of one machine"),
    (re.compile(r"(?<![\w./])/tmp/\w"), "a fixed path in /tmp: make a temporary folder"),
)
IN_CPP = (
    (re.compile(r"\bstd::rand\b|\bsrand\("), "take a Random, so that a seed decides"),
    (re.compile(r"\busing namespace std;"), "name what is used"),
    (re.compile(r"(?<![\w_])assert\("), "HM_CHECK holds in every build"),
    (re.compile(r"\bthrow\b"), "our code throws nothing: return a Result"),
    (re.compile(r"\bstd::(cout|cerr)\b"), "log, or the CLI's own output"),
)


def check(root):
    faults = []
    for path in files(root):
        banned = FOLDERS.intersection(path.parts[:-1])
        if banned:
            faults.append(f"{path}: folder name {sorted(banned)[0]} says nothing")
        if not path.name.endswith(TEXT) or path.parts[0] == "fuzz" and "corpus" in path.parts:
            continue
        text = (root / path).read_text(errors="replace")
        rules = list(ANYWHERE)
        clean = text
        if path.suffix in CPP:
            clean = without_comments(text)
        for number, (line, bare) in enumerate(zip(text.split("\n"), clean.split("\n")), 1):
            for pattern, reason in rules:
                if pattern.search(line):
                    faults.append(f"{path}:{number}: '{pattern.search(line)[0]}': {reason}")
            if path.suffix in CPP and path.parts[0] == "src" and not is_test(path):
                for pattern, reason in IN_CPP:
                    if pattern.search(bare):
                        faults.append(f"{path}:{number}: '{pattern.search(bare)[0]}': {reason}")
    return faults


if __name__ == "__main__":
    sys.exit(report(check(arguments(__doc__).parse_args().root)))
