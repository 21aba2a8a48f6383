# SPDX-License-Identifier: Apache-2.0
"""Noise, floods and oversized requests at the API and STOQ port numbers harm nobody."""

import random
import socket
import time
from pathlib import Path

import mesh
from mesh import Mesh, require, say, wait_until
from operations import Owner

GROWTH_MAX_MIB = 64  # Far below the gigabyte that is sent.


def address_of(text):
    host, port = text.removeprefix("http://").rsplit(":", 1)
    return host.strip("[]"), int(port)


def resident_mib(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) // 1024
    return 0


def connect(four):
    return socket.create_connection(address_of(four.nodes[0]["api"]), timeout=20)


def exchange(four, data):
    """Sends bytes, gives what comes back until the other side closes or falls silent."""
    with connect(four) as connection:
        connection.settimeout(8)
        received = b""
        try:
            connection.sendall(data)
            while part := connection.recv(65536):
                received += part
        except OSError:
            pass
        return received


def api_noise(four):
    chance = random.Random(1)
    for size in (1, 100, 5000):
        exchange(four, chance.randbytes(size) + b"\r\n\r\n")
    host = "Host: localhost\r\n"
    cases = {
        "two lengths": f"POST /api/v1/operations HTTP/1.1\r\n{host}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        "a negative length": f"POST /api/v1/operations HTTP/1.1\r\n{host}Content-Length: -1\r\n\r\n",
        "endless headers": f"GET /health HTTP/1.1\r\n{host}" + "X: y\r\n" * 20000 + "\r\n",
        "no host": "GET /health HTTP/1.1\r\n\r\n",
        "a path with NUL": f"GET /api/v1/assets/%00 HTTP/1.1\r\n{host}Connection: close\r\n\r\n",
        "a way out of the tree": f"GET /api/v1/../../etc/passwd HTTP/1.1\r\n{host}Connection: close\r\n\r\n",
    }
    for name, text in cases.items():
        answer = exchange(four, text.encode())
        require(answer.startswith(b"HTTP/1.1 4"), f"{name}: {answer[:80]}")


def huge_body(four):
    """A gigabyte announced and pushed for as long as the node lets us."""
    head = b"POST /api/v1/operations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with connect(four) as connection:
        connection.settimeout(20)
        sent, answer = 0, b""
        try:
            connection.sendall(head + b"Content-Length: 1073741824\r\n\r\n")
            connection.setblocking(False)
            chunk = b"[" * 65536
            end = time.monotonic() + 20
            while sent < 2**30 and not answer and time.monotonic() < end:
                try:
                    sent += connection.send(chunk)
                except BlockingIOError:
                    time.sleep(0.001)
                try:
                    answer = connection.recv(65536)
                except BlockingIOError:
                    pass
        except OSError:
            pass
    require(answer.startswith(b"HTTP/1.1 413"), f"the size is refused, not {answer[:80]!r}")
    say(f"a body of 1 GiB: refused with 413 after {sent} bytes")


def foreign_page(four):
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"}):
        status, answer = four.http(0, "/api/v1/status", headers=headers)
        require(status == 403 and answer["error"]["code"] == "FOREIGN_ORIGIN", f"{headers}: {status} {answer}")
    asset = {"kind": "cpu", "quantity": {"detected": 4, "offered": 1, "unit": "cores"}}
    status, answer = four.http(0, "/api/v1/assets/register", body=asset, method="POST")
    require(status == 401, f"a write without a right: {status} {answer}")
    status, answer = four.http(0, "/api/v1/assets/register", body=asset, method="POST",
                               headers={"Authorization": "Bearer " + "0" * 64})
    require(status == 401, f"a write with a wrong token: {status} {answer}")


def initial_packet(chance):
    """The shape of a QUIC v1 Initial of full size; what is inside is noise."""
    destination, source = chance.randbytes(8), chance.randbytes(8)
    head = bytes([0xC0 | chance.randrange(16)]) + b"\0\0\0\1" + b"\x08" + destination + b"\x08" + source + b"\0"
    rest = 1200 - len(head) - 2
    return head + (0x4000 | rest).to_bytes(2, "big") + chance.randbytes(rest)


def stoq_noise(four):
    chance = random.Random(2)
    host, port = address_of(four.nodes[0]["stoq"])
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
        for _ in range(2000):
            sender.sendto(chance.randbytes(chance.randrange(1, 1500)), (host, port))
        for number in range(10000):
            sender.sendto(initial_packet(chance), (host, port))
            if number % 500 == 0:
                time.sleep(0.01)


def slow_clients(four):
    """Connections that never finish their request; the API stays open to others."""
    held = []
    for _ in range(100):
        connection = connect(four)
        connection.sendall(b"GET /health HTTP/1.1\r\nHo")
        held.append(connection)
    status, _ = four.http(0, "/health")
    require(status == 200, "answered beside a hundred stalled clients")
    for connection in held:
        connection.close()


def test():
    with Mesh(nodes=4) as four:
        four.wait_for_height(1)
        owner, other = Owner(four, 0), Owner(four, 1)
        before = [resident_mib(node["pid"]) for node in four.nodes]
        for step in (api_noise, huge_body, foreign_page, stoq_noise, slow_clients):
            say(step.__name__)
            step(four)
            owner.refresh()
            status, answer = owner.submit(owner.transfer(other.id, 1))
            require(status == 200, f"the mesh works after {step.__name__}: {status} {answer}")
        require(len(four.alive()) == 4, "no process died")
        wait_until(lambda: all(four.status(i)["peers"] == 3 for i in range(4)), "no node lost a peer")
        after = [resident_mib(node["pid"]) for node in four.nodes]
        say(f"resident MiB before {before}, after {after}")
        require(all(a - b < GROWTH_MAX_MIB for a, b in zip(after, before)), "memory stays flat")


if __name__ == "__main__":
    mesh.main(test)
