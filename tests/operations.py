# SPDX-License-Identifier: Apache-2.0
"""Operations written and signed without the program: a second reading of the wire format.

Bytes by docs/protocols/ledger.md §3 in BCS; signatures by libsodium, called directly. A test that
passes with these shows that the format is what the page says, and can send what the program's own
command line would never make.
"""

import base64
import ctypes
import ctypes.util
import hashlib
import struct
from pathlib import Path

from mesh import require

UNITS_PER_CAES = 10**9
TRANSFER_CAES = 6  # Place among the actions.


def sodium():
    name = ctypes.util.find_library("sodium") or "libsodium.so.23"
    library = ctypes.CDLL(name)
    require(library.sodium_init() >= 0, "libsodium starts")
    return library


SODIUM = sodium()


class Key:
    """An Ed25519 key from its seed."""

    def __init__(self, seed):
        public, secret = ctypes.create_string_buffer(32), ctypes.create_string_buffer(64)
        SODIUM.crypto_sign_seed_keypair(public, secret, seed)
        self.public, self.secret = public.raw, secret.raw

    @staticmethod
    def from_file(path):
        """The key with which an owner signs operations, of its key file: the secret begins with the seed."""
        fields = key_file(path)
        key = Key(bytes.fromhex(fields["secret"])[:32])
        require(key.public.hex() in fields["bundle"], f"{path} holds the public key of its seed")
        return key

    def sign(self, message):
        signature = ctypes.create_string_buffer(64)
        SODIUM.crypto_sign_detached(signature, None, message, ctypes.c_ulonglong(len(message)), self.secret)
        return signature.raw


def key_file(path):
    return dict(line.split(" ", 1) for line in Path(path).read_text().splitlines() if " " in line)


def uleb(value):
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def u64(value):
    return struct.pack("<Q", value)


def tagged_hash(tag, data):
    return hashlib.sha256(bytes([len(tag)]) + tag.encode() + data).digest()


def owner_id(path):
    """The id of the owner whose first key bundle this key file holds."""
    fields = key_file(path)
    owner = tagged_hash("hm.owner.v1", bytes.fromhex(fields["bundle"]))
    require(owner.hex() == fields["owner"], f"{path} names the owner of its bundle")
    return owner


def operation_id(signed):
    return tagged_hash("hm.operation.v1", signed[:-96]).hex()


class Owner:
    """Makes operations of one owner of a mesh, numbered from the next sequence that a node tells."""

    def __init__(self, mesh, index):
        self.mesh, self.index = mesh, index
        path = Path(mesh.nodes[index]["dir"]) / "keys/owner.key"
        self.key, self.id = Key.from_file(path), owner_id(path)
        self.refresh()

    def refresh(self, ask=None):
        status, told = self.mesh.http(self.index if ask is None else ask, f"/api/v1/actors/{self.id.hex()}")
        require(status == 200, f"the owner is known: {told}")
        self.chain = bytes.fromhex(told["chain_id"])
        self.sequence = told["next_sequence"]
        self.anchor = (told["anchor"]["height"], bytes.fromhex(told["anchor"]["hash"]))
        self.expiry = told["max_expiry_height"]

    def transfer(self, to, units, *, sequence=None, chain=None, actor=None, anchor=None, expiry=None, key=None):
        """A signed transfer of CAES with the next sequence; any part can be made wrong."""
        if sequence is None:
            sequence = self.sequence
            self.sequence += 1
        height, block = anchor or self.anchor
        key = key or self.key
        operation = (
            (chain or self.chain) + uleb(0) + (actor or self.id) + u64(sequence) + u64(height) + block
            + u64(self.expiry if expiry is None else expiry)
            + uleb(TRANSFER_CAES) + to + u64(units) + b"\0\0"
        )
        return operation + key.public + key.sign(tagged_hash("hm.operation.v1", operation))

    def submit(self, signed, index=None, wait=True, timeout=30):
        """(HTTP status, answer) of one operation sent to a node."""
        return self.mesh.http(
            self.index if index is None else index,
            "/api/v1/operations" + ("?wait=final" if wait else ""),
            body=signed, method="POST", headers={"Content-Type": "application/octet-stream"}, timeout=timeout,
        )

    def submit_many(self, signed, index=None, timeout=30):
        """The outcome of each of a list, none waited for."""
        body = {"operations": [base64.b64encode(one).decode() for one in signed]}
        return self.mesh.http(self.index if index is None else index, "/api/v1/operations", body=body,
                              method="POST", timeout=timeout)

    def wallet(self, index=None):
        return self.mesh.http(self.index if index is None else index, f"/api/v1/wallet/{self.id.hex()}")[1]
