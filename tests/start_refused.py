# SPDX-License-Identifier: Apache-2.0
"""What a node must not start on is refused by name: a malformed genesis, a port number in use, the
folder of another chain, a corrupted store, a key that others may read, a full disk."""

import json
import random
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import mesh
from mesh import require, run, say, wait_until


def free_port():
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.bind(("::1", 0))
        return probe.getsockname()[1]


class OneNode:
    """A node of its own in `folder`, started and stopped by `hypermesh up` and `down`."""

    def __init__(self, folder):
        self.dir = Path(folder)
        self.api = free_port()
        self.listen = f"[::1]:{free_port()}"

    def up(self, *more):
        known = (self.dir / "node.toml").exists()
        fresh = [] if known else ["--name", "alone", "--api-port", self.api, "--listen", self.listen]
        return run("up", "--dir", self.dir, *fresh, *more, check=False, timeout=120)

    def down(self):
        run("down", "--dir", self.dir, check=False)


def refused(done, what, *words):
    require(done.returncode == 1, f"{what}: exit code 1, not {done.returncode}: {done.stderr}")
    text = done.stderr.lower()
    require(any(word in text for word in words), f"{what}: one of {words} in: {done.stderr}")
    say(f"{what}: {done.stderr.strip().splitlines()[0]}")


def damaged_inputs(node):
    genesis = node.dir / "genesis.toml"
    good = genesis.read_text()
    for what, text in {
        "a genesis that is no TOML": "[[[",
        "a genesis with a word that nobody knows": good + "\nsurprise = 1\n",
        "a genesis cut short": good[: len(good) // 2],
        "a genesis of 20 MiB": good + "#" * (20 << 20),
    }.items():
        genesis.write_text(text)
        refused(node.up(), what, "genesis")
    genesis.unlink()
    refused(node.up(), "no genesis", "genesis")
    genesis.write_text(good)

    key = node.dir / "keys/node.key"
    key.chmod(0o644)
    refused(node.up(), "a key that others may read", "node.key", "mode", "others")
    key.chmod(0o600)

    config = node.dir / "node.toml"
    good = config.read_text()
    config.write_text(good + "\nno_such_setting = true\n")
    refused(node.up(), "a setting that nobody knows", "no_such_setting")
    config.write_text(good)


def port_in_use(node):
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("::1", node.api))
        taken.listen()
        refused(node.up(), "the API's port number is in use", "in use")


def another_chain(node, folder):
    other = OneNode(folder / "other")
    require(other.up().returncode == 0, "a second mesh starts")
    other.down()
    kept = (node.dir / "genesis.toml").read_text()
    shutil.copytree(node.dir / "data", folder / "kept")
    shutil.rmtree(node.dir / "data")
    shutil.copytree(other.dir / "data", node.dir / "data")
    refused(node.up(), "the data folder of another chain", "chain")
    shutil.rmtree(node.dir / "data")
    shutil.copytree(folder / "kept", node.dir / "data")
    require((node.dir / "genesis.toml").read_text() == kept, "its genesis is untouched")
    require(node.up().returncode == 0, "with its own data it starts again")
    node.down()


def corrupted_store(node):
    chance = random.Random(3)
    tables = [p for p in (node.dir / "data").rglob("*") if p.suffix in (".sst", ".log") and p.stat().st_size > 0]
    require(tables, "the store has files")
    for path in tables:
        data = bytearray(path.read_bytes())
        for _ in range(max(20, len(data) // 50)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
    refused(node.up(), "a corrupted store", "corrupt", "damaged", "checksum", "store")


def fill(path):
    with open(path, "wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4096):
                pass
        except OSError:
            pass


def health(node):
    """What the node says of itself; None when it does not answer."""
    done = run("--api", f"http://[::1]:{node.api}", "status", "--json", check=False)
    return json.loads(done.stdout)["health"] if done.returncode == 0 else None


def full_disk(folder):
    """Something else fills the disk of a running node: it stops voting and says so, refuses to start
    by name while the disk is full, and goes on where it was when there is room."""
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], capture_output=True, text=True)
    if mounted.returncode != 0:
        say(f"full disk not tried: this user may not mount a tmpfs ({mounted.stderr.strip()})")
        return
    node = OneNode(disk / "node")
    try:
        require(node.up().returncode == 0, "a node starts on a small disk")
        wait_until(lambda: health(node) == "ok", "it has a final block")
        fill(disk / "filler")
        wait_until(lambda: health(node) in ("halted", None), "with a full disk it halts, or ends")
        node.down()
        done = node.up()
        require(done.returncode in (0, 1), f"no crash: {done.returncode}")
        say(f"a start on a full disk: {(done.stderr.strip() or 'runs').splitlines()[0]}")
        node.down()
        (disk / "filler").unlink()
        done = node.up()
        require(done.returncode == 0, f"with room again it works: {done.stderr}")
        wait_until(lambda: health(node) == "ok", "it goes on")
    finally:
        node.down()
        subprocess.run(["umount", "-l", disk], check=False)


def test():
    folder = Path(tempfile.mkdtemp(prefix="hypermesh-e2e-"))
    node = OneNode(folder / "node")
    try:
        done = node.up()
        require(done.returncode == 0, f"a good start: {done.stderr}")
        say("a second start of the same folder is no second process")
        require(node.up().returncode == 0, "it runs already")
        node.down()
        damaged_inputs(node)
        port_in_use(node)
        another_chain(node, folder)
        corrupted_store(node)
        full_disk(folder)
    finally:
        node.down()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    mesh.main(test)
