# SPDX-License-Identifier: Apache-2.0
"""The assets on the ledger are this machine's hardware, compared with what the kernel says."""

import os
import shutil
from pathlib import Path

import mesh
from mesh import Mesh, require, say, wait_until

KINDS = {"cpu", "memory", "storage", "network"}


def proc_value(path, name):
    for line in Path(path).read_text().splitlines():
        if line.split(":")[0].strip() == name:
            return line.split(":", 1)[1].strip()
    return None


def assets_of(four, index, *filters):
    answer = four.json(index, "assets", "ls", *filters)
    require("schema" in answer, f"a schema version: {list(answer)}")
    return answer["assets"]


def check_descriptors(four, assets):
    say("processor: cores and features as in /proc")
    cpu = next(a for a in assets if a["kind"] == "cpu")
    cores = sum(a["descriptor"]["logical_cores"] for a in assets
                if a["kind"] == "cpu" and a["node"] == cpu["node"])
    require(cores == os.cpu_count(), f"{cores} logical cores, the kernel says {os.cpu_count()}")
    flags = set((proc_value("/proc/cpuinfo", "flags") or "").split())
    for flag, names in {"aes": ("aes", "aes-ni", "aesni", "aes_ni"), "avx2": ("avx2",)}.items():
        known = {feature.lower() for feature in cpu["descriptor"]["features"]}
        require((flag in flags) == bool(known & set(names)), f"{flag} as in /proc/cpuinfo: {sorted(known)}")

    say("memory: the total in /proc/meminfo")
    total = int(proc_value("/proc/meminfo", "MemTotal").split()[0]) * 1024
    memory = next(a for a in assets if a["kind"] == "memory")
    require(memory["descriptor"]["total_bytes"] == total, f"{memory['descriptor']} against {total}")

    say("storage: the filesystem under the data folder")
    size = shutil.disk_usage(four.nodes[0]["dir"]).total
    storage = [a for a in assets if a["kind"] == "storage"]
    require(any(a["quantity"]["detected"] == size for a in storage),
            f"{size} bytes among {[a['quantity'] for a in storage]}")


def test():
    with Mesh(nodes=4) as four:
        def complete():
            assets = assets_of(four, 0)
            per_node = {node: {a["kind"] for a in assets if a["node"] == node}
                        for node in {a["node"] for a in assets}}
            return assets if len(per_node) == 4 and all(KINDS <= k for k in per_node.values()) else None

        assets = wait_until(complete, "four nodes with cpu, memory, storage and network each")
        check_descriptors(four, assets)

        say("quantities keep detected >= offered >= available; proofs are told one by one")
        for asset in assets:
            quantity = asset["quantity"]
            require(quantity["detected"] >= quantity["offered"] >= quantity["available"], f"{asset}")
            require(set(asset["proofs"]) == {"space", "stake", "work", "time"}, f"{asset['proofs']}")
            for proof in ("space", "work"):
                require(asset["proofs"][proof]["verdict"] == "unproven", f"no audit yet: {asset['proofs']}")
        require(len({a["owner"] for a in assets}) == 4, "four owners")
        require(len({a["id"] for a in assets}) == len(assets), "ids are unique")

        say("every node tells the same assets")
        ids = {a["id"] for a in assets}
        for i in range(1, 4):
            wait_until(lambda: {a["id"] for a in assets_of(four, i)} == ids, f"node {i} knows them all")

        say("filters choose, and show finds an asset by a unique prefix")
        cpus = assets_of(four, 0, "kind=cpu")
        require({a["kind"] for a in cpus} == {"cpu"}, f"{cpus}")
        one = four.json(0, "assets", "show", cpus[0]["id"])
        require(one["asset"]["id"] == cpus[0]["id"], f"{one}")

        say("a mistyped id is refused by name")
        wrong = cpus[0]["id"][:-1] + ("0" if cpus[0]["id"][-1] != "0" else "1")
        done = four.cli(0, "assets", "show", wrong, check=False)
        require(done.returncode != 0 and done.stderr, f"refused: {done}")
        status, answer = four.http(0, f"/api/v1/assets/{wrong}")
        require(status == 400 and answer["error"]["code"], f"{status} {answer}")


if __name__ == "__main__":
    mesh.main(test)
