# SPDX-License-Identifier: Apache-2.0
"""One command gives four separate processes that agree; repeating it and stopping twice is safe."""

import os
from pathlib import Path

import mesh
from mesh import Mesh, is_alive, require, run, say, wait_until


def test():
    with Mesh(nodes=4) as four:
        say("mesh.json describes four nodes, each with keys, folders and port numbers of its own")
        require(len(four.nodes) == 4, f"four nodes: {four.nodes}")
        for key in ("name", "owner", "pid", "api", "stoq", "dir"):
            values = [node[key] for node in four.nodes]
            require(len(set(values)) == 4, f"four different values of {key}: {values}")
        for node in four.nodes:
            require(is_alive(node["pid"]), f"{node['name']} is a live process")
            executable = os.readlink(f"/proc/{node['pid']}/exe")
            require(Path(executable).name == "hypermesh", f"{executable} is the program")
            require(Path(node["dir"]).is_dir(), f"{node['dir']} is its data folder")

        say("all four know one chain, three peers each and four validators")
        wait_until(lambda: all(four.status(i)["peers"] == 3 for i in range(4)), "three peers each")
        four.wait_for_height(1)
        for i in range(4):
            status = four.status(i)
            require(status["chain_id"] == four.chain_id, f"one chain: {status}")
            require(status["validators"] == 4, f"four validators: {status}")

        say("key files are for their owner alone")
        keys = [path for path in Path(four.dir).rglob("*key*") if path.is_file()]
        require(keys, "there are key files")
        for path in keys:
            require(path.stat().st_mode & 0o077 == 0, f"{path} has mode {oct(path.stat().st_mode)}")

        say("repeating the command starts nothing twice")
        pids = [node["pid"] for node in four.nodes]
        four.up()
        require([node["pid"] for node in four.nodes] == pids, "the same four processes")

        say("stopping ends every process, and stopping again is no error")
        four.down()
        wait_until(lambda: not any(map(is_alive, pids)), "all four are gone")
        four.down()

        say("a node that does not run is reported with exit code 3")
        done = run("--api", four.nodes[0]["api"], "status", check=False)
        require(done.returncode == 3, f"exit code 3, not {done.returncode}: {done.stderr}")
        require(done.stdout == "" and len(done.stderr.splitlines()) == 3, f"what, why, to do: {done.stderr}")


if __name__ == "__main__":
    mesh.main(test)
