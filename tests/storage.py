# SPDX-License-Identifier: Apache-2.0
"""Files go to the nodes of five other owners and come back byte for byte: whatever their size and
name, with two nodes killed, with bits flipped on a disk, with a disk lost; to whom they are shared
and no longer; and a node that is killed while it stores loses nothing and leaves nothing behind."""

import hashlib
import json
import os
import random
import shutil
import subprocess
import time
from pathlib import Path

import mesh
from containers import finish, ids, owner, start
from mesh import Mesh, require, say, wait_until

NODES = 6
TENANT, READER = 0, 1
KILLED = (3, 4, 5)
ODD_NAMES = ["a b", "ümläut/ñ", "new\nline", "..", "../up", "/absolute", "-dash", "tab\tquote\"'", "%2F", "x" * 1000]


def content(size, seed=0):
    source = random.Random(f"{seed}/{size}")
    piece = 64 << 20  # randbytes() takes less than 2^28
    return b"".join(source.randbytes(min(piece, size - at)) for at in range(0, size, piece))


def digest(data):
    return hashlib.sha256(data).hexdigest()


def token(six, index):
    return {"Authorization": "Bearer " + (Path(six.nodes[index]["dir"]) / "keys/admin.token").read_text().strip()}


def put(six, path, *arguments, index=TENANT, check=True):
    done = six.cli(index, "put", *arguments, path, "--json", check=check)
    return json.loads(done.stdout)["objects"] if done.returncode == 0 else done


def cat(six, name, *arguments, index=TENANT):
    """(exit code, bytes, standard error)"""
    return finish(start(six, index, "cat", *arguments, "--", name))


def stat(six, name, index=TENANT):
    return six.json(index, "stat", name)


def names(six, *arguments, index=TENANT):
    return [each["name"] for each in six.json(index, "ls", "-R", *arguments)["objects"]]


def storage(six, index=TENANT):
    return six.json(index, "storage", "status", "--held")


def quiet(six):
    """Nothing waits for a commitment, and what other nodes keep is what the catalogue says."""
    own = storage(six)["own"]
    used = {each["lease"]: each["used"] for each in own["leases"]}
    held = {each["lease"]: each.get("held") for each in own["leases"]}
    return not own["pending"] and used == held


def lend(six):
    say("five owners lend storage")
    for index in range(NODES):
        others = [word for other in (TENANT, READER, 2) if other != index for word in ("--with", owner(six, other))]
        six.cli(index, "share", "storage", "50%", *others, "--price", 0)
    for index in (TENANT, READER):
        six.cli(index, "allow", "10")
    wait_until(lambda: len(six.json(TENANT, "grants", "--to-me")["grants"]) >= NODES - 1, "the tenant sees the grants")


def check_sizes(six):
    say("files of every size come back")
    folder = six.folder / "files"
    folder.mkdir()
    for size in (0, 1, 100, 5 << 20, 100 << 20):
        data = content(size)
        path = folder / f"of-{size}"
        path.write_bytes(data)
        began = time.monotonic()
        stored = put(six, path)[0]
        took = time.monotonic() - began
        require(stored["name"] == f"of-{size}" and stored["size"] == size, f"{stored}")
        shown = stat(six, stored["name"])
        require(shown["health"]["readable"] and (size == 0 or shown["health"]["bears"] >= 1), f"{shown}")
        holders = [each["owner"] for each in shown["health"]["holders"]]
        require(len(set(holders)) == len(holders), f"each part with another owner: {holders}")
        began = time.monotonic()
        back = six.folder / f"back-{size}"
        six.cli(TENANT, "get", stored["name"], "-o", back)
        say(f"{size} bytes: put in {took:.2f} s, get in {time.monotonic() - began:.2f} s, {stored['code']}")
        require(digest(back.read_bytes()) == digest(data), f"{size} bytes come back")
        by_id = cat(six, stored["id"])
        require(by_id[0] == 0 and digest(by_id[1]) == digest(data), "by its id, too")
        back.unlink()
    done = subprocess.run(["b3sum", "--no-names", folder / "of-100"], capture_output=True, text=True) if (
        subprocess.run(["which", "b3sum"], capture_output=True).returncode == 0) else None
    if done:
        require(stat(six, "of-100")["object"]["content"] == done.stdout.strip(), "the content id is b3sum's")


def check_ranges(six):
    say("parts of a file, as they are asked for")
    data = content(5 << 20)
    for words, part in (("0-0", data[:1]), ("1000000-2000000", data[1000000:2000001]), ("5242870-", data[-10:]),
                        ("-5", data[-5:])):
        code, out, err = cat(six, f"of-{5 << 20}", "--range", words)
        require(code == 0 and out == part, f"{words}: {code} {len(out)} {err}")
    code, _, err = cat(six, f"of-{5 << 20}", "--range", "5242880-")
    require(code == 1 and "5242880 bytes" in err, f"{code} {err}")
    code, _, err = cat(six, f"of-{5 << 20}", "--range", "b-a")
    require(code == 2, f"{code} {err}")

    say("the same over HTTP: ranges, entity tags, conditions")
    path = f"/api/v1/objects/content?name=of-{100}"
    get = lambda **headers: six.http(TENANT, path, headers={**token(six, TENANT), **headers})
    require(six.http(TENANT, path)[0] == 401, "not without the token")
    tag = stat(six, "of-100")["object"]["etag"]
    require(get(**{"If-None-Match": tag})[0] == 304, "not modified")
    require(get(**{"If-Match": '"0-0"'})[0] == 412, "changed")
    status, answer = get(Range="bytes=100-")
    require(status == 416 and answer["error"]["details"]["size"] == 100, f"{status} {answer}")
    require(get(Range="bytes=0-9")[0] == 206, "a part")
    write = lambda **headers: six.http(TENANT, path, body=b"x", method="PUT",
                                       headers={**token(six, TENANT), "Content-Type": "application/octet-stream",
                                                **headers})
    require(write(**{"If-None-Match": "*"})[0] == 412, "it is there")
    require(write(**{"If-Match": '"1000"'})[0] == 412, "it has another version")
    require(six.http(TENANT, path, body=b"{}", method="PUT", headers=token(six, TENANT))[0] == 415, "bytes are meant")
    for bad in ("name=", "name=a&code=4", "name=a&code=200+100", "name=a&profile=odd", "name=a&sharing=all",
                "name=a&readers=nobody", "name=%FF", "name=a%00b"):
        status, answer = six.http(TENANT, f"/api/v1/objects/content?{bad}", body=b"x", method="PUT",
                                  headers={**token(six, TENANT), "Content-Type": "application/octet-stream"})
        require(400 <= status < 500 and answer["error"]["message"], f"{bad}: {status} {answer}")


def check_names(six):
    say("odd names are names; none of them leads out of the folder")
    source = six.folder / "odd"
    for number, name in enumerate(ODD_NAMES):
        source.write_bytes(f"content {number}".encode())
        require(put(six, source, "--as", name)[0]["name"] == name, repr(name))
    listed = names(six)
    require(all(name in listed for name in ODD_NAMES), f"{listed}")
    require("new\nline" not in six.cli(TENANT, "ls").stdout, "the terminal sees no control character")
    for number, name in enumerate(ODD_NAMES):
        code, out, err = cat(six, name)
        require(code == 0 and out == f"content {number}".encode(), f"{name!r}: {code} {out} {err}")
    done = six.cli(TENANT, "get", "..", check=False)
    require(done.returncode == 2 and "-o FILE" in done.stderr, f"{done}")
    long_name = six.cli(TENANT, "put", source, "--as", "x" * 1025, check=False)
    require(long_name.returncode == 1 and "1 to 1024 bytes" in long_name.stderr, f"{long_name.stderr}")
    for words in (["get", "nothing"], ["cat", "nothing"], ["stat", "nothing"], ["rm", "nothing"],
                  ["put", six.folder / "nothing"], ["share", "nothing", "--with", owner(six, READER)]):
        done = six.cli(TENANT, *words, check=False)
        require(done.returncode == 1 and done.stderr.count("\n") >= 3, f"{words}: {done}")
    for words in (["put", "-"], ["put", source, "--code", "4"], ["share", "of-1"], ["put", source, "--meta", "x"]):
        done = six.cli(TENANT, *words, check=False)
        require(done.returncode == 2, f"{words}: {done}")
    for name in ODD_NAMES:
        six.cli(TENANT, "rm", "--object", "--", name)
    require(not [name for name in names(six) if name in ODD_NAMES], "they are gone")


def make_tree(root, files):
    for number in range(files):
        path = root / f"d{number % 20}" / f"file-{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(random.Random(number).randrange(0, 9000), number))


def check_folder(six):
    say("a folder of 2000 small files")
    root = six.folder / "tree"
    make_tree(root, 2000)
    (root / "link").symlink_to("d0/file-0")
    os.mkfifo(root / "pipe")
    done = six.json(TENANT, "put", root)
    require(len(done["objects"]) == 2000 and len(done["left_out"]) == 2, f"{len(done['objects'])} {done['left_out']}")
    require(len(names(six, "tree/")) == 2000, "all are listed")
    top = six.json(TENANT, "ls", "tree")
    require(len(top["folders"]) == 20 and not top["objects"], f"{top['folders']}")
    back = six.folder / "tree-back"
    six.cli(TENANT, "get", "-r", "tree/d3", "-o", back)
    for path in (root / "d3").iterdir():
        require((back / path.name).read_bytes() == path.read_bytes(), f"{path.name}")

    say("the same again sends nothing, and a changed file alone is sent")
    (root / "d3/file-3").write_bytes(b"other")
    again = six.json(TENANT, "put", "--resume", root)
    require([each["name"] for each in again["objects"]] == ["tree/d3/file-3"], f"{again}")
    require(again["stored_before"] == 1999, f"{again['stored_before']}")
    done = six.cli(TENANT, "rm", "-r", "tree", check=False)
    require(done.returncode == 2 and len(names(six, "tree/")) == 2000, "not without a yes")
    six.cli(TENANT, "rm", "-r", "-y", "tree")
    require(not names(six, "tree/"), "they are gone")


def check_input(six):
    say("what has no length beforehand is stored, too; what breaks off is not")
    data = content(3 << 20, "input")
    code, _, err = finish(start(six, TENANT, "put", "--as", "from-input", "-", stdin=subprocess.PIPE), data)
    require(code == 0 and digest(cat(six, "from-input")[1]) == digest(data), f"{code} {err}")
    whole = start(six, TENANT, "put", "--as", "broken", "-", stdin=subprocess.PIPE)
    whole.stdin.write(data)
    whole.stdin.flush()
    whole.kill()
    whole.communicate()
    require("broken" not in names(six), "half of it is nothing")
    six.cli(TENANT, "put", six.folder / "files/of-1", "--as", "from-input", "--new", check=False)
    require(digest(cat(six, "from-input")[1]) == digest(data), "--new replaces nothing")


def check_losses(six):
    say("two nodes are killed: every byte is there")
    # A node that is away for 20 s loses its leases in such a mesh, so that this is no large file.
    name, data = f"of-{5 << 20}", content(5 << 20)
    for index in KILLED[:2]:
        six.kill(index)
    code, out, err = cat(six, name)
    require(code == 0 and digest(out) == digest(data), f"{code} {len(out)} {err}")
    say("a third: what is missing is said")
    six.kill(KILLED[2])
    code, out, err = cat(six, name)
    gone = [six.nodes[index]["name"] for index in KILLED]
    # What lies whole in the parts that are left comes all the same.
    require(code == 5 and all(name in err for name in gone), f"{code} {err}")
    require(data.startswith(out) and len(out) < len(data), f"{len(out)} bytes, none of them wrong")
    six.up()
    ids(six)
    wait_until(lambda: cat(six, name)[1] == data, "they are back, and so is the file")


def logs_of(six, index):
    return sorted((Path(six.nodes[index]["dir"]) / "data/shards").glob("*.log"))


def check_damage(six):
    say("bits are flipped on one node's disk: the bytes are right, and the node is written down")
    victim = next(index for index in range(1, NODES) if logs_of(six, index))
    six.kill(victim)
    for log in logs_of(six, victim):
        with open(log, "r+b") as file:
            size = file.seek(0, 2)
            for at in range(64 << 10, size, 300_000):
                file.seek(at)
                byte = file.read(1)
                file.seek(at)
                file.write(bytes([byte[0] ^ 0x10]))
    six.up()
    ids(six)
    big = content(100 << 20)
    code, out, err = cat(six, f"of-{100 << 20}")
    require(code == 0 and digest(out) == digest(big), f"{code} {len(out)} {err}")
    culprit = six.nodes[victim]["id"]
    wait_until(lambda: any(each["node"] == culprit for each in storage(six)["own"]["faults"]), "the fault is on record")

    say("a node that lost its disk: what it had is made anew")
    lost = next(index for index in range(NODES - 1, 0, -1) if index != victim)
    six.kill(lost)
    for path in logs_of(six, lost):
        path.unlink()
    for path in (Path(six.nodes[lost]["dir"]) / "data/shards").iterdir():
        if path.is_file() and path.name != "lock":
            path.unlink()
    six.up()
    ids(six)
    code, out, err = cat(six, f"of-{100 << 20}")
    require(code == 0 and digest(out) == digest(big), f"{code} {err}")
    loser = six.nodes[lost]["id"]
    wait_until(lambda: any(each["node"] == loser and each["fault"] == "missing" for each in storage(six)["own"]["faults"]),
               "what it lost is on record")
    whole = lambda: (now := stat(six, f"of-{100 << 20}")["health"])["healthy"] == now["shards"] and now
    wait_until(whole, "everything is whole again", 120)


def check_sharing(six):
    say("another owner reads what is shared with it, and nobody else does")
    path = six.folder / "secret"
    data = content(2 << 20, "secret")
    path.write_bytes(data)
    put(six, path)
    shared = six.json(TENANT, "share", "secret", "--with", owner(six, READER))["object"]
    require([each["owner"] for each in shared["readers"]] == [owner_id(six, READER)], f"{shared['readers']}")
    share_id = shared["share_id"]
    back = six.folder / "secret-back"
    six.cli(READER, "get", share_id, "-o", back)
    require(digest(back.read_bytes()) == digest(data), "its bytes")
    require(digest(cat(six, "secret", index=READER)[1]) == digest(data), "and by name from now on")
    denied = six.cli(2, "get", share_id, check=False)
    require(denied.returncode == 4 and "not among its readers" in denied.stderr, f"{denied}")
    require(six.cli(READER, "share", "secret", "--with", owner(six, 2), check=False).returncode != 0,
            "it is not the reader's to share")

    say("a copy of the reader's own stays when the owner takes it away")
    six.cli(READER, "pin", "secret", "--as", "mine")
    fresh = six.json(TENANT, "share", "secret", "--revoke", owner(six, READER))["object"]
    require(not fresh["readers"] and fresh["content"] == shared["content"], f"{fresh}")
    refused = six.cli(READER, "get", fresh["share_id"], "--as", "again", check=False)
    require(refused.returncode == 4, f"{refused}")
    wait_until(lambda: cat(six, "secret", index=READER)[0] != 0, "what it was shared as is dropped", 120)
    require(digest(cat(six, "mine", index=READER)[1]) == digest(data), "the copy is there")
    require(digest(cat(six, "secret")[1]) == digest(data), "and the owner's")


def check_recovery(six):
    say("a node that lost its catalogue stores nothing, and gets it back with its owner's key")
    tree = six.folder / "tree-to-lose"
    make_tree(tree, 50)
    put(six, tree)
    large = six.folder / "large-to-lose"
    for seed in range(2):
        large.write_bytes(content(5 << 20, seed))
        put(six, large, "--private")
    six.cli(TENANT, "storage", "gc")
    wait_until(lambda: quiet(six), "everything is committed to, and what was removed is dropped", 300)
    there = {name: digest(cat(six, name)[1]) for name in names(six)}
    require(len(there) > 50, f"there is something to lose: {there.keys()}")
    six.kill(TENANT)
    shutil.rmtree(Path(six.nodes[TENANT]["dir"]) / "data/objects")
    six.up()
    ids(six)
    wait_until(lambda: "older" in storage(six)["own"]["trouble"], "it says that its catalogue is old")
    require(names(six) == [], "nothing is there")
    small = six.folder / "small-one"
    small.write_bytes(b"1")
    refused = put(six, small, check=False)
    require("older" in refused.stderr, f"it stores nothing: {refused.stderr}")
    wait_until(lambda: six.http(TENANT, "/api/v1/status")[1]["peers"] >= NODES - 1, "all are connected")
    report = json.loads(six.cli(TENANT, "storage", "recover", "--json").stdout)
    require(report["complete"], f"all that it committed to: {report['left_out']}")
    require({each["name"] for each in report["objects"]} == set(there), "every name")
    for name, expected in there.items():
        code, out, err = cat(six, name)
        require(code == 0 and digest(out) == expected, f"{name}: {code} {err}")
    refused = six.cli(TENANT, "storage", "recover", check=False)
    require("nothing to recover" in refused.stderr, f"once: {refused.stderr}")
    put(six, small)
    six.cli(TENANT, "storage", "gc")
    wait_until(lambda: quiet(six), "used and held are the same", 300)


def owner_id(six, index):
    return six.http(index, "/api/v1/owners/self")[1]["owner"]


def check_killed(six):
    say("kill -9 of the tenant's node while it stores: what was reported is whole, the rest is not there")
    rng = random.Random(5)
    acknowledged = {}
    for attempt in range(8):
        path = six.folder / f"kill-{attempt}"
        data = content(48 << 20, attempt)
        path.write_bytes(data)
        storing = start(six, TENANT, "put", path)
        time.sleep(rng.uniform(0.0, 0.8))
        six.kill(TENANT)
        code, _, _ = finish(storing)
        if code == 0:
            acknowledged[path.name] = digest(data)
        six.up()
        ids(six)
    say(f"{len(acknowledged)} of 8 were reported stored")
    wait_until(lambda: six.cli(TENANT, "ls", check=False).returncode == 0, "the node has its catalogue again")
    for name, expected in acknowledged.items():
        code, out, err = cat(six, name)
        require(code == 0 and digest(out) == expected, f"{name}: {code} {err}")
    for name in names(six):
        if name.startswith("kill-"):
            require(cat(six, name)[0] == 0, f"{name} is listed, so it is whole")

    say("nothing is left behind: nodes keep what the catalogue knows of, and nothing else")
    six.cli(TENANT, "storage", "gc")
    wait_until(lambda: quiet(six), "used and held are the same", 300)


def check_all(six):
    ids(six)
    lend(six)
    check_sizes(six)
    check_ranges(six)
    check_names(six)
    check_folder(six)
    check_input(six)
    check_sharing(six)
    check_recovery(six)
    check_losses(six)
    check_damage(six)
    check_killed(six)


def test():
    with Mesh(nodes=NODES) as six:
        check_all(six)


if __name__ == "__main__":
    mesh.main(test)
