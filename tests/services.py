# SPDX-License-Identifier: Apache-2.0
"""Services are there whatever happens to some of their providers: a node that is killed, a program
whose port is dead while its node says that it runs, the tenant's own node killed."""

import json
import os
import signal
from pathlib import Path

import mesh
from container_image import write_layout
from containers import (IMAGE, LIMITS, OTHER, PROVIDER, STRANGER, TENANT, fetch, finish, hosted, ids, nothing_left,
                        on_a_mesh, open_leases, owner, restart, start)
from mesh import require, say, wait_until

PROVIDERS = (PROVIDER, STRANGER, OTHER)
PROGRAM = ["sh", "-c", "httpd -f -p 8080 -h /srv & echo $! > /httpd; while :; do sleep 1; done"]


def create(four, name, replicas, *arguments, check=True):
    return four.cli(TENANT, "run", "-d", *LIMITS, "--name", name, "--replicas", replicas, "--on",
                    f"owner!={owner(four, TENANT)}", *arguments, IMAGE, *PROGRAM, check=check)


def inspect(four, name):
    return four.json(TENANT, "service", "inspect", name)


def where(four, service):
    """Which node each replica that is counted on is on, by its number."""
    names = [node["name"] for node in four.nodes]
    return {each["number"]: names.index(each["node_name"]) for each in service["members"]
            if each["state"] != "leaving"}


def whole(four, name, replicas):
    """The service, if all of it is there and nothing more."""
    service = inspect(four, name)
    places = where(four, service)
    is_whole = (service["state"], service["healthy"], len(places)) == ("running", replicas, replicas)
    return service if is_whole and len(set(places.values())) == replicas else None


def containers_of(four):
    """How many run, on nodes that answer."""
    return sum(len(hosted(four, index)) for index in PROVIDERS if index in four.alive())


def page_of(four, run):
    """What a user of this replica gets."""
    forward = start(four, TENANT, "forward", "--json", run, "0:8080")
    try:
        port = json.loads(forward.stdout.readline())["ports"][0]["local"]
        return fetch(port, "/page")
    finally:
        forward.send_signal(signal.SIGINT)
        finish(forward)


def check_answers(four, service):
    for each in service["members"]:
        if each["state"] == "leaving":
            continue
        require(b"a page" in page_of(four, each["run"]), f"replica {each['number']} answers")


def prepare(four):
    archive = four.folder / "busybox.tar"
    write_layout(archive, IMAGE, {"srv/page": b"a page\n"})
    four.cli(TENANT, "image", "import", archive, "--name", IMAGE)
    for index in PROVIDERS:
        for kind in ("cpu", "memory"):
            four.cli(index, "share", kind, "60%", "--with", owner(four, TENANT), "--price", 0)
    wait_until(lambda: len(four.json(TENANT, "grants", "--to-me")["grants"]) >= 6, "the tenant sees the grants")


def check_refused(four):
    say("what is no service is refused, and why is said")
    for arguments in (["--quorum", "2"], ["-i"], ["--health", "udp:53"], ["--health", "tcp:web"],
                      ["--health", "tcp:80", "--health-interval", "10s", "--health-timeout", "11s"],
                      ["-p", "80:80"]):
        done = create(four, "web", 2, *arguments, check=False)
        require(done.returncode == 2 and done.stderr.startswith("error: "), f"{arguments}: {done}")
    done = four.cli(TENANT, "run", "-d", "--replicas", 2, IMAGE, "true", check=False)
    require(done.returncode == 2 and "--name" in done.stderr, f"{done}")
    for arguments in (["inspect", "web"], ["scale", "web", 2], ["rm", "web"]):
        done = four.cli(TENANT, "service", *arguments, check=False)
        require(done.returncode == 1 and "service" in done.stderr, f"{arguments}: {done}")
    require(not open_leases(four) and not four.json(TENANT, "service", "ls")["services"], "nothing came of it")


def check_liar(four):
    say("a service is on machines of different owners, and is reached")
    create(four, "web", 2, "--health", "http:8080/page", "--health-interval", "1s")
    service = wait_until(lambda: whole(four, "web", 2), "two replicas are healthy")
    require(containers_of(four) == 2 and len(open_leases(four)) == 4, "and nothing else is there")
    check_answers(four, service)
    listed = {run["run"]: run["service"] for run in four.json(TENANT, "ps")["runs"]}
    require(listed == {each["run"]: "web" for each in service["members"]}, f"{listed}")
    require("web" in four.cli(TENANT, "service", "ls").stdout, "it is listed")
    require("healthy" in four.cli(TENANT, "service", "inspect", "web").stdout, "and shown")
    done = create(four, "web", 1, check=False)
    require(done.returncode != 0 and "there is a service web" in done.stderr, f"{done}")

    say("a replica whose port is dead while its node says that it runs is replaced")
    bad = service["members"][0]
    four.cli(TENANT, "exec", bad["run"], "sh", "-c", "kill -9 $(cat /httpd)")
    after = wait_until(lambda: (now := whole(four, "web", 2)) and bad["number"] not in where(four, now) and now,
                       "another one is there")
    left_out = {each["node_name"]: each["why"] for each in after["left_out"]}
    require("its node says it runs" in left_out.get(bad["node_name"], ""), f"{left_out}")
    check_answers(four, after)
    wait_until(lambda: containers_of(four) == 2 and len(open_leases(four)) == 4, "the old one is gone")

    say("what is removed leaves nothing")
    four.cli(TENANT, "service", "rm", "web")
    require(not open_leases(four), "no lease")
    wait_until(lambda: containers_of(four) == 0, "no container")
    wait_until(lambda: nothing_left(four), "nothing in the kernel")


def check_killed(four):
    create(four, "site", 2, "--health", "tcp:8080", "--health-interval", "1s", "--for", "2h")
    service = wait_until(lambda: whole(four, "site", 2), "two replicas are healthy")

    say("kill -9 of the tenant's node: the same replicas, and none twice")
    members = lambda now: {(each["number"], each["run"], each["node"]) for each in now["members"]}
    before = members(service)
    restart(four, TENANT)
    again = wait_until(lambda: whole(four, "site", 2), "it keeps the service again")
    require(members(again) == before, f"{before} {members(again)}")
    check_answers(four, again)
    require(containers_of(four) == 2 and len(open_leases(four)) == 4, "and nothing else is there")

    say("kill -9 of a provider's node: its replica is replaced and reached")
    dark = next(index for index in where(four, again).values())
    four.kill(dark)
    after = wait_until(lambda: (now := whole(four, "site", 2)) and dark not in where(four, now).values() and now,
                       "another one is there", 120)
    check_answers(four, after)
    require(dark in [[node["name"] for node in four.nodes].index(each["node_name"]) for each in after["left_out"]],
            f"{after['left_out']}")

    say("when it returns it ends what it has, and none is there twice")
    four.up()
    ids(four)
    wait_until(lambda: not hosted(four, dark), "it has ended its container")
    require(whole(four, "site", 2) and containers_of(four) == 2, "two as before")

    say("more and fewer, and none")
    four.cli(TENANT, "service", "scale", "site", 1)
    wait_until(lambda: whole(four, "site", 1) and containers_of(four) == 1, "one is left")
    four.cli(TENANT, "service", "rm", "site")
    require(not open_leases(four) and not four.json(TENANT, "service", "ls")["services"], "no lease, no service")
    wait_until(lambda: containers_of(four) == 0, "no container")
    wait_until(lambda: nothing_left(four), "nothing in the kernel")


def check_waiting(four):
    say("what cannot be had is waited for, and why is said")
    create(four, "wide", 4, "--health", "exec:test -e /srv/page", "--health-interval", "1s")
    service = wait_until(lambda: (now := inspect(four, "wide"))["healthy"] == 3 and now.get("waiting") and now,
                         "three of four are there", 180)
    require(service["state"] == "waiting" and "no machine" in service["waiting"], f"{service['waiting']}")
    four.cli(TENANT, "service", "scale", "wide", 3)
    wait_until(lambda: whole(four, "wide", 3), "three are enough")
    four.cli(TENANT, "service", "rm", "wide")
    wait_until(lambda: containers_of(four) == 0, "no container")
    records = Path(four.nodes[TENANT]["dir"]) / "services"
    wait_until(lambda: not os.listdir(records), "and no record")


def check_all(four):
    prepare(four)
    check_refused(four)
    check_waiting(four)
    check_liar(four)
    check_killed(four)


def test():
    on_a_mesh(check_all)


if __name__ == "__main__":
    mesh.main(test)
