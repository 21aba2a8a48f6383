# SPDX-License-Identifier: Apache-2.0
"""A mesh of real processes in a temporary folder, for end-to-end tests.

    with Mesh(nodes=4) as mesh:
        print(mesh.status(0)["height"])

Starts with `hypermesh dev --detach`, ends every process that it started, and keeps the logs of a
failed test. A verdict never depends on a timing: wait_until() has a generous limit, and what a
step took is printed.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

BINARY = os.environ.get("HYPERMESH_BIN", str(Path(__file__).parent.parent / "build/release/hypermesh"))
SKIPPED = 77  # CTest's SKIP_RETURN_CODE; the last line printed is the reason.
PATIENCE_S = 60  # For a hung step on a busy machine; healthy ones take milliseconds.


def skip(reason):
    print(reason)
    sys.exit(SKIPPED)


def say(text):
    print(f"[{time.monotonic():.2f}] {text}", flush=True)


def require(condition, text):
    """An assertion that python -O keeps, with the claim as its message."""
    if not condition:
        raise AssertionError(text)


def wait_until(question, what, limit_s=PATIENCE_S):
    """Polls until question() is true-ish, says how long it took, and gives the answer."""
    begin = time.monotonic()
    while True:
        answer = question()
        took = time.monotonic() - begin
        if answer:
            say(f"{what}: after {took:.2f} s")
            return answer
        if took > limit_s:
            raise AssertionError(f"{what}: not within {limit_s} s")
        time.sleep(0.02)


def run(*arguments, check=True, stdin=None, env=None, timeout=PATIENCE_S):
    """Runs the program; gives the completed process with text output."""
    done = subprocess.run(
        [BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, input=stdin or "",
        env={**os.environ, "NO_COLOR": "1", **(env or {})},
    )
    if check and done.returncode != 0:
        raise AssertionError(f"hypermesh {' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stderr}")
    return done


def is_alive(pid):
    """Also while only some of its threads have ended: until the last one has, it holds its files."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return False
    for thread in threads:
        try:
            if (thread / "stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX":
                return True
        except (FileNotFoundError, ProcessLookupError):
            pass
    return False


class Mesh:
    def __init__(self, nodes=4):
        self.count = nodes
        self.folder = Path(tempfile.mkdtemp(prefix="hypermesh-e2e-"))
        self.dir = self.folder / "mesh"
        self.nodes = []
        self.chain_id = ""
        self.pids = set()

    def __enter__(self):
        try:
            self.up()
        except BaseException as error:
            self.__exit__(type(error))
            raise
        return self

    def __exit__(self, kind, *_):
        run("dev", "stop", "--dir", self.dir, check=False)
        for pid in self.pids:
            if is_alive(pid):
                os.kill(pid, signal.SIGKILL)
        if kind is None:
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            self.show_logs()

    def show_logs(self):
        for log in sorted(self.dir.glob("*/log")):
            if log.is_file():
                lines = log.read_text(errors="replace").splitlines()[-15:]
                print(f"--- {log}\n" + "\n".join(lines), file=sys.stderr)

    def up(self):
        """Starts the mesh, or those of its nodes that do not run."""
        run("dev", "--nodes", self.count, "--dir", self.dir, "--detach", "--json", timeout=120)
        described = json.loads((self.dir / "mesh.json").read_text())
        self.nodes, self.chain_id = described["nodes"], described["chain_id"]
        self.pids |= {node["pid"] for node in self.nodes}

    def down(self):
        run("dev", "stop", "--dir", self.dir)

    def index_of(self, name):
        return next(i for i, node in enumerate(self.nodes) if node["name"] == name)

    def alive(self):
        return [i for i, node in enumerate(self.nodes) if is_alive(node["pid"])]

    def kill(self, index):
        """SIGKILL: the process gets no chance to tidy up."""
        pid = self.nodes[index]["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(pid), f"{self.nodes[index]['name']} is gone")

    # The command line, asked of one node.

    def cli(self, index, *arguments, check=True):
        return run("--api", self.nodes[index]["api"], *arguments, check=check)

    def json(self, index, *arguments):
        return json.loads(self.cli(index, *arguments, "--json").stdout)

    def status(self, index):
        return self.json(index, "status")

    # HTTP, without the program.

    def url(self, index, path):
        api = self.nodes[index]["api"]
        return (api if api.startswith("http") else f"http://{api}") + path

    def http(self, index, path, body=None, method=None, headers=None, timeout=10):
        """(status, decoded JSON or text) of one request; any HTTP status is an answer."""
        data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
        request = urllib.request.Request(
            self.url(index, path), data=data, method=method,
            headers={**({"Content-Type": "application/json"} if data else {}), **(headers or {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                status, text = answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read().decode()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def height(self, index):
        """Height of the last final block; -1 while the node does not answer."""
        try:
            return self.http(index, "/api/v1/consensus/state", timeout=2)[1]["height"]
        except (OSError, KeyError, TypeError):
            return -1

    def wait_for_height(self, height, indices=None, limit_s=PATIENCE_S):
        chosen = range(self.count) if indices is None else indices
        wait_until(lambda: all(self.height(i) >= height for i in chosen),
                   f"height {height} on {len(list(chosen))} nodes", limit_s)


def main(test):
    """Runs test(); prints which binary it used."""
    if not Path(BINARY).is_file():
        print(f"no program at {BINARY}: tools/dev build", file=sys.stderr)
        sys.exit(1)
    test()
    say("passed")
