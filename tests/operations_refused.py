# SPDX-License-Identifier: Apache-2.0
"""Every wrong operation is refused by the name of its rule and proof, and changes nothing."""

import mesh
from mesh import Mesh, require, say, wait_until
from operations import UNITS_PER_CAES, Key, Owner


def test():
    with Mesh(nodes=4) as four:
        payer, payee = Owner(four, 0), Owner(four, 1)
        stranger = Key(b"\7" * 32)

        say("a right one is applied, by every node")
        right = payer.transfer(payee.id, 5)
        status, answer = payer.submit(right)
        require(status == 200 and answer["operations"][0]["status"] == "applied", f"{status} {answer}")
        four.wait_for_height(answer["operations"][0]["height"])
        payer.refresh()
        balances = [payer.wallet(i)["balance_units"] for i in range(4)]
        require(len(set(balances)) == 1, f"one balance: {balances}")

        next_one = payer.sequence
        height, block = payer.anchor
        cases = {
            "replayed": (right, "already_applied", "time"),
            "another with a used sequence": (payer.transfer(payee.id, 6, sequence=next_one - 1), "sequence_used", "time"),
            "one that leaves a gap": (payer.transfer(payee.id, 6, sequence=next_one + 2000), "sequence_gap", "time"),
            "expired": (payer.transfer(payee.id, 6, sequence=next_one, expiry=0), "expired", "time"),
            "one valid for ever": (payer.transfer(payee.id, 6, sequence=next_one, expiry=2**63), "expiry_too_far", "time"),
            "one from the future": (payer.transfer(payee.id, 6, sequence=next_one, anchor=(height + 10**6, block),
                                                   expiry=height + 10**6 + 1), "unknown_anchor", "time"),
            "one from another branch": (payer.transfer(payee.id, 6, sequence=next_one, anchor=(height, b"\1" * 32)),
                                        "anchor_on_another_branch", "time"),
            "of another chain": (payer.transfer(payee.id, 6, sequence=next_one, chain=b"\2" * 32), "wrong_chain", None),
            "signed by a stranger": (payer.transfer(payee.id, 6, sequence=next_one, key=stranger), "wrong_key", "stake"),
            "of nobody": (payer.transfer(payee.id, 6, sequence=1, actor=b"\3" * 32, key=stranger), "unknown_actor", "stake"),
            "with a changed amount": (right[:-97] + b"\1" + right[-96:], None, None),
            "with a broken signature": (right[:-1] + bytes([right[-1] ^ 1]), "bad_signature", None),
            "over the balance": (payer.transfer(payee.id, 10**7 * UNITS_PER_CAES, sequence=next_one), "over_balance", None),
            "of nothing": (payer.transfer(payee.id, 0, sequence=next_one), "zero_amount", None),
            "cut short": (right[:50], "malformed", None),
            "with a byte too many": (right + b"\0", "malformed", None),
            "of noise": (bytes(range(256)) * 40, "malformed", None),
            "too large": (b"\0" * 13000, "operation_too_large", None),
        }
        for name, (signed, rule, proof) in cases.items():
            status, answer = payer.submit(signed)
            require(status in (400, 409, 413, 422), f"{name}: {status} {answer}")
            details = answer["error"]["details"]
            if rule:
                require(details["rule"] == rule, f"{name}: {rule}, not {details}")
            if proof:
                require(details["proof"] == proof, f"{name}: proof {proof}, not {details}")
            say(f"{name}: {answer['error']['message']}")

        say("nothing was changed, and the next right one is applied")
        require([payer.wallet(i)["balance_units"] for i in range(4)] == balances, "balances as before")
        payer.refresh()
        require(payer.sequence == next_one, "the sequence is as before")
        status, answer = payer.submit(payer.transfer(payee.id, 5))
        require(status == 200, f"{status} {answer}")
        wait_until(lambda: payer.wallet(3)["balance_units"] != balances[0], "it is seen by the last node")

        say("the command line says it in three lines and exits with a failure")
        done = four.cli(0, "wallet", "send", payee.id.hex(), "99999999", check=False)
        require(done.returncode == 1 and len(done.stderr.splitlines()) == 3, f"{done}")
        require(done.stdout == "", f"no data on a failure: {done.stdout}")


if __name__ == "__main__":
    mesh.main(test)
