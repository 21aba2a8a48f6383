# SPDX-License-Identifier: Apache-2.0
"""kill -9 of the leader under load: the others go on, what was acknowledged stays, it comes back."""

import threading
import time

import mesh
from mesh import Mesh, require, say, wait_until
from operations import Owner, operation_id


class Load(threading.Thread):
    """One owner pays another, one operation at a time, each waited for until it is final."""

    def __init__(self, four, sender, receiver):
        super().__init__(daemon=True)
        self.owner, self.to = Owner(four, sender), Owner(four, receiver).id
        self.acknowledged, self.longest_gap, self.running = {}, 0.0, True

    def run(self):
        last = time.monotonic()
        while self.running:
            signed = self.owner.transfer(self.to, 1)
            try:
                status, answer = self.owner.submit(signed)
            except OSError:
                status, answer = 0, None
            if status == 200 and answer["operations"][0]["status"] == "applied":
                now = time.monotonic()
                self.longest_gap, last = max(self.longest_gap, now - last), now
                self.acknowledged[operation_id(signed)] = answer["operations"][0]["height"]
            else:
                time.sleep(0.05)
                self.owner.refresh()


def leader(four, ask):
    name = four.http(ask, "/api/v1/consensus/state")[1]["leader"]
    return next(i for i in range(4) if four.status(i)["node"] == name)


def receipts(four, index, height):
    return {r["id"]: r["status"] for r in four.http(index, f"/api/v1/ledger/blocks/{height}")[1]["receipts"]}


def test():
    with Mesh(nodes=4) as four:
        four.wait_for_height(1)
        dead = leader(four, 0)
        alive = [i for i in range(4) if i != dead]
        load = Load(four, alive[0], alive[1])
        load.start()
        wait_until(lambda: len(load.acknowledged) >= 20, "twenty operations are final")

        say(f"killing {four.nodes[dead]['name']}, the leader")
        load.longest_gap = 0.0
        four.kill(dead)
        before = len(load.acknowledged)
        wait_until(lambda: len(load.acknowledged) >= before + 1, "the next operation is final")
        wait_until(lambda: len(load.acknowledged) >= before + 40, "forty more")
        say(f"longest time without a final operation: {load.longest_gap:.3f} s")

        say("it comes back and catches up by itself, under load")
        four.up()
        goal = four.height(alive[0])
        four.wait_for_height(goal, [dead])
        wait_until(lambda: four.status(dead)["peers"] == 3, "it has its peers again")
        load.running = False
        load.join(timeout=60)

        say(f"all {len(load.acknowledged)} acknowledged operations are where they were said to be")
        last = max(load.acknowledged.values())
        four.wait_for_height(last)
        heights = {}
        for operation, height in load.acknowledged.items():
            if height not in heights:
                heights[height] = receipts(four, dead, height)
            require(heights[height].get(operation) == "applied", f"{operation} in block {height}")
        say("and every node has the same blocks")
        for height in sorted(heights)[:: max(1, len(heights) // 20)]:
            hashes = {four.http(i, f"/api/v1/ledger/blocks/{height}")[1]["hash"] for i in range(4)}
            require(len(hashes) == 1, f"one block at height {height}: {hashes}")


if __name__ == "__main__":
    mesh.main(test)
