# SPDX-License-Identifier: Apache-2.0
"""One owner lends to another: shared, leased, read by both sides, paid, taken back; nobody else
gets in, the last core goes to one tenant, and a provider that dies is not paid any further."""

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import mesh
from mesh import Mesh, require, say, wait_until

PROVIDER, TENANT, STRANGER = 0, 1, 2


def key(four, index):
    return Path(four.nodes[index]["dir"]) / "keys/owner.key"


def owner(four, index):
    return four.nodes[index]["owner"]


def as_owner(four, index, *arguments, check=True):
    return four.cli(index, *arguments, "--key", key(four, index), check=check)


def lease(four, lease_id, index=TENANT):
    return four.http(index, f"/api/v1/leases/{lease_id}")[1]


def open_lease(four, index, on, time="1h", check=True):
    done = as_owner(four, index, "lease", "open", "--on", on, "--for", time, "--json", check=check)
    return json.loads(done.stdout)["id"] if done.returncode == 0 else done


def wait_for(four, lease_id, test, what):
    return wait_until(lambda: (lambda l: l if test(l) else None)(lease(four, lease_id)), what)


def supply_is_whole(four, index=PROVIDER):
    supply = {name: Decimal(value) for name, value in four.http(index, "/api/v1/caesar/supply")[1]["supply"].items()}
    held = supply["balances"] + supply["escrows"] + supply["bonds"] + supply["pools"]
    require(supply["minted"] - supply["burned"] == held, f"not a unit is missing: {supply}")


def check_sharing(four):
    say("sharing starts at nothing, and is one sentence")
    done = as_owner(four, PROVIDER, "share", "cpu", "50%", check=False)
    require(done.returncode != 0 and "--with" in done.stderr, f"with whom must be said: {done}")
    for share in ("0%", "101%", "-5%", "half"):
        done = as_owner(four, PROVIDER, "share", "cpu", share, "--with", owner(four, TENANT), "--price", 0, check=False)
        require(done.returncode != 0, f"{share} is no share: {done}")
    shared = json.loads(as_owner(four, PROVIDER, "share", "cpu", "50%", "--with", owner(four, TENANT),
                                 "--price", "0.002", "--notice", "2m", "--json").stdout)
    grants = wait_until(lambda: four.json(TENANT, "grants", "--to-me")["grants"], "the tenant sees the grant")
    require(len(grants) == 1 and grants[0]["grant"]["share_percent"] == 50, f"{grants}")
    return shared


def shared_cpu(four, index=PROVIDER):
    """The provider's, as the node `index` sees it."""
    listed = four.http(index, "/api/v1/assets?kind=cpu")[1]["assets"]
    return next(asset for asset in listed if asset["node"] == four.nodes[PROVIDER]["id"])


def check_lease(four):
    say("a grantee leases, and a stranger is told the first rule that stands in the way")
    half = shared_cpu(four)["quantity"]["detected"] // 2
    on = f"kind=cpu,quantity={half},node={four.nodes[PROVIDER]['name']}"
    explained = as_owner(four, STRANGER, "lease", "open", "--on", on, "--for", "1h", "--explain", check=False)
    require("not_the_grantee" in explained.stdout, f"{explained}")
    refused = open_lease(four, STRANGER, on, check=False)
    require(refused.returncode != 0, f"{refused}")
    held = open_lease(four, TENANT, on)
    opened = lease(four, held)
    require(opened["state"] == "active", f"{opened}")
    escrow = Decimal(opened["escrow"])
    require(escrow == Decimal("0.002") * half, f"the whole hour is in escrow: {opened}")
    require(shared_cpu(four)["quantity"]["leased"] == half, "the asset says what is leased of it")
    used = four.json(PROVIDER, "who")
    require(held in json.dumps(used), f"the owner sees who: {used}")

    say("more than the share is refused")
    more = open_lease(four, TENANT, f"kind=cpu,quantity=1,node={four.nodes[PROVIDER]['name']}", check=False)
    require(more.returncode != 0, f"{more}")

    say("both sides sign what was delivered, anyone settles once, and the bill adds up")
    wait_for(four, held, lambda l: l["placement"]["counted_intervals"] >= 2, "two intervals were read")
    before = Decimal(four.json(PROVIDER, "wallet", owner(four, PROVIDER))["balance"])
    as_owner(four, STRANGER, "lease", "settle", held)
    settled = lease(four, held)
    paid, fee = Decimal(settled["placement"]["paid"]), Decimal(settled["placement"]["fee"])
    require(0 < paid < escrow and Decimal(settled["escrow"]) + paid == escrow, f"{settled}")
    require(Decimal(four.json(PROVIDER, "wallet", owner(four, PROVIDER))["balance"]) == before + paid - fee, "paid")
    bill = as_owner(four, TENANT, "bill", "--json")
    require(held in bill.stdout, f"{bill.stdout}")
    supply_is_whole(four)
    return held


def check_revocation(four, held):
    say("with notice the lease drains; revoke --now ends it at once, and the rest comes back")
    four.cli(PROVIDER, "revoke", held)
    require(lease(four, held)["state"] == "draining", "notice was granted")
    done = four.cli(PROVIDER, "revoke", held, "--now")
    ended = lease(four, held, PROVIDER)
    require(ended["state"] == "closed" and ended["placement"]["end"] == "by_owner", f"{ended} {done}")
    require(Decimal(ended["escrow"]) == 0, "nothing stays in escrow")
    require(shared_cpu(four)["quantity"]["leased"] == 0, "nothing is leased")
    done = as_owner(four, STRANGER, "lease", "close", held, check=False)
    require(done.returncode != 0, f"an ended lease, and another's: {done}")
    supply_is_whole(four)


def check_race(four):
    say("two tenants race for the last core: one gets it, the other is told")
    as_owner(four, PROVIDER, "share", "cpu", "50%", "--with", owner(four, STRANGER), "--price", "0.002")
    whole = shared_cpu(four)["quantity"]["offered"]
    half = shared_cpu(four)["quantity"]["detected"] // 2
    fillers = [open_lease(four, TENANT, f"kind=cpu,quantity={whole - half},node={four.nodes[PROVIDER]['name']}")
               ] if whole > half else []
    on = f"kind=cpu,quantity={half},node={four.nodes[PROVIDER]['name']}"
    with ThreadPoolExecutor(2) as pool:
        asked = list(pool.map(lambda i: open_lease(four, i, on, check=False), (TENANT, STRANGER)))
    won = [answer for answer in asked if isinstance(answer, str)]
    taken = shared_cpu(four)["quantity"]
    require(taken["leased"] <= taken["offered"], f"never over-committed: {taken}")
    require(len(won) >= 1, f"somebody gets it: {asked}")
    for each in [*won, *fillers]:
        four.cli(PROVIDER, "revoke", each, "--now")
    require(shared_cpu(four)["quantity"]["leased"] == 0, "all of it came back")


def check_pause(four):
    say("a pause outlives the process, keeps new leases out, and is undone")
    on = f"kind=cpu,quantity=1,node={four.nodes[PROVIDER]['name']}"
    four.cli(PROVIDER, "pause")
    wait_until(lambda: shared_cpu(four, TENANT)["state"] == "maintenance", "the others see the pause")
    require(open_lease(four, TENANT, on, check=False).returncode != 0, "paused")
    provider = four.nodes[PROVIDER]["id"]
    four.kill(PROVIDER)
    four.up()
    four.nodes[PROVIDER]["id"] = provider
    require(shared_cpu(four)["state"] == "maintenance", "still paused")
    four.cli(PROVIDER, "resume")
    wait_until(lambda: shared_cpu(four, TENANT)["state"] == "available", "the others see it again")


def check_allowance(four):
    say("an owner lets its node spend a bounded amount by itself, sees it, and takes it away")
    def allowed(index):
        return {node["name"]: node["allowance"] for node in four.json(index, "allow")["nodes"]}
    name = four.nodes[TENANT]["name"]
    require(allowed(TENANT) == {name: "0"}, f"nothing at first, and only the own node: {allowed(TENANT)}")
    done = json.loads(as_owner(four, TENANT, "allow", "2.5", "--json").stdout)
    require(done["allowance"] == "2.5" and allowed(TENANT) == {name: "2.5"}, f"{done} {allowed(TENANT)}")
    nodes = wait_until(lambda: [node for node in four.http(PROVIDER, "/api/v1/nodes")[1]["nodes"]
                                if node["allowance"] == "2.5"], "the others see it")
    require([node["name"] for node in nodes] == [name], f"{nodes}")
    done = as_owner(four, STRANGER, "allow", "1", "--node", name, check=False)
    require(done.returncode == 4 and "node_not_owned" in done.stderr, f"another owner's node: {done}")
    done = as_owner(four, TENANT, "allow", "-1", check=False)
    require(done.returncode == 2, f"no amount: {done}")
    as_owner(four, TENANT, "allow", "0", "--node", "self")
    require(allowed(TENANT) == {name: "0"}, f"taken away: {allowed(TENANT)}")


def check_dark_provider(four):
    say("a provider that dies is paid for what both signed, and not a moment more")
    held = open_lease(four, TENANT, f"kind=cpu,quantity=1,node={four.nodes[PROVIDER]['name']}")
    wait_for(four, held, lambda l: l["placement"]["counted_intervals"] >= 1, "an interval was read")
    four.kill(PROVIDER)
    counted = lease(four, held)["placement"]["counted_ms"]
    # The clock of the ledger is that of its blocks; somebody's operation moves it.
    def failed():
        as_owner(four, STRANGER, "lease", "settle", held, check=False)
        now = lease(four, held)
        return now if now["state"] == "failed" else None
    ended = wait_until(failed, "the lease failed")
    require(ended["placement"]["end"] == "dark", f"{ended}")
    require(ended["placement"]["counted_ms"] - counted <= 5_000, f"{ended}")
    require(Decimal(ended["escrow"]) == 0, "the rest came back")
    supply_is_whole(four, TENANT)
    shown = four.json(TENANT, "trust", "show", four.nodes[PROVIDER]["name"])
    require(shown["score"] < 500, f"it let a tenant down: {shown}")
    require(sum(term["contribution"] for term in shown["terms"]) == shown["score"], f"{shown}")


def test():
    with Mesh(nodes=4) as four:
        four.nodes[PROVIDER]["id"] = four.status(PROVIDER)["node"]
        check_sharing(four)
        held = check_lease(four)
        check_revocation(four, held)
        check_race(four)
        check_pause(four)
        check_allowance(four)
        check_dark_provider(four)


if __name__ == "__main__":
    mesh.main(test)
