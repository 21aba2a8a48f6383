# SPDX-License-Identifier: Apache-2.0
"""Objects across six real nodes of six owners on this machine: how fast files go there and come back,
with every node well, with one stopped and with two killed; many small files; two versions of a source
tree; and next to it what restic and openssl with cp take for the same file.

usage: bench_objects.py [--megabytes N] [--files N] [--rounds N] [--json]

All processes share the processors and one disk. Every figure is wall time, the median of the rounds,
with the lowest and highest. Memory is the highest resident set of a process since it started.
"""

import argparse
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))
from mesh import BINARY, Mesh, run, wait_until  # noqa: E402

NODES = 6
TENANT = 0
MAX_SMALL = 16 << 10
VERSIONS = ("HEAD~30", "HEAD")


def timed(action):
    began = time.monotonic()
    action()
    return time.monotonic() - began


def quietly(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} {command[1]}: exit {done.returncode}: {done.stderr[-500:]} {done.stdout[-500:]}")
    return done


def memory(pid, field):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) >> 10
    return 0


def highest_memory(pid):
    return memory(pid, "VmHWM:")


def machine():
    model = next((line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), "unknown")
    return f"{os.cpu_count()} processors {model}, Linux {os.uname().release}"


class Figures:
    def __init__(self, as_json):
        self.as_json = as_json
        self.rows = []

    def rate(self, what, megabytes, seconds):
        rates = sorted(megabytes / each for each in seconds)
        self.add(what, statistics.median(rates), "MB/s", rates[0], rates[-1])

    def add(self, what, value, unit, lowest=None, highest=None):
        self.rows.append({"what": what, "value": round(value, 3), "unit": unit, "lowest": lowest, "highest": highest})
        spread = f"   ({lowest:.0f} to {highest:.0f})" if lowest is not None else ""
        if not self.as_json:
            print(f"  {what:<52} {value:10.1f} {unit}{spread}", flush=True)

    def say(self, text):
        if not self.as_json:
            print(text, flush=True)


class Bench:
    def __init__(self, mesh, given, figures):
        self.mesh = mesh
        self.given = given
        self.figures = figures
        self.folder = mesh.folder / "bench"
        self.folder.mkdir()
        node = mesh.nodes[TENANT]
        self.token = (Path(node["dir"]) / "keys/admin.token").read_text().strip()
        self.api = node["api"] if node["api"].startswith("http") else f"http://{node['api']}"

    def lend(self):
        for index in range(NODES):
            self.mesh.cli(index, "share", "storage", "50%", "--with", "anyone", "--level", "full_public", "-y", "--price", 0)
        self.mesh.cli(TENANT, "allow", "10")
        wait_until(lambda: len(self.mesh.json(TENANT, "grants", "--to-me")["grants"]) >= NODES - 1, "grants are there")

    def file(self, name, megabytes):
        path = self.folder / name
        with path.open("wb") as out:
            for _ in range(megabytes):
                out.write(random.randbytes(1 << 20))
        return path

    # Over the HTTP API, without the command line's process and its hash of the whole.
    def upload(self, path, name):
        quietly("curl", "-sS", "--fail-with-body", "-T", path, "-H", f"Authorization: Bearer {self.token}",
                "-H", "Content-Type: application/octet-stream",
                f"{self.api}/api/v1/objects/content?name={name}&sharing=alone&compress=never")

    def download(self, name):
        quietly("curl", "-sS", "--fail", "-o", "/dev/null", "-H", f"Authorization: Bearer {self.token}",
                f"{self.api}/api/v1/objects/content?name={name}")

    def large(self):
        megabytes = self.given.megabytes
        self.figures.say(f"one file of {megabytes} MB, random bytes; every node well")
        path = self.file("large", megabytes)
        puts, gets = [], []
        for number in range(self.given.rounds):
            puts.append(timed(lambda: self.upload(path, f"api-{number}")))
            gets.append(timed(lambda: self.download(f"api-{number}")))
        self.figures.rate("put, HTTP API", megabytes, puts)
        self.figures.rate("get, HTTP API", megabytes, gets)
        puts, gets = [], []
        for number in range(self.given.rounds):
            puts.append(timed(lambda: self.cli("put", "--private", "--no-compress", "--as", f"cli-{number}", path)))
            gets.append(timed(lambda: self.cli("get", f"cli-{number}", "--force", "-o", self.folder / "back")))
        self.figures.rate("put, command line (hashes the whole)", megabytes, puts)
        self.figures.rate("get, command line (to disk, hashes the whole)", megabytes, gets)
        for index, node in enumerate(self.mesh.nodes):
            who = "tenant's node" if index == TENANT else f"node {index}"
            self.figures.add(f"highest resident set, {who}", highest_memory(node["pid"]), "MB")
        return path

    def cli(self, *arguments):
        run("--api", self.mesh.nodes[TENANT]["api"], *arguments, timeout=900)

    def impaired(self):
        megabytes = self.given.megabytes
        stopped = self.mesh.nodes[NODES - 1]["pid"]
        self.figures.say("the same file; one node stopped (SIGSTOP)")
        os.kill(stopped, signal.SIGSTOP)
        try:
            self.figures.rate("get, HTTP API", megabytes, [timed(lambda: self.download("api-0"))])
            path = self.folder / "large"
            first = timed(lambda: self.upload(path, "stopped-0"))
            self.figures.rate("put, HTTP API, the first (until it counts as lost)", megabytes, [first])
            self.figures.rate("put, HTTP API, the next", megabytes, [timed(lambda: self.upload(path, "stopped-1"))])
        finally:
            os.kill(stopped, signal.SIGCONT)
        self.figures.say("one node killed, then two")
        for count, index in ((1, NODES - 1), (2, NODES - 2)):
            self.mesh.kill(index)
            gets = [timed(lambda: self.download("api-0")) for _ in range(self.given.rounds)]
            self.figures.rate(f"get, HTTP API, {count} killed", megabytes, gets)
        self.mesh.up()

    def small(self):
        count = self.given.files
        self.figures.say(f"{count} files of 1 byte to 16 KiB in one folder")
        folder = self.folder / "small"
        total = 0
        for number in range(count):
            part = folder / f"{number // 1000:03}"
            part.mkdir(parents=True, exist_ok=True)
            size = 1 + number * 7919 % MAX_SMALL
            (part / f"{number}").write_bytes(random.randbytes(size))
            total += size
        tenant = self.mesh.nodes[TENANT]["pid"]
        before = memory(tenant, "VmRSS:")
        seconds = timed(lambda: self.cli("put", folder))
        self.figures.add("put", count / seconds, "files/s")
        self.figures.add("put", total / seconds / 1e6, "MB/s")
        seconds = timed(lambda: self.cli("ls", "-R", "small/", "--json"))
        self.figures.add(f"list of all {count} names", seconds, "s")
        growth = max(0, memory(tenant, "VmRSS:") - before)
        self.figures.add("growth of the tenant's node's resident set", growth, "MB")
        self.figures.add("highest resident set of the tenant's node", highest_memory(tenant), "MB")
        data = sum(f.stat().st_size for f in (Path(self.mesh.nodes[TENANT]["dir"]) / "data/objects").rglob("*")
                   if f.is_file())
        self.figures.add("catalogue on disk, of all objects", data / 1e6, "MB")
        self.figures.add("catalogue on disk, for each of these objects at most", data / count, "bytes")

    def versions(self):
        self.figures.say(f"this repository's source at {VERSIONS[0]} and {VERSIONS[1]}, file by file")
        shared = plain = 0
        contents = []
        for number, version in enumerate(VERSIONS):
            folder = self.folder / f"version-{number}"
            folder.mkdir()
            archive = subprocess.run(["git", "-C", HERE.parent, "archive", version], capture_output=True, check=False)
            if archive.returncode != 0:
                self.figures.say("  there is no such history here")
                return
            subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
            contents.append([each.read_bytes() for each in folder.rglob("*") if each.is_file()])
            done = run("--api", self.mesh.nodes[TENANT]["api"], "put", folder, "--json", timeout=600)
            report = json.loads(done.stdout)
            shared, plain = report.get("shared_bytes", 0), report.get("plain_bytes", 1)
        first = set(contents[0])
        equal = sum(len(each) for each in contents[1] if each in first)
        self.figures.add("of the second, in files that the first has, too", 100 * equal / plain, "%")
        self.figures.add("of the second, stored already", 100 * shared / plain, "%")

    def others(self, path):
        megabytes = self.given.megabytes
        self.figures.say("other programs, the same file, the same disk")
        seconds = []
        for _ in range(self.given.rounds):
            sealed = self.folder / "sealed"
            seconds.append(timed(lambda: quietly(
                "sh", "-c", f"openssl enc -aes-256-ctr -pbkdf2 -pass pass:x -in '{path}' -out '{sealed}' && "
                            f"cp '{sealed}' '{sealed}.copy' && sync '{sealed}.copy'")))
        self.figures.rate("openssl enc and cp (no parity, one copy)", megabytes, seconds)
        if not shutil.which("restic"):
            self.figures.say("  restic is not installed")
            return
        puts, gets = [], []
        for number in range(self.given.rounds):
            where = {"env": {**os.environ, "RESTIC_REPOSITORY": str(self.folder / f"restic-{number}"),
                             "RESTIC_PASSWORD": "x", "HOME": str(self.folder)}}
            quietly("restic", "init", **where)
            puts.append(timed(lambda: quietly("restic", "backup", "--compression", "off", path, **where)
                              if self.restic_compresses() else quietly("restic", "backup", path, **where)))
            back = self.folder / "restic-back"
            gets.append(timed(lambda: quietly("restic", "restore", "latest", "--target", back, **where)))
            shutil.rmtree(back)
            shutil.rmtree(self.folder / f"restic-{number}")
        self.figures.rate("restic backup (no parity, one copy)", megabytes, puts)
        self.figures.rate("restic restore", megabytes, gets)

    @staticmethod
    def restic_compresses():
        return "--compression" in subprocess.run(["restic", "backup", "--help"], capture_output=True, text=True).stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    figures = Figures(given.json)
    build = Path(BINARY).parent.name
    figures.say(f"{machine()}; build {build}; {NODES} nodes, one disk, MB are 2^20 bytes")
    with Mesh(nodes=NODES) as mesh:
        bench = Bench(mesh, given, figures)
        bench.lend()
        path = bench.large()
        bench.impaired()
        bench.versions()
        bench.small()
        bench.others(path)
    if given.json:
        print(json.dumps({"machine": machine(), "build": build, "nodes": NODES, "figures": figures.rows}))


if __name__ == "__main__":
    main()
