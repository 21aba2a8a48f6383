# SPDX-License-Identifier: Apache-2.0
"""A transfer that breaks off in its middle is gone on with, both ways: whether the command or the
tenant's node was killed, only what is missing is sent, and the bytes are the file's; where the file
or the object is not the same any more, that is said."""

import json
import os
import signal

import mesh
from containers import finish, ids, start
from mesh import Mesh, require, say, wait_until
from storage import NODES, TENANT, cat, content, digest, lend, names, quiet, storage, token

PART = 64 << 20


def uploads(six, name=None):
    query = "" if name is None else f"?name={name}"
    return six.http(TENANT, "/api/v1/objects/uploads" + query, headers=token(six, TENANT))[1]["uploads"]


def made(six, name, size):
    path = six.folder / name
    path.write_bytes(content(size, name))
    return path


def has_part(six, name):
    there = uploads(six, name)
    return bool(there) and there[0]["parts"] > 0 and there[0]


def break_off(six, path):
    """A put of which something is there when it is killed."""
    storing = start(six, TENANT, "put", path)
    wait_until(lambda: has_part(six, path.name), "a part of it is stored")
    storing.kill()
    storing.communicate()
    # What the node had of a part when its connection broke is given up.
    return wait_until(lambda: has_part(six, path.name), "it is known what is there")


def check_put(six):
    say("a put is killed in its middle: nothing has its name, what was sent is there")
    path = made(six, "large", 5 * PART + 12345)
    there = break_off(six, path)
    require("large" not in names(six), "no object yet")
    require(there["bytes"] == path.stat().st_size and there["stored_bytes"] % PART == 0, f"{there}")
    shown = six.cli(TENANT, "storage", "uploads").stdout
    require("large" in shown and there["id"][:6] in shown, shown)

    say("--resume refuses a file that is not the same any more, by name")
    before = path.stat()
    same_time = lambda: os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    os.utime(path)
    done = six.cli(TENANT, "put", "--resume", path, check=False)
    require(done.returncode == 1 and "written to since" in done.stderr, f"{done}")
    with open(path, "ab") as file:
        file.write(b"x")
    same_time()
    done = six.cli(TENANT, "put", "--resume", path, check=False)
    require(done.returncode == 1 and f"had {before.st_size} bytes then" in done.stderr, f"{done}")
    os.truncate(path, before.st_size)
    for at in range(PART // 2, before.st_size, PART):
        flip(path, at)
    same_time()
    done = six.cli(TENANT, "put", "--resume", path, check=False)
    require(done.returncode == 1 and "another content than what is there" in done.stderr, f"{done}")
    for at in range(PART // 2, before.st_size, PART):
        flip(path, at)
    same_time()
    done = six.cli(TENANT, "put", "--resume", "--private", path, check=False)
    require(done.returncode == 1 and "other options" in done.stderr, f"{done}")

    say("of the same file only the rest is sent")
    done = six.json(TENANT, "put", "--resume", path)
    # A part that had come whole when the command was killed is kept a moment later.
    require(done["resumed_bytes"] >= there["stored_bytes"], f"{done}")
    require(done["plain_bytes"] + done["resumed_bytes"] == before.st_size, f"{done}")
    require(not uploads(six), "nothing is left of it")
    check_whole(six, path)


def flip(path, at):
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 1]))


def check_whole(six, path):
    back = six.folder / "back"
    six.cli(TENANT, "get", path.name, "-o", back)
    require(digest(back.read_bytes()) == digest(path.read_bytes()), f"{path.name}: the file's bytes")
    back.unlink()
    code, out, err = cat(six, path.name, "--range", f"{PART - 10}-{PART + 9}")
    require(code == 0 and out == path.read_bytes()[PART - 10 : PART + 10], f"over the seam: {code} {err}")


def check_node(six):
    say("the tenant's node is killed meanwhile: the same command goes on, without being told to")
    path = made(six, "through-a-crash", 4 * PART)
    storing = start(six, TENANT, "put", path)
    there = wait_until(lambda: has_part(six, path.name), "a part of it is stored")
    six.kill(TENANT)
    code, _, err = finish(storing)
    require(code == 3 and "goes on with it" in err, f"{code} {err}")
    six.up()
    ids(six)
    wait_until(lambda: six.cli(TENANT, "ls", check=False).returncode == 0, "the node has its catalogue again")
    done = put_when_ready(six, path)
    require(done["resumed_bytes"] >= there["stored_bytes"], f"{done}")
    require(done["plain_bytes"] + done["resumed_bytes"] == 4 * PART, f"{done}")
    check_whole(six, path)


def put_when_ready(six, path):
    """Nodes that are not connected yet can hold nothing."""
    done = wait_until(lambda: (put := six.cli(TENANT, "put", path, "--json", check=False)).returncode == 0 and put,
                      "the file is stored", 120)
    return json.loads(done.stdout)


def check_anew(six):
    say("a file that changed is sent anew where --resume is not said; what was there is dropped")
    path = made(six, "changing", 3 * PART)
    break_off(six, path)
    path.write_bytes(content(3 * PART, "changed"))
    done = six.json(TENANT, "put", path)
    require(done["resumed_bytes"] == 0 and not uploads(six), f"{done}")
    check_whole(six, path)

    say("what is not gone on with can be given up")
    path = made(six, "given-up", 3 * PART)
    there = break_off(six, path)
    require(six.cli(TENANT, "storage", "uploads", "--end", "0" * 64, check=False).returncode == 1, "no such upload")
    six.cli(TENANT, "storage", "uploads", "--end", there["id"][:12])
    require(not uploads(six) and "given-up" not in names(six), "it is gone")
    six.cli(TENANT, "storage", "gc")
    wait_until(lambda: quiet(six), "used and held are the same", 180)


def check_get(six):
    say("a get is killed in its middle, and goes on")
    path = six.folder / "large"
    size = path.stat().st_size
    folder = six.folder / "got"
    folder.mkdir()
    getting = start(six, TENANT, "get", "large", "-o", folder / "large")
    partial = lambda: next((p for p in folder.glob(".hypermesh-*.part") if p.stat().st_size > 10 << 20), None)
    wait_until(partial, "something of it came")
    getting.send_signal(signal.SIGKILL)
    getting.communicate()
    part = partial()
    require(part and not (folder / "large").exists(), "what came is beside its place")
    before = part.stat().st_size
    require(0 < before < size, f"{before} of {size}")
    got = storage(six)["own"]["counters"]["bytes_got"]
    six.cli(TENANT, "get", "--resume", "large", "-o", folder / "large")
    fetched = storage(six)["own"]["counters"]["bytes_got"] - got
    require(digest((folder / "large").read_bytes()) == digest(path.read_bytes()), "the file's bytes")
    require(fetched == size - before, f"only the rest was fetched: {fetched} of {size}, {before} were there")
    require(not list(folder.glob(".hypermesh-*")), "nothing else is left")

    say("of an object that changed meanwhile nothing is mixed in, and a part of the old one is refused")
    tag = six.json(TENANT, "stat", "large")["object"]["etag"]
    (folder / "large").unlink()
    getting = start(six, TENANT, "get", "large", "-o", folder / "large")
    wait_until(partial, "something of it came")
    getting.send_signal(signal.SIGKILL)
    getting.communicate()
    other = six.folder / "other"
    other.write_bytes(content(1 << 20, "other"))
    six.cli(TENANT, "put", other, "--as", "large")
    status, _ = six.http(TENANT, "/api/v1/objects/content?name=large",
                         headers={**token(six, TENANT), "If-Match": tag, "Range": f"bytes={before}-"})
    require(status == 412, f"{status}")
    six.cli(TENANT, "get", "--resume", "large", "-o", folder / "large")
    require((folder / "large").read_bytes() == other.read_bytes(), "the new one's bytes")


def check_api(six):
    say("parts over HTTP: in any order, with conditions, refused by name")
    path = "/api/v1/objects/uploads"
    word = {**token(six, TENANT), "Content-Type": "application/json"}
    raw = {**token(six, TENANT), "Content-Type": "application/octet-stream"}
    begin = lambda body, query="name=parts", **more: six.http(TENANT, f"{path}?{query}", body=body, method="POST",
                                                              headers={**word, **more})
    require(six.http(TENANT, path)[0] == 401, "not without the token")
    for body, query in (({}, "name=a"), ({"part_bytes": 100}, "name=a"), ({"part_bytes": 65536}, "name="),
                        ({"part_bytes": 65536, "note": 7}, "name=a"), ({"part_bytes": 65536}, "name=a&code=x")):
        status, answer = begin(body, query)
        require(status == 400, f"{body} {query}: {status} {answer}")
    status, answer = begin({"part_bytes": 65536}, "name=parts&sharing=alone", **{"X-Object-Meta-k": "v"})
    require(status == 201, f"{status} {answer}")
    one = f"{path}/{answer['upload']['id']}"
    data = content(200_000, "parts")
    put = lambda number, body: six.http(TENANT, f"{one}/part?number={number}", body=body, method="PUT", headers=raw)
    for number in (4, 2, 1, 3):
        status, answer = put(number, data[(number - 1) * 65536 : number * 65536])
        require(status == 200 and answer["part"]["number"] == number, f"{status} {answer}")
    for number, body, expected in ((0, b"x", 400), (10001, b"x", 400), (1, b"x" * 65537, 400), (5, b"", 400)):
        status, answer = put(number, body)
        require(status == expected, f"{number}: {status} {answer}")
    status, answer = six.http(TENANT, one + "?limit=3", headers=word)
    require([part["number"] for part in answer["parts"]] == [1, 2, 3] and answer["next_after"] == 3, f"{answer}")
    status, answer = six.http(TENANT, one + "?after=3", headers=word)
    require([part["size"] for part in answer["parts"]] == [200_000 - 3 * 65536] and answer["next_after"] is None, f"{answer}")
    complete = lambda body, **more: six.http(TENANT, one + "/complete", body=body, method="POST", headers={**word, **more})
    require(complete({"bytes": 1})[0] == 409, "not what was said")
    require(complete({}, **{"If-Match": '"77"'})[0] == 412, "no such version")
    status, answer = complete({"bytes": 200_000})
    require(status == 201 and answer["object"]["size"] == 200_000, f"{status} {answer}")
    require(cat(six, "parts")[1] == data, "the bytes")
    require(six.json(TENANT, "stat", "parts")["object"]["metadata"] == {"k": "v"}, "the metadata")
    require(complete({})[0] == 404 and six.http(TENANT, one, headers=word)[0] == 404, "it has ended")
    require(begin({"part_bytes": 65536}, **{"If-None-Match": "*"})[0] == 412, "the name is taken")
    status, answer = begin({"part_bytes": 65536})
    gone = six.http(TENANT, f"{path}/{answer['upload']['id']}", method="DELETE", headers=word)
    require(gone[0] == 200 and not uploads(six), f"{gone}")


def test():
    with Mesh(nodes=NODES) as six:
        ids(six)
        lend(six)
        check_api(six)
        check_put(six)
        check_get(six)
        check_node(six)
        check_anew(six)


if __name__ == "__main__":
    mesh.main(test)
