#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what a ctest run skipped and why, what failed, and one closing line.

usage: test_summary.py REPORT.xml…   (ctest --output-junit)
"""

import re
import sys
import xml.etree.ElementTree as ElementTree

NOISE = re.compile(r"^\[[ =-]|^\s*$|^Note: |^Running main|: Skipped$|^$")


def reason_of(case):
    """The last line that a skipped test printed, apart from the test framework's own."""
    output = case.findtext("system-out") or ""
    lines = [line.strip() for line in output.splitlines() if not NOISE.search(line)]
    return lines[-1] if lines else "no reason given"


def summary(*roots):
    by_status = {"run": [], "fail": [], "notrun": [], "disabled": []}
    for case in (case for root in roots for case in root.iter("testcase")):
        by_status.setdefault(case.get("status"), []).append(case)
    skipped = by_status["notrun"] + by_status["disabled"]
    lines = []
    if skipped:
        lines.append(f"Skipped, with the reason ({len(skipped)}):")
        lines += [f"  {case.get('name')}: {reason_of(case)}" for case in skipped]
    if by_status["fail"]:
        lines.append(f"Failed ({len(by_status['fail'])}):")
        lines += [f"  {case.get('name')}" for case in by_status["fail"]]
    lines.append(f"{len(by_status['run'])} passed, {len(by_status['fail'])} failed, {len(skipped)} skipped")
    return lines


if __name__ == "__main__":
    print("\n".join(summary(*(ElementTree.parse(path).getroot() for path in sys.argv[1:]))))
