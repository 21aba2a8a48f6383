#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares every C++ file with what clang-format 19 makes of it; --fix writes it."""

import re
import shutil
import subprocess
import sys

from source_tree import CPP, arguments, files, report

TOOL = "clang-format-19"
FINDING = re.compile(r"^(.*?:\d+):\d+: (?:error|warning): ", re.M)


def check(root, fix=False):
    paths = [str(path) for path in files(root, *CPP, under=("src", "fuzz", "bench", "tests"))]
    if not paths:
        return []
    if not shutil.which(TOOL):
        return [f"{TOOL} is missing: tools/dev setup installs it"]
    mode = ["-i"] if fix else ["--dry-run", "--Werror"]
    done = subprocess.run([TOOL, "--style=file", *mode, *paths], cwd=root, capture_output=True, text=True)
    places = dict.fromkeys(place.rsplit(":", 1)[0] for place in FINDING.findall(done.stderr))
    faults = [f"{place}: not formatted: tools/dev format" for place in places]
    if done.returncode != 0 and not faults:
        faults.append(f"{TOOL} failed: {done.stderr.strip()}")
    return faults


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--fix", action="store_true")
    options = parser.parse_args()
    sys.exit(report(check(options.root, options.fix)))
