# SPDX-License-Identifier: Apache-2.0
"""More operations than the mesh can take: the surplus is told to come back, memory stays flat, and
what was admitted is applied, all of it, once."""

import threading
import time
from pathlib import Path

import mesh
from mesh import Mesh, require, say, wait_until
from operations import Owner

PER_OWNER = 6000  # More than one actor may have waiting, and than the pool holds together.
BATCH = 1000  # Nearly all that one actor may have waiting: the next batch comes before it is final.
RESIDENT_MAX_MIB = 300


def resident_mib(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1]) // 1024


class Sender(threading.Thread):
    """Sends batches as fast as they are taken; on "busy" it goes on, as a rude client would."""

    def __init__(self, owner, signed):
        super().__init__(daemon=True)
        self.owner, self.signed = owner, signed
        self.admitted, self.busy, self.failed = [], 0, None
        self.retry_after = set()

    def run(self):
        at, begin = 0, time.monotonic()
        while at < len(self.signed) and time.monotonic() - begin < 15:
            status, answer = self.owner.submit_many(self.signed[at : at + BATCH])
            if status == 429:
                self.busy += BATCH
                self.retry_after.add(answer["error"]["code"])
                continue
            if status != 200:
                self.failed = (status, answer)
                return
            for outcome in answer["operations"]:
                # One behind a busy one may have been taken, and be applied by the time it is sent again.
                repeated = outcome.get("refused", {}).get("rule") == "already_applied"
                if outcome["status"] == "admitted" or repeated:
                    self.admitted.append(at)
                    at += 1
                elif outcome["status"] == "busy":
                    require(outcome["retry_after_ms"] > 0, f"{outcome}")
                    self.busy += 1
                    break
                else:
                    self.failed = outcome
                    return


def test():
    with Mesh(nodes=4) as four:
        four.wait_for_height(1)
        owners = [Owner(four, i) for i in range(4)]
        first = [owner.sequence for owner in owners]
        say(f"signing {4 * PER_OWNER} operations")
        senders = [Sender(owner, [owner.transfer(owners[(i + 1) % 4].id, 1) for _ in range(PER_OWNER)])
                   for i, owner in enumerate(owners)]
        begin = time.monotonic()
        for sender in senders:
            sender.start()
        peak = 0
        while any(sender.is_alive() for sender in senders):
            peak = max([peak] + [resident_mib(node["pid"]) for node in four.nodes])
            time.sleep(0.1)
        for sender in senders:
            require(sender.failed is None, f"only admitted or busy: {sender.failed}")
        admitted = sum(len(sender.admitted) for sender in senders)
        busy = sum(sender.busy for sender in senders)
        say(f"admitted {admitted}, told busy {busy}, peak of resident memory {peak} MiB")
        require(busy > 0, "the surplus is refused")
        require(admitted > 0, "the mesh goes on taking operations")
        require(peak < RESIDENT_MAX_MIB, f"memory stays flat: {peak} MiB")

        say("what was admitted is applied, by every node, once")
        goal = [start + len(sender.admitted) for start, sender in zip(first, senders)]

        def applied(index):
            return [four.http(index, f"/api/v1/wallet/{owner.id.hex()}")[1]["next_sequence"] for owner in owners]

        wait_until(lambda: applied(0) == goal, f"sequences {goal}")
        say(f"{admitted / (time.monotonic() - begin):.0f} operations per second, client included")
        for i in range(1, 4):
            wait_until(lambda: applied(i) == goal, f"the same on node {i}")
        total = sum(int(owner.wallet(3)["balance_units"]) for owner in owners)
        require(total == sum(int(owner.wallet(0)["balance_units"]) for owner in owners), "balances agree")
        require(len(four.alive()) == 4, "no process died")


if __name__ == "__main__":
    mesh.main(test)
