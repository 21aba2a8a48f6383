# SPDX-License-Identifier: Apache-2.0
"""A machine of another owner joins by invitation: once, authenticated, and then follows the chain."""

import shutil
import socket
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import mesh
from mesh import Mesh, require, run, say, wait_until


def free_port():
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.bind(("::1", 0))
        return probe.getsockname()[1]


def join(code, folder, name, check=False):
    port = free_port()
    done = run("join", code, "--dir", folder, "--name", name, "--api-port", port,
               "--listen", f"[::1]:{free_port()}", check=check, timeout=120)
    return f"http://[::1]:{port}", done


def knock(address, path, body):
    """The HTTP status of a request to the listener that serves invitations."""
    data = mesh.json.dumps(body).encode() if isinstance(body, dict) else body
    request = urllib.request.Request(f"http://{address}{path}", data=data,
                                     headers={"Content-Type": "application/json"} if data else {})
    try:
        return urllib.request.urlopen(request, timeout=10).status
    except urllib.error.HTTPError as error:
        return error.code


def test():
    folder = Path(tempfile.mkdtemp(prefix="hypermesh-e2e-"))
    try:
        with Mesh(nodes=4) as four:
            code = four.cli(0, "invite").stdout.strip()
            say("a mistyped code is refused before anything is sent")
            wrong = code[:-1] + ("a" if code[-1] != "a" else "b")
            _, done = join(wrong, folder / "wrong", "wrong")
            require(done.returncode == 2 and not (folder / "wrong").exists(), f"{done}")

            say("who does not have the code gets nothing from the exchange")
            for body in ({}, {"invitation": "00" * 8, "step": "1", "sealed": "AAAA"},
                         {"invitation": "00" * 8, "step": "9", "sealed": "AAAA"}, {"invitation": 5}, b"x" * 100_000):
                status = knock(four.nodes[0]["stoq"], "/api/v1/join", body)
                require(400 <= status < 500, f"refused: {status} for {str(body)[:60]}")
            require(knock(four.nodes[0]["stoq"], "/api/v1/status", None) == 404, "nothing else is served there")

            say("a code joins one node, which follows the chain without a vote")
            api, done = join(code, folder / "joiner", "joiner", check=True)
            status = mesh.json.loads(run("--api", api, "status", "--json").stdout)
            require(status["chain_id"] == four.chain_id, f"the same chain: {status}")
            require(status["role"] == "follower", f"no vote: {status}")
            joined = next(n for n in four.json(1, "nodes")["nodes"] if n["name"] == "joiner")
            require(joined["owner"] == status["owner"] and not joined["validator"], f"{joined}")
            require(joined["owner"] not in {n["owner"] for n in four.json(1, "nodes")["nodes"]
                                            if n["name"] != "joiner"}, "an owner of its own")
            four.wait_for_height(status["height"])
            wallet = run("--api", api, "wallet", "send", "owner1", "1", check=False)
            require(wallet.returncode == 0, f"its owner signs operations: {wallet.stderr}")

            say("its hardware is on every node's ledger")
            wait_until(lambda: any(a["node"] == joined["id"] for a in four.json(2, "assets", "ls")["assets"]),
                       "assets of the newcomer")

            say("the same code does not join a second one")
            _, done = join(code, folder / "second", "second")
            require(done.returncode in (3, 4) and not (folder / "second/node.toml").exists(), f"{done}")
            require("second" not in {n["name"] for n in four.json(1, "nodes")["nodes"]}, "no second node")

            say("with its keys replaced, the same owner brings another machine")
            run("--api", api, "key", "rotate")
            (folder / "third/keys").mkdir(parents=True, mode=0o700)
            shutil.copy2(folder / "joiner/keys/owner.key", folder / "third/keys/owner.key")
            join(four.cli(0, "invite").stdout.strip(), folder / "third", "third", check=True)
            third = next(n for n in four.json(1, "nodes")["nodes"] if n["name"] == "third")
            require(third["owner"] == joined["owner"], f"the same owner: {third}")

            say("stopped and started again it catches up")
            run("down", "--dir", folder / "joiner")
            run("--api", four.nodes[0]["api"], "wallet", "send", "owner2", "1")
            height = four.status(0)["height"]
            run("up", "--dir", folder / "joiner", timeout=120)
            wait_until(lambda: mesh.json.loads(run("--api", api, "status", "--json").stdout)["height"] >= height,
                       "the newcomer has the blocks that it missed")
            run("ledger", "verify", "--dir", folder / "joiner")
            run("down", "--dir", folder / "joiner")
    finally:
        for name in ("joiner", "second", "third"):
            run("down", "--dir", folder / name, check=False)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    mesh.main(test)
