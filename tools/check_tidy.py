#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy 19 over translation units, given a build folder with compile_commands.json.

Without FILEs it takes the modules of BOUNDED, the part that runs in every `tools/dev test`;
--all takes every unit of src/.
"""

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from source_tree import arguments, report

TOOL = "clang-tidy-19"
# Where a slip costs most and a unit is quick to analyse: what decodes, signs and votes.
BOUNDED = ("src/foundation/codec/", "src/foundation/crypto/", "src/core/identity/", "src/core/proofs/")
FINDING = re.compile(r"^(/[^:\n]+):(\d+):\d+: (?:warning|error): (.*)$", re.M)


def units(root, build):
    """Translation units of the build, relative to root, tests left out."""
    commands = json.loads((build / "compile_commands.json").read_text())
    paths = {os.path.relpath(command["file"], root) for command in commands}
    return sorted(p for p in paths if p.startswith("src/") and not p.endswith("_test.cc"))


def examine(root, build, unit):
    command = [TOOL, "--quiet", "-p", str(build), "--extra-arg=-Wno-unknown-warning-option",
               "--extra-arg=-Wno-error", str(root / unit)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    found = [f"{os.path.relpath(path, root)}:{line}: {what}" for path, line, what in FINDING.findall(done.stdout)]
    if done.returncode != 0 and not found:
        found.append(f"{unit}:1: {TOOL} failed: {(done.stderr or done.stdout).strip()[-400:]}")
    return found


def check(root, build, chosen):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda unit: examine(root, build, unit), chosen)
    return sorted({fault for faults in results for fault in faults})


if __name__ == "__main__":
    parser = arguments(__doc__)
    parser.add_argument("--build", type=Path, required=True, help="folder with compile_commands.json")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("files", nargs="*", metavar="FILE")
    options = parser.parse_args()
    chosen = options.files or [
        unit for unit in units(options.root, options.build) if options.all or unit.startswith(BOUNDED)
    ]
    sys.exit(report(check(options.root, options.build.resolve(), chosen)))
