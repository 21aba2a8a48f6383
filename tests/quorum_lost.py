# SPDX-License-Identifier: Apache-2.0
"""Two of four killed: no progress and no fork; together again: progress. Then all four at once."""

import time

import mesh
from mesh import Mesh, require, say, wait_until
from operations import Owner


def head(four, index):
    status, block = four.http(index, f"/api/v1/ledger/blocks/{four.height(index)}")
    require(status == 200, f"{block}")
    return block["height"], block["hash"]


def same_chain(four, indices, height):
    hashes = {four.http(i, f"/api/v1/ledger/blocks/{height}")[1]["hash"] for i in indices}
    require(len(hashes) == 1, f"one block at height {height}: {hashes}")


def test():
    with Mesh(nodes=4) as four:
        payer, payee = Owner(four, 0), Owner(four, 1)
        for _ in range(5):
            status, answer = payer.submit(payer.transfer(payee.id, 1000))
            require(status == 200, f"{answer}")
        applied = answer["operations"][0]["height"]

        say("two of four are killed: an operation is taken and waits, nothing becomes final")
        four.kill(2)
        four.kill(3)
        time.sleep(1)
        held = [head(four, i) for i in (0, 1)]
        status, answer = payer.submit(payer.transfer(payee.id, 1000), wait=False)
        require(status == 200 and answer["operations"][0]["status"] == "admitted", f"{status} {answer}")
        waiting = answer["operations"][0]["id"]
        time.sleep(3)
        require([head(four, i) for i in (0, 1)] == held, "no block became final without a quorum")

        say("together again: the operation that waited becomes final, on one chain")
        four.up()
        wait_until(lambda: four.http(0, f"/api/v1/operations/{waiting}")[1].get("status") == "applied",
                   "the operation that waited is final")
        four.wait_for_height(four.height(0))
        for height in (applied, held[0][0], four.height(0)):
            same_chain(four, range(4), height)

        say("all four are killed at once: they resume where they were")
        before = payee.wallet()["balance_units"]
        for i in range(4):
            four.kill(i)
        four.up()
        payer.refresh()
        status, answer = payer.submit(payer.transfer(payee.id, 1000))
        require(status == 200, f"{status} {answer}")
        four.wait_for_height(answer["operations"][0]["height"])
        for i in range(4):
            after = payee.wallet(i)["balance_units"]
            require(int(after) == int(before) + 1000, f"nothing lost, nothing twice: {before} then {after}")
        same_chain(four, range(4), applied)

        say("a stopped node's ledger is replayed from genesis, every root and certificate compared")
        four.down()
        for node in four.nodes:
            mesh.run("ledger", "verify", "--dir", node["dir"])


if __name__ == "__main__":
    mesh.main(test)
