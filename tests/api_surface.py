# SPDX-License-Identifier: Apache-2.0
"""What the documents say of the API is so: every path answers, errors have one shape, metrics
satisfy promtool, streams tell of blocks, writes need a right."""

import json
import shutil
import subprocess
import urllib.request
from pathlib import Path

import mesh
from mesh import Mesh, require, say
from operations import Owner

DOCUMENT = Path(__file__).parent.parent / "docs/api/openapi.json"


def check_document(four, document):
    say("the node serves the document of this tree")
    status, served = four.http(0, "/api/v1/openapi.json")
    require(status == 200 and served == document, "the same document")

    say("every path of reading answers, and knows nothing of an id that is not there")
    asset = four.json(0, "assets", "ls")["assets"][0]
    examples = {"id": asset["id"], "owner": asset["owner"], "node": asset["node"]}
    # Of these a new mesh has none.
    absent = ("/operations/{id}", "/grants/{id}", "/groups/{id}", "/leases/{id}")
    for path, item in document["paths"].items():
        if "get" not in item or path.endswith("/events") or path == "/":
            continue
        if item["get"].get("security"):
            status, answer = four.http(0, path.replace("{run}", "none").replace("{upload}", "none").replace("{service}", "none"))
            require(status == 401, f"GET {path} without the token: {status} {answer}")
            continue
        names = dict(examples)
        if "blocks" in path:
            names["id"] = "1"
        elif path.endswith(absent):
            names["id"] = "0" * 64
        elif "actors" in path:
            names["id"] = asset["owner"]
        filled = path
        for name, value in names.items():
            filled = filled.replace("{" + name + "}", value)
        status, answer = four.http(0, filled)
        known = 404 if path.endswith(absent) else 200
        require(status == known, f"GET {filled}: {status} {str(answer)[:200]}")
        if status >= 400:
            require(set(answer["error"]) >= {"code", "message", "details", "request_id", "timestamp"}, f"{answer}")


def check_writes(four):
    say("a write needs the owner's signature or the admin token")
    node = four.nodes[0]
    token = next(Path(node["dir"]).rglob("admin.token"))
    require(token.stat().st_mode & 0o077 == 0, "the token is for its owner alone")
    asset = next(a for a in four.json(0, "assets", "ls")["assets"]
                 if a["kind"] == "cpu" and a["node"] == four.status(0)["node"])
    path = f"/api/v1/assets/{asset['id']}/retire"
    require(four.http(0, path, body={}, method="POST")[0] == 401, "no token, no write")
    done = four.cli(0, "asset", "update", asset["id"], "--state", "maintenance", "--json",
                    "--key", f"{node['dir']}/keys/owner.key", check=False)
    require(done.returncode == 0, f"with the owner's key: {done.stderr}")
    shown = four.json(0, "assets", "show", asset["id"])["asset"]
    require(shown["state"].lower() == "maintenance" and shown["version"] > asset["version"], f"{shown}")


def check_lending(four):
    say("what nobody was granted is denied with the rule, and a plan says why there is no choice")
    asset = next(a for a in four.json(0, "assets", "ls")["assets"]
                 if a["kind"] == "cpu" and a["node"] != four.status(0)["node"])
    body = {"requester": "self", "asset": asset["id"]}
    status, answer = four.http(0, "/api/v1/privacy/decide", body=body, method="POST")
    require(status == 200 and answer["allowed"] is False and answer["rule"] == "no_grant", f"{answer}")
    body = {"tenant": "self", "filter": "kind=cpu", "explain": True}
    status, answer = four.http(0, "/api/v1/leases/plan", body=body, method="POST")
    require(status == 200 and all(c["owner"] != asset["owner"] for c in answer["choices"]), f"{answer}")
    reasons = {r["asset"]: r for r in answer["rejected"]}
    require(reasons[asset["id"]]["reason"] == "not_allowed", f"{reasons[asset['id']]}")

    say("round trips to connected nodes are measured")
    nodes = four.http(0, "/api/v1/nodes")[1]["nodes"]
    require(all("rtt_us" in node for node in nodes if node["connected"]), f"{nodes}")


def check_stream(four):
    say("a stream tells of the next final block")
    payer, payee = Owner(four, 0), Owner(four, 1)
    with urllib.request.urlopen(four.url(0, "/api/v1/events?kinds=block"), timeout=30) as stream:
        status, answer = payer.submit(payer.transfer(payee.id, 1))
        require(status == 200, f"{answer}")
        height = answer["operations"][0]["height"]
        seen = -1
        while seen < height:
            line = stream.readline().decode().strip()
            if line.startswith("data:"):
                seen = json.loads(line[5:])["height"]
        require(seen >= height, f"block {height}")


def check_metrics(four):
    promtool = shutil.which("promtool")
    text = urllib.request.urlopen(four.url(0, "/metrics"), timeout=10).read().decode()
    require("hypermesh_" in text, "metrics carry the program's name")
    if promtool is None:
        say("promtool is missing: metrics are not linted (Debian package prometheus)")
        return
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
    require(done.returncode == 0 and not done.stderr.strip(), f"promtool: {done.stdout}{done.stderr}")
    say(f"promtool finds nothing in {len(text.splitlines())} lines of metrics")


def test():
    with Mesh(nodes=4) as four:
        four.wait_for_height(2)
        check_document(four, json.loads(DOCUMENT.read_text()))
        check_lending(four)
        check_writes(four)
        check_stream(four)
        check_metrics(four)


if __name__ == "__main__":
    mesh.main(test)
