# SPDX-License-Identifier: Apache-2.0
"""An owner's keys: made, protected, copied, and replaced on the ledger, whatever interrupts it."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import mesh
from mesh import Mesh, require, run, say
from operations import Key, Owner, key_file


def secret_file(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def check_files(folder):
    say("a key file with a passphrase opens with it, and with nothing else")
    good, bad = secret_file(folder / "good", "open sesame\n"), secret_file(folder / "bad", "open barley\n")
    path = folder / "protected.key"
    run("key", "new", path, "--new-passphrase-file", good)
    require(path.stat().st_mode & 0o777 == 0o600, "for its owner alone")
    shown = json.loads(run("key", "show", path, "--json").stdout)
    require(shown["passphrase"] and set(shown["keys"]) == {"ed25519", "falcon-1024", "ml-kem-1024"}, f"{shown}")
    copy = folder / "copy.key"
    for arguments, code in ((["--passphrase-file", bad], 4), ([], 4)):
        done = run("key", "import", path, copy, "--no-passphrase", *arguments, check=False)
        require(done.returncode == code and "passphrase" in done.stderr, f"{done}")
        require(not copy.exists(), "nothing was written")
    run("key", "import", path, copy, "--no-passphrase", "--passphrase-file", good)
    require(key_file(copy)["bundle"] == key_file(path)["bundle"], "the same keys")
    Key.from_file(copy)

    say("a key file is never overwritten, and a damaged or open one is refused by name")
    before = path.read_bytes()
    for arguments in (["new", path], ["import", copy, path]):
        done = run("key", *arguments, "--no-passphrase", check=False)
        require(done.returncode == 1 and path.read_bytes() == before, f"{done}")
    secret = key_file(copy)["secret"]
    copy.write_text(copy.read_text().replace(secret, ("1" if secret[0] == "0" else "0") + secret[1:]))
    done = run("key", "import", copy, folder / "other", "--no-passphrase", check=False)
    require(done.returncode == 1 and "not those of the secret" in done.stderr, f"{done}")
    copy.chmod(0o644)
    require(run("key", "show", copy, check=False).returncode == 4, "others may read it")
    done = run("key", "new", folder / "asks", check=False)
    require(done.returncode == 2 and not (folder / "asks").exists(), f"no terminal, no guess: {done}")


def rotate(four, key, *arguments, check=True):
    return four.cli(0, "key", "rotate", "--json", "--key", key, *arguments, check=check)


def check_rotation(four, folder):
    say("a rotation keeps the owner and everything of it; the old key signs for the overlap only")
    payer, payee = Owner(four, 0), Owner(four, 1)
    key = folder / "owner.key"
    shutil.copy2(Path(four.nodes[0]["dir"]) / "keys/owner.key", key)
    first = key_file(key)
    rotate(four, key, "--overlap", "1000")
    second = key_file(key)
    require(second["owner"] == first["owner"] and second["bundle"] != first["bundle"], "other keys, same owner")
    payer.refresh()
    for signer in (Key.from_file(key), payer.key):
        status, answer = payer.submit(payer.transfer(payee.id, 1, key=signer))
        require(status == 200, f"both keys sign: {answer}")
    told = four.http(0, f"/api/v1/owners/{first['owner']}")[1]
    require(told["retiring"]["until_height"] == told["since_height"] + 1000, f"{told}")
    rotate(four, key)
    payer.refresh()
    status, answer = payer.submit(payer.transfer(payee.id, 1))
    require(answer["error"]["details"]["rule"] == "wrong_key", f"the one before the last is forgotten: {answer}")
    status, answer = payer.submit(payer.transfer(payee.id, 1, key=Key(bytes.fromhex(second["secret"])[:32])))
    require(answer["error"]["details"]["rule"] == "key_retired", f"no overlap: {answer}")
    require(len(list(folder.glob("owner.key.retired-*"))) == 2, "the old keys are kept")
    require(not (folder / "owner.key.next").exists(), "nothing is left behind")


def check_interruptions(four, folder):
    say("an interrupted rotation goes on: before the ledger knows, and after")
    key, following = folder / "owner.key", folder / "owner.key.next"
    done = rotate(four, key, "--overlap", str(10**9), check=False)
    require(done.returncode == 1 and "overlap_too_long" in done.stderr, f"{done}")
    prepared = key_file(following)["bundle"]
    current = key.read_bytes()
    rotate(four, key)
    require(key_file(key)["bundle"] == prepared, "with the keys that were prepared")
    # As if the power had failed between the ledger's answer and the renaming.
    shutil.copy2(key, following)
    secret_file(key, current.decode())
    rotate(four, key)
    require(key_file(key)["bundle"] == prepared and not following.exists(), "put into place, not replaced again")

    say("a file of another owner in the place of the next keys is left alone")
    run("key", "new", following, "--no-passphrase")
    foreign = following.read_bytes()
    done = rotate(four, key, check=False)
    require(done.returncode == 1 and "another owner" in done.stderr, f"{done}")
    require(following.read_bytes() == foreign and key_file(key)["bundle"] == prepared, "nothing was changed")
    following.unlink()

    say("killed at any moment, the owner has a key that signs, and the same command goes on")
    for delay in (0.0, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12):
        process = subprocess.Popen([mesh.BINARY, "--api", four.nodes[0]["api"], "key", "rotate", "--key", key],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        rotate(four, key)
        four.cli(0, "wallet", "send", "owner2", "0.000000001", "--key", key)
    require(not following.exists(), "nothing is left behind")
    done = four.cli(0, "ledger", "verify")
    say(done.stdout.strip())


def test():
    folder = Path(tempfile.mkdtemp(prefix="hypermesh-e2e-"))
    try:
        check_files(folder)
        with Mesh(nodes=4) as four:
            check_rotation(four, folder)
            check_interruptions(four, folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    mesh.main(test)
