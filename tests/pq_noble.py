# SPDX-License-Identifier: Apache-2.0
"""Our post-quantum cryptography and that of the npm package @noble/post-quantum agree.

usage: pq_noble.py ORACLE [--cases N] [--seed TEXT]

ORACLE is the program pq_oracle. tools/dev setup puts the package, pinned by pq_noble/, into the
build folder; whoever has neither package nor Node.js skips.
"""

import argparse
import json
import secrets
import shutil
import subprocess
from pathlib import Path

from mesh import require, say, skip

HERE = Path(__file__).resolve().parent
PACKAGES = HERE.parent / "build/pq_noble"
PACKAGE = "@noble/post-quantum"
NODE_MIN = 18


def node():
    program = shutil.which("node")
    if not program:
        skip("missing: nodejs")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < NODE_MIN:
        skip(f"missing: nodejs {NODE_MIN} or later, here is {version}")
    return program, version


def package_version():
    installed = PACKAGES / "node_modules" / PACKAGE / "package.json"
    if not installed.is_file():
        tried = PACKAGES.is_dir()
        skip(f"missing: npm package {PACKAGE} "
             f"({'the npm registry cannot be reached' if tried else 'tools/dev setup brings it'})")
    version = json.loads(installed.read_text())["version"]
    pinned = json.loads((HERE / "pq_noble/package.json").read_text())["dependencies"][PACKAGE]
    require(version == pinned, f"{PACKAGE} {pinned} is wanted, not {version}: tools/dev setup")
    return version


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("oracle", type=Path)
    parser.add_argument("--cases", type=int, default=20)
    parser.add_argument("--seed", default=secrets.token_hex(4))
    given = parser.parse_args()
    program, node_version = node()
    version = package_version()
    say(f"{given.cases} cases against {PACKAGE} {version} on Node.js {node_version}, --seed {given.seed}")
    done = subprocess.run(
        [program, HERE / "pq_noble.mjs", given.oracle, PACKAGES, str(given.cases), given.seed],
        stdin=subprocess.DEVNULL, check=False,
    )
    require(done.returncode == 0,
            f"both agree; repeat: tests/pq_noble.py {given.oracle} --cases {given.cases} --seed {given.seed}")
    say("both agree")


if __name__ == "__main__":
    main()
