# SPDX-License-Identifier: Apache-2.0
"""A link and a disk that appear are seen by the node at once and stand on the ledger of every node a
block later; when they vanish, so do they."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import mesh
from mesh import Mesh, require, say, skip, wait_until


def command(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True)


def seen(four, index, part):
    """Whether the node's own view of its hardware names it."""
    status, answer = four.http(index, "/api/v1/system/hardware")
    return status == 200 and any(part in item["key"] for item in answer["items"])


def on_ledger(four, index, part):
    assets = four.json(index, "assets", "ls")["assets"]
    return [a for a in assets if part in str(a["descriptor"].get("key", "")) and a["state"].lower() != "retired"]


def follow(four, what, create, remove):
    """create() gives what its key on the ledger has in it."""
    say(f"{what} appears")
    part = create()
    try:
        wait_until(lambda: seen(four, 0, part), f"{what} is in the API")
        for i in range(four.count):
            wait_until(lambda: len(on_ledger(four, i, part)) == four.count, f"{what} is on the ledger of node {i}")
        ids = {a["id"] for a in on_ledger(four, 0, part)}
        require(len(ids) == four.count, f"one asset for each of the {four.count} nodes that see it: {ids}")
    finally:
        remove()
    say(f"{what} vanishes")
    wait_until(lambda: not seen(four, 0, part), f"{what} is gone from the API")
    for i in range(four.count):
        wait_until(lambda: not on_ledger(four, i, part), f"{what} is retired on the ledger of node {i}")


def follow_link(four):
    name = f"hm{os.getpid() % 100000}"

    def create():
        done = command("ip", "link", "add", name, "type", "veth", "peer", "name", name + "p")
        require(done.returncode == 0, f"a veth pair: {done.stderr}")
        return f"link:{name}:"

    follow(four, "a link", create, lambda: command("ip", "link", "del", name))


def follow_disk(four, folder):
    image = Path(folder) / "disk"
    with open(image, "wb") as file:
        file.truncate(4 << 20)
    devices = []

    def attach():
        done = command("losetup", "--find", "--show", str(image))
        require(done.returncode == 0, f"a loop device: {done.stderr}")
        devices.append(done.stdout.strip())
        return f"disk:{Path(devices[0]).name}"

    follow(four, "a disk", attach, lambda: [command("losetup", "--detach", device) for device in devices])


def test():
    if os.geteuid() != 0:
        skip("missing: root, to make links and disks")
    for program in ("ip", "losetup"):
        if not shutil.which(program):
            skip(f"missing: the program {program}")
    probe = f"hmt{os.getpid() % 100000}"
    if command("ip", "link", "add", probe, "type", "veth", "peer", "name", probe + "p").returncode != 0:
        skip("missing: veth links")
    command("ip", "link", "del", probe)
    if command("losetup", "--find").returncode != 0:
        skip("missing: loop devices")
    with tempfile.TemporaryDirectory(prefix="hypermesh-e2e-") as folder, Mesh(nodes=4) as four:
        wait_until(lambda: len({a["node"] for a in four.json(0, "assets", "ls")["assets"]}) == 4,
                   "four nodes have registered what they have")
        follow_link(four)
        follow_disk(four, folder)


if __name__ == "__main__":
    mesh.main(test)
