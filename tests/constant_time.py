# SPDX-License-Identifier: Apache-2.0
"""Memcheck finds no branch and no address that depends on a secret; of a canary, it finds one.

usage: constant_time.py PROGRAM CASE BACKEND
"""

import shutil
import subprocess
import sys

from mesh import require, say, skip

REPORTED = 99
PLANTED = {  # case -> what memcheck says of it, and where it is
    "canary_branch": ("Conditional jump or move depends on uninitialised value", "branch_on_secret"),
    "canary_index": ("Use of uninitialised value", "index_by_secret"),
}


def main(program, case, backend):
    valgrind = shutil.which("valgrind")
    if not valgrind:
        skip("valgrind is not installed")
    done = subprocess.run(
        [valgrind, "--tool=memcheck", "--quiet", f"--error-exitcode={REPORTED}", program, case, backend],
        capture_output=True,
        text=True,
    )
    print(done.stdout + done.stderr, flush=True)
    if done.returncode == 77:
        skip(done.stdout.strip())
    if "debuginfo reader" in done.stderr:
        skip("this valgrind is older than the compiler's debug information")
    if case in PLANTED:
        fault, function = PLANTED[case]
        require(done.returncode == REPORTED, f"exit code {REPORTED}, not {done.returncode}")
        require(fault in done.stderr and function in done.stderr, f"'{fault}' is reported in {function}")
        say("the planted fault is reported")
    else:
        require(done.returncode == 0, f"exit code 0, not {done.returncode}: nothing is reported")
        say("nothing depends on a secret")


if __name__ == "__main__":
    main(*sys.argv[1:])
